package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// goTests reads the tables of the installed tests of text/template: every composite literal in them that starts with a
// name and an input gives a case. Structs become maps, and what has no JSON form becomes null: Go then says what
// such a template prints with such data, so that every input counts.
func goTests() []Case {
	// runtime.GOROOT knows nothing in a program that was built with -trimpath
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		panic(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src", "text", "template")
	cases := []Case{}
	for _, name := range []string{"exec_test.go", "multi_test.go", "parse/parse_test.go", "parse/lex_test.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
		if err != nil {
			panic(err)
		}
		world := variables(file)
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.CompositeLit)
			if !ok || len(literal.Elts) < 2 {
				return true
			}
			title, ok1 := text(literal.Elts[0])
			input, ok2 := text(literal.Elts[1])
			if !ok1 || !ok2 {
				return true
			}
			var data any = world["tVal"]
			if len(literal.Elts) >= 4 {
				if value, ok := evaluate(literal.Elts[3], world); ok {
					data = value
				}
			}
			cases = append(cases, Case{Name: name + ": " + title, Template: input, Data: data, Ints: true})
			return true
		})
	}
	return cases
}

func variables(file *ast.File) map[string]any {
	world := map[string]any{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
			if value, ok := evaluate(spec.Values[0], world); ok {
				world[spec.Names[0].Name] = value
			}
		}
		return true
	})
	return world
}

func text(node ast.Expr) (string, bool) {
	switch n := node.(type) {
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			s, err := strconv.Unquote(n.Value)
			return s, err == nil
		}
	case *ast.BinaryExpr:
		left, ok1 := text(n.X)
		right, ok2 := text(n.Y)
		return left + right, ok1 && ok2 && n.Op == token.ADD
	}
	return "", false
}

func evaluate(node ast.Expr, world map[string]any) (any, bool) {
	switch n := node.(type) {
	case *ast.BasicLit:
		switch n.Kind {
		case token.STRING:
			return text(n)
		case token.INT:
			i, err := strconv.ParseInt(n.Value, 0, 64)
			return i, err == nil
		case token.FLOAT:
			f, err := strconv.ParseFloat(n.Value, 64)
			return f, err == nil
		}
	case *ast.Ident:
		switch n.Name {
		case "true", "false":
			return n.Name == "true", true
		case "nil":
			return nil, true
		}
		value, ok := world[n.Name]
		return value, ok
	case *ast.UnaryExpr:
		return evaluate(n.X, world)
	case *ast.CompositeLit:
		return composite(n, world)
	}
	return nil, false
}

func composite(n *ast.CompositeLit, world map[string]any) (any, bool) {
	list := []any{}
	entries := map[string]any{}
	for _, element := range n.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			value, _ := evaluate(element, world)
			list = append(list, value)
			continue
		}
		value, ok := evaluate(pair.Value, world)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok {
			entries[key.Name] = value
		} else if key, ok := text(pair.Key); ok {
			entries[key] = value
		}
	}
	if _, isList := n.Type.(*ast.ArrayType); isList {
		return list, true
	}
	return entries, true
}
