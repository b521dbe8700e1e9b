// Command hcl reads a tfvars file from standard input with the library that Terraform and OpenTofu
// read it with, and prints one JSON object: {"formatted": …, "value": {…}} or {"error": "…"}.
//
// formatted says whether the canonical formatter of that library would leave every byte as it is.
// As in a tfvars file, values are literal: a variable or function call is an error.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

type result struct {
	Formatted bool                       `json:"formatted"`
	Value     map[string]json.RawMessage `json:"value,omitempty"`
	Error     string                     `json:"error,omitempty"`
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(read(text))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hcl:", err)
		os.Exit(1)
	}
}

func read(text []byte) result {
	read := result{
		Formatted: bytes.Equal(text, hclwrite.Format(text)),
		Value:     map[string]json.RawMessage{},
	}
	file, problems := hclsyntax.ParseConfig(text, "stdin.tfvars", hcl.InitialPos)
	if problems.HasErrors() {
		return result{Error: problems.Error()}
	}
	attributes, problems := file.Body.JustAttributes()
	if problems.HasErrors() {
		return result{Error: problems.Error()}
	}
	for name, attribute := range attributes {
		value, problems := attribute.Expr.Value(nil)
		if problems.HasErrors() {
			return result{Error: problems.Error()}
		}
		encoded, err := ctyjson.Marshal(value, value.Type())
		if err != nil {
			return result{Error: err.Error()}
		}
		read.Value[name] = encoded
	}
	return read
}
