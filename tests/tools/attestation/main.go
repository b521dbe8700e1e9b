// Reads an in-toto statement with SLSA provenance on stdin and judges it with in-toto's own library:
// no unknown field, and what its Validate asks for.
package main

import (
	"fmt"
	"io"
	"os"

	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	statement "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func judge() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var whole statement.Statement
	if err := protojson.Unmarshal(text, &whole); err != nil {
		return err
	}
	if err := whole.Validate(); err != nil {
		return err
	}
	predicate, err := protojson.Marshal(whole.GetPredicate())
	if err != nil {
		return err
	}
	var slsa provenance.Provenance
	if err := protojson.Unmarshal(predicate, &slsa); err != nil {
		return err
	}
	return slsa.Validate()
}

func main() {
	if err := judge(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
