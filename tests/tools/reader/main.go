// Command reader reads YAML as Go programs do and prints what they see as JSON.
//
// Standard input holds one JSON string a line: a YAML document. For each, a line is printed with
// what three readers make of it, in the order of the input:
//
//   - "sigs": sigs.k8s.io/yaml, strict: the API server, kubectl apply. Refuses duplicate keys.
//   - "lax": sigs.k8s.io/yaml as Helm calls it. The last of equal keys wins.
//   - "v3": go.yaml.in/yaml/v3, the YAML of most other Go programs.
//
// Each is {"value": …} or {"error": "…"}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	yaml3 "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

type reading struct {
	Value json.RawMessage `json:"value,omitempty"`
	Error string          `json:"error,omitempty"`
}

type line struct {
	Sigs reading `json:"sigs"`
	Lax  reading `json:"lax"`
	V3   reading `json:"v3"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

func run() error {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for in.More() {
		var text string
		if err := in.Decode(&text); err != nil {
			return err
		}
		bytes := []byte(text)
		err := encoder.Encode(line{
			Sigs: read(bytes, sigs.YAMLToJSONStrict),
			Lax:  read(bytes, sigs.YAMLToJSON),
			V3:   read(bytes, version3),
		})
		if err != nil {
			return err
		}
	}
	return out.Flush()
}

func read(text []byte, reader func([]byte) ([]byte, error)) (result reading) {
	// a reader of a library that panics has refused the document all the same
	defer func() {
		if cause := recover(); cause != nil {
			result = reading{Error: fmt.Sprint("panic: ", cause)}
		}
	}()
	value, err := reader(text)
	if err != nil {
		return reading{Error: err.Error()}
	}
	return reading{Value: value}
}

func version3(text []byte) ([]byte, error) {
	var value any
	if err := yaml3.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	plain, err := toJSON(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain)
}

// toJSON refuses what JSON cannot hold, so that a date or a number as key is seen as a difference.
func toJSON(value any) (any, error) {
	switch value := value.(type) {
	case nil, bool, string, int, int64, uint64:
		return value, nil
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, errors.New("no JSON number")
		}
		return value, nil
	case []any:
		for index := range value {
			item, err := toJSON(value[index])
			if err != nil {
				return nil, err
			}
			value[index] = item
		}
		return value, nil
	case map[string]any:
		for key := range value {
			item, err := toJSON(value[key])
			if err != nil {
				return nil, err
			}
			value[key] = item
		}
		return value, nil
	default:
		return nil, fmt.Errorf("a %T has no place in JSON", value)
	}
}
