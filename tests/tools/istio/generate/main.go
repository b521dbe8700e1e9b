// Command generate answers many cases of `istioctl manifest generate` in one process, with
// istioctl's own command: the flags, the rendering and the printing are those of the executable.
//
// Standard input holds one JSON object a line: {"name", "args"}; args are those that follow
// `istioctl manifest generate`. Standard output holds one object a line, in the same order:
// {"name", "text", "error"}; error is that of the command, and a panic, which ends istioctl, is an
// error that starts with `panic: `. Cases run beside each other, as many as GOMAXPROCS.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"

	"istio.io/istio/istioctl/pkg/cli"
	"istio.io/istio/operator/cmd/mesh"
	"istio.io/istio/pkg/log"
)

type request struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

type answer struct {
	Name  string `json:"name"`
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	// the libraries' own log goes to standard output otherwise
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	if err := log.Configure(options); err != nil {
		return err
	}
	var cases []request
	for decoder := json.NewDecoder(bufio.NewReader(os.Stdin)); decoder.More(); {
		var asked request
		if err := decoder.Decode(&asked); err != nil {
			return err
		}
		cases = append(cases, asked)
	}
	// the first one alone: the command keeps the maker of clients in a global variable
	answers := make([]answer, len(cases))
	if len(cases) > 0 {
		answers[0] = generate(cases[0])
	}
	indices := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range indices {
				answers[i] = generate(cases[i])
			}
		})
	}
	for i := 1; i < len(cases); i++ {
		indices <- i
	}
	close(indices)
	workers.Wait()

	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, given := range answers {
		if err := encoder.Encode(given); err != nil {
			return err
		}
	}
	return out.Flush()
}

func generate(asked request) (given answer) {
	given.Name = asked.Name
	var text, complaints bytes.Buffer
	defer func() {
		given.Text = text.String()
		if reason := recover(); reason != nil {
			given.Error = fmt.Sprint("panic: ", reason)
		}
	}()
	command := mesh.ManifestCmd(cli.NewCLIContext(nil))
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetArgs(append([]string{"generate"}, asked.Args...))
	command.SetOut(&text)
	command.SetErr(&complaints)
	if err := command.Execute(); err != nil {
		given.Error = err.Error()
	}
	return
}
