// Prints what istioctl's types say of the fields of an IstioOperator, as src/istio/schema holds it.
//
// With "kubernetes": the Go structs below IstioOperator, and of the objects that its settings patch, a line each:
// the name, then its fields as name:type~strategy@mergekey. With "values": the messages of Values and MeshConfig.
// With "patch": reads cases {kind, object, patch} as a JSON list, and prints what apimachinery's strategic merge makes
// of each, null where it refuses.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/operator/pkg/apis"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// Types whose JSON is no struct.
var opaque = map[reflect.Type]string{
	reflect.TypeOf(json.RawMessage{}):    "any",
	reflect.TypeOf(apis.BoolValue{}):     "bool",
	reflect.TypeOf(resource.Quantity{}):  "quantity",
	reflect.TypeOf(intstr.IntOrString{}): "intOrString",
	reflect.TypeOf(metav1.Time{}):        "time",
	reflect.TypeOf(metav1.MicroTime{}):   "time",
	reflect.TypeOf(metav1.FieldsV1{}):    "any",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schema kubernetes|values|patch")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "values":
		values()
	case "patch":
		patch()
	default:
		kubernetes()
	}
}

func patch() {
	var cases []struct {
		Kind          string
		Object, Patch json.RawMessage
	}
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	kinds := map[string]any{
		"Deployment": appsv1.Deployment{}, "DaemonSet": appsv1.DaemonSet{}, "Service": corev1.Service{},
		"HorizontalPodAutoscaler": autoscalingv2.HorizontalPodAutoscaler{},
		"PodDisruptionBudget":     policyv1.PodDisruptionBudget{},
	}
	results := make([]json.RawMessage, len(cases))
	for i, c := range cases {
		merged, err := strategicpatch.StrategicMergePatch(c.Object, c.Patch, kinds[c.Kind])
		if err != nil {
			merged = []byte("null")
		}
		results[i] = merged
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func kubernetes() {
	lines := map[string]string{}
	for _, root := range []any{
		apis.IstioOperator{}, appsv1.Deployment{}, appsv1.DaemonSet{}, corev1.Service{},
		autoscalingv2.HorizontalPodAutoscaler{}, policyv1.PodDisruptionBudget{}, corev1.TopologySpreadConstraint{},
		corev1.NodeSelector{}, metav1.LabelSelector{}, corev1.Lifecycle{}, corev1.SeccompProfile{},
	} {
		typeName(reflect.TypeOf(root), lines)
	}
	print(lines)
}

func print(lines map[string]string) {
	names := make([]string, 0, len(lines))
	for name := range lines {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name + lines[name])
	}
}

func typeName(t reflect.Type, lines map[string]string) string {
	if name, ok := opaque[t]; ok {
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem(), lines)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + typeName(t.Elem(), lines)
	case reflect.Map:
		return "{}" + typeName(t.Elem(), lines)
	case reflect.Interface:
		return "any"
	case reflect.Struct:
		name := t.Name()
		if _, ok := lines[name]; !ok {
			lines[name] = ""
			lines[name] = fields(t, lines)
		}
		return name
	default:
		return t.Kind().String()
	}
}

func fields(t reflect.Type, lines map[string]string) string {
	var b strings.Builder
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if f.Anonymous && name == "" {
			b.WriteString(fields(f.Type, lines))
			continue
		}
		b.WriteString(" " + name + ":" + typeName(f.Type, lines))
		if s := f.Tag.Get("patchStrategy"); s != "" {
			b.WriteString("~" + s)
		}
		if k := f.Tag.Get("patchMergeKey"); k != "" {
			b.WriteString("@" + k)
		}
	}
	return b.String()
}

func values() {
	lines := map[string]string{}
	for _, m := range []protoreflect.Message{(&apis.Values{}).ProtoReflect(), (&meshconfig.MeshConfig{}).ProtoReflect()} {
		message(m.Descriptor(), lines)
	}
	print(lines)
}

func message(d protoreflect.MessageDescriptor, lines map[string]string) string {
	name := string(d.FullName())
	if wellKnown, ok := strings.CutPrefix(name, "google.protobuf."); ok {
		return "=" + wellKnown
	}
	if _, ok := lines[name]; ok {
		return name
	}
	lines[name] = ""
	var b strings.Builder
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		b.WriteString(" " + f.JSONName())
		if string(f.Name()) != f.JSONName() {
			b.WriteString("|" + string(f.Name()))
		}
		b.WriteString(":")
		switch {
		case f.IsMap():
			b.WriteString("{" + f.MapKey().Kind().String() + "}" + fieldType(f.MapValue(), lines))
		case f.IsList():
			b.WriteString("[]" + fieldType(f, lines))
		default:
			b.WriteString(fieldType(f, lines))
		}
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
			b.WriteString("~" + string(o.Name()))
		}
	}
	lines[name] = b.String()
	return name
}

func fieldType(f protoreflect.FieldDescriptor, lines map[string]string) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return message(f.Message(), lines)
	case protoreflect.EnumKind:
		var names []string
		for i := range f.Enum().Values().Len() {
			v := f.Enum().Values().Get(i)
			names = append(names, fmt.Sprintf("%s=%d", v.Name(), v.Number()))
		}
		return "<" + strings.Join(names, ",") + ">"
	default:
		return f.Kind().String()
	}
}
