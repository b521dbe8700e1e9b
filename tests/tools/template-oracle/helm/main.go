// Command helm answers what Helm 4 does.
//
//	helm run     reads template cases as JSON from stdin and renders each as the only template of a chart
//	helm render  reads chart cases as JSON from stdin and renders each chart as `helm template` does
//	helm write   reads JSON documents and prints each as sigs.k8s.io/yaml does
//	helm read    reads YAML texts and prints each as sigs.k8s.io/yaml understands it
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	v2util "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// Case is a template with its values, or a chart with its values.
type Case struct {
	Name      string         `json:"name"`
	Template  string         `json:"template"`
	Data      map[string]any `json:"data"`
	Chart     string         `json:"chart"`
	Release   string         `json:"release"`
	Namespace string         `json:"namespace"`
	Kube      string         `json:"kube"`
	APIs      []string       `json:"apis"`
	Upgrade   bool           `json:"upgrade"`
}

// Result is what Helm makes of a case.
type Result struct {
	Name  string            `json:"name"`
	Bytes []byte            `json:"bytes"`
	Files map[string]string `json:"files"`
	Crds  []string          `json:"crds"`
	Text  string            `json:"text"`
	Sort  string            `json:"sort"`
	JSON  json.RawMessage   `json:"json"`
	Error string            `json:"error,omitempty"`
	Parse bool              `json:"parse,omitempty"`
}

func main() {
	results := []Result{}
	switch os.Args[1] {
	case "run", "render":
		var cases []Case
		read(&cases)
		for _, c := range cases {
			if os.Args[1] == "run" {
				results = append(results, run(c))
			} else {
				results = append(results, render(c))
			}
		}
	case "set":
		var lines []string
		read(&lines)
		for _, line := range lines {
			kind, line := line[0], line[1:]
			values := map[string]any{"a": map[string]any{"b": "old"}, "l": []any{"x", map[string]any{"k": "v"}}}
			var err error
			func() {
				defer func() {
					if r := recover(); r != nil {
						err = fmt.Errorf("panic: %v", r)
					}
				}()
				switch kind {
				case 't':
					err = strvals.ParseInto(line, values)
				case 's':
					err = strvals.ParseIntoString(line, values)
				case 'j':
					err = strvals.ParseJSON(line, values)
				}
			}()
			out, _ := json.Marshal(values)
			results = append(results, Result{JSON: out, Error: text(err)})
		}
	case "write":
		var documents []any
		read(&documents)
		for _, document := range documents {
			out, err := yaml.Marshal(document)
			results = append(results, Result{Bytes: out, Error: text(err)})
		}
	case "read":
		var documents []string
		read(&documents)
		for _, document := range documents {
			var value any
			err := yaml.Unmarshal([]byte(document), &value)
			out, err2 := json.Marshal(value)
			if err == nil {
				err = err2
			}
			if err != nil {
				out = []byte("null")
			}
			results = append(results, Result{JSON: out, Error: text(err)})
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(results); err != nil {
		panic(err)
	}
}

func read(value any) {
	if err := json.NewDecoder(os.Stdin).Decode(value); err != nil {
		panic(err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func run(c Case) (result Result) {
	result.Name = c.Name
	defer func() {
		if r := recover(); r != nil {
			result.Error = fmt.Sprint("panic: ", r)
		}
	}()
	chrt := &chart.Chart{
		Metadata: &chart.Metadata{Name: "c", Version: "1.2.3", APIVersion: "v2", AppVersion: "4.5"},
		Templates: []*common.File{
			{Name: "templates/t.yaml", Data: []byte(c.Template)},
			{Name: "templates/_lib.tpl", Data: []byte(`{{ define "lib" }}<{{ . }}>{{ end }}`)},
		},
		Files: []*common.File{
			{Name: "a.txt", Data: []byte("one\ntwo\n")},
			{Name: "conf/b.txt", Data: []byte("b: <1>")},
			{Name: "conf/sub/c.bin", Data: []byte{0, 255, 10}},
		},
	}
	values, err := util.ToRenderValues(chrt, c.Data, common.ReleaseOptions{Name: "rel", Namespace: "ns", IsInstall: true, Revision: 1}, nil)
	if err != nil {
		result.Error = err.Error()
		return
	}
	out, err := engine.Render(chrt, values)
	if err != nil {
		result.Error = err.Error()
		return
	}
	result.Bytes = []byte(out["c/templates/t.yaml"])
	return
}

// manifests writes what `helm template --include-crds` prints.
func manifests(chrt *chart.Chart, rendered map[string]string) (string, error) {
	files := map[string]string{}
	for name, content := range rendered {
		if !strings.HasSuffix(name, "NOTES.txt") {
			files[name] = content
		}
	}
	hooks, sorted, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return "", err
	}
	var b, out strings.Builder
	for _, crd := range chrt.CRDObjects() {
		fmt.Fprintf(&b, "---\n# Source: %s\n%s\n", crd.Filename, string(crd.File.Data))
	}
	for _, m := range sorted {
		fmt.Fprintf(&b, "---\n# Source: %s\n%s\n", m.Name, m.Content)
	}
	fmt.Fprintln(&out, strings.TrimSpace(b.String()))
	for _, h := range hooks {
		fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", h.Path, h.Manifest)
	}
	return out.String(), nil
}

func render(c Case) (result Result) {
	result.Name = c.Name
	defer func() {
		if r := recover(); r != nil {
			result.Error = fmt.Sprint("panic: ", r)
		}
	}()
	fail := func(err error) bool {
		result.Error = text(err)
		return err != nil
	}
	chrt, err := loader.Load(c.Chart)
	if fail(err) {
		return
	}
	if c.Data == nil {
		c.Data = map[string]any{}
	}
	if fail(v2util.ProcessDependencies(chrt, c.Data)) {
		return
	}
	caps := common.DefaultCapabilities.Copy()
	if c.Kube != "" {
		version, err := common.ParseKubeVersion(c.Kube)
		if fail(err) {
			return
		}
		caps.KubeVersion = *version
	}
	caps.APIVersions = append(caps.APIVersions, c.APIs...)
	options := common.ReleaseOptions{Name: c.Release, Namespace: c.Namespace, Revision: 1, IsInstall: !c.Upgrade, IsUpgrade: c.Upgrade}
	values, err := util.ToRenderValues(chrt, c.Data, options, caps)
	if fail(err) {
		return
	}
	files, err := engine.Render(chrt, values)
	if fail(err) {
		return
	}
	result.Files = files
	result.Text, err = manifests(chrt, files)
	result.Sort = text(err)
	for _, crd := range chrt.CRDObjects() {
		result.Crds = append(result.Crds, crd.Filename)
	}
	return
}
