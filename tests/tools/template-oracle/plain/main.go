// Command plain answers what Go's own template packages print.
//
//	plain run        reads cases as JSON from stdin, prints their results as JSON
//	plain gotests    prints the cases that stand in the tests of the installed text/template
//	plain signatures prints the Go type of every function of sprig
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// Case is a template with its data.
type Case struct {
	Name       string `json:"name"`
	Template   string `json:"template"`
	Data       any    `json:"data"`
	MissingKey string `json:"missingKey,omitempty"`
	Sprig      bool   `json:"sprig,omitempty"`
	Ints       bool   `json:"ints,omitempty"`
}

// Result is what Go makes of a case.
type Result struct {
	Name  string `json:"name"`
	Out   string `json:"out"`
	Bytes []byte `json:"bytes"`
	Error string `json:"error,omitempty"`
	Parse bool   `json:"parse,omitempty"`
}

func main() {
	switch os.Args[1] {
	case "run":
		var cases []Case
		decoder := json.NewDecoder(os.Stdin)
		decoder.UseNumber()
		if err := decoder.Decode(&cases); err != nil {
			panic(err)
		}
		results := []Result{}
		for _, c := range cases {
			results = append(results, run(c))
		}
		print_json(results)
	case "gotests":
		print_json(goTests())
	case "signatures":
		print_json(signatures())
	}
}

func print_json(value any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

func run(c Case) (result Result) {
	result.Name = c.Name
	defer func() {
		if r := recover(); r != nil {
			result.Error = fmt.Sprint("panic: ", r)
		}
	}()
	t := template.New("main")
	if c.MissingKey != "" {
		t.Option("missingkey=" + c.MissingKey)
	}
	if c.Sprig {
		t.Funcs(sprig.TxtFuncMap())
	}
	t.Funcs(template.FuncMap{"include": func(name string, data any) (string, error) {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}})
	if _, err := t.Parse(c.Template); err != nil {
		result.Error = err.Error()
		result.Parse = true
		return
	}
	var out bytes.Buffer
	if err := t.Execute(&out, numbers(c.Data, c.Ints)); err != nil {
		result.Error = err.Error()
	}
	result.Out = out.String()
	result.Bytes = out.Bytes()
	return
}

// numbers turns JSON's numbers into float64, or into int where that is asked for and fits.
func numbers(value any, ints bool) any {
	switch v := value.(type) {
	case json.Number:
		if ints && !strings.ContainsAny(v.String(), ".eE") {
			if n, err := v.Int64(); err == nil {
				return int(n)
			}
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i], ints)
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k], ints)
		}
	}
	return value
}

func signatures() []string {
	var lines []string
	for name, fn := range sprig.TxtFuncMap() {
		lines = append(lines, name+" "+reflect.TypeOf(fn).String())
	}
	sort.Strings(lines)
	return lines
}
