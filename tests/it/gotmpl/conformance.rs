//! The engine against Go's own.

use serde_json::{Value as Json, json};

use super::oracle::{ask, compare, functions, report};
use crate::tool;

#[test]
fn go_tests() {
    let Some(go) = tool::path("gotemplate") else { return };
    let cases = ask(&go, "gotests", &json!([]));
    report("cases of Go's tests", &compare(&go, cases.as_array().unwrap(), &functions()));
}

#[test]
#[expect(clippy::unreadable_literal, reason = "numbers as charts have them")]
fn printf() {
    let Some(go) = tool::path("gotemplate") else { return };
    let values = json!([
        null, true, false, 0, 1, -1, 42, -17, 123456789, 1114111, 128512, 0.5, -0.25, 3.0, 1e6, 1e20, 1e21, 123456.789, 1e-5, 0.0001,
        1.7976931348623157e308, 5e-324, "", "a", "héllo", "日本", "a\"b\\c\n", "\u{7f}\u{85}\u{200b}", "`tick`",
        [], [1, "a", null], ["x", [2.5]], {}, {"k": 1, "a": "b"}, {"n": null}
    ]);
    let flags = ["", "-", "+", "#", "0", " ", "+0", "-0", "# ", "+#"];
    let sizes = ["", "8", "3", ".0", ".1", ".3", "10.4", "08.2", ".12", "1", "."];
    let verbs = "vdsqxXobOceEfFgGtTUpzw%bx";
    let mut cases = Vec::new();
    for flag in flags {
        for size in sizes {
            for verb in verbs.chars().filter(|verb| *verb != 'p') {
                let parts: Vec<String> = (0..values.as_array().unwrap().len())
                    .map(|index| {
                        format!("{{{{ printf \"%{flag}{size}{verb}\" (index .v {index}) }}}}|")
                    })
                    .collect();
                let template = parts.concat();
                cases.push(json!({"name": "printf", "template": template, "data": {"v": values}, "ints": true}));
            }
        }
    }
    report("printf verbs", &compare(&go, &cases, &functions()));
}

#[test]
fn printf_formats() {
    let Some(go) = tool::path("gotemplate") else { return };
    let formats = [
        "%[2]d %[1]d",
        "%[3]d",
        "%[1]",
        "%[0]d",
        "%[x]d",
        "%[2]*[1]d",
        "%*d",
        "%-*d",
        "%.*f",
        "%[1]*.[2]*f",
        "%[1]2d",
        "%!",
        "%",
        "%%",
        "%d%",
        "%5%",
        "%-5d|",
        "%1000001d",
        "%.1000001d",
        "%d %d %d %d",
        "%",
        "a%zb",
        "%é",
        "%.d",
        "%.",
        "%6.",
        "%v %v",
        "%[2]v",
        "%s",
        "no verbs",
        "%[1]v%[1]v",
        "% d",
        "%+.3e",
        "%c%c",
        "%[2]c %U %#U",
        "%08b",
        "%x %X %#x",
    ];
    let args = [
        "",
        "1 2",
        "1 2 3",
        "\"a\"",
        "5 42.5",
        "\"a\" nil",
        "-7 3",
        "true 'x'",
        "1.5 2 \"z\"",
        "-5 5",
    ];
    let mut cases = Vec::new();
    for format in formats {
        for args in args {
            let template = format!("{{{{ printf {format:?} {args} }}}}");
            cases.push(json!({"name": "format", "template": template, "data": null}));
        }
    }
    report("printf formats", &compare(&go, &cases, &functions()));
}

#[test]
fn comparisons() {
    let Some(go) = tool::path("gotemplate") else { return };
    let values = [
        "nil",
        ".n",
        ".none",
        "true",
        "1",
        "-1",
        "1.0",
        "\"a\"",
        "\"\"",
        ".f",
        ".i",
        ".s",
        ".l",
        ".m",
        ".l2",
        "'a'",
        "(len .s)",
        "(index .s 0)",
        ".m.x",
    ];
    let mut cases = Vec::new();
    for function in
        ["eq", "ne", "lt", "le", "gt", "ge", "and", "or", "print", "println", "index", "slice"]
    {
        for left in values {
            for right in values {
                cases.push(json!({"name": "compare", "template": format!("{{{{ {function} {left} {right} }}}}"), "data": data()}));
            }
        }
    }
    for function in [
        "not", "len", "index", "slice", "html", "js", "urlquery", "print", "println", "call", "eq",
        "and",
    ] {
        for value in values {
            let template = format!("{{{{ {function} {value} }}}}|{{{{ {value} | {function} }}}}");
            cases.push(json!({"name": "unary", "template": template, "data": data()}));
            let template = format!(
                "{{{{ if {value} }}}}T{{{{ else }}}}F{{{{ end }}}}{{{{ with {value} }}}}{{{{ . }}}}{{{{ else }}}}F{{{{ end }}}}{{{{ range {value} }}}}[{{{{.}}}}]{{{{ else }}}}E{{{{ end }}}}"
            );
            cases.push(json!({"name": "control", "template": template, "data": data()}));
            let template = format!(
                "{{{{ range $i, $x := {value} }}}}[{{{{$i}}}}{{{{$x}}}}]{{{{ else }}}}E{{{{ end }}}}"
            );
            cases.push(json!({"name": "control", "template": template, "data": data()}));
        }
    }
    for missing in ["default", "zero", "error"] {
        for path in [
            ".none",
            ".none.a",
            ".n",
            ".n.a",
            "(.n).a",
            "(.none).a",
            ".m.x.y",
            ".m.none.z",
            "$.none.a",
            ".s.a",
            ".l.a",
            ".m.sub.a.b",
            "(.m).none",
            "(index .m \"none\").x",
            "index .m \"none\" \"x\"",
            "(index .l 2).x",
        ] {
            let template = format!(
                "{{{{ {path} }}}}|{{{{ with $x := {path} }}}}{{{{ $x }}}}{{{{ else }}}}none{{{{ end }}}}|{{{{ range .l }}}}{{{{ . }}}}{{{{ end }}}}|{{{{ print {path} }}}}"
            );
            cases.push(json!({"name": "missing", "template": template, "data": data(), "missingKey": missing}));
            let template = format!(
                "{{{{ range .l }}}}{{{{ .x }}}}{{{{ end }}}}{{{{ printf \"%s\" {path} }}}}"
            );
            cases.push(json!({"name": "missing", "template": template, "data": data(), "missingKey": missing}));
        }
    }
    report("comparisons", &compare(&go, &cases, &functions()));
}

fn data() -> Json {
    json!({"n": null, "f": 1.5, "i": 3.0, "s": "a<b>&'\"", "l": [1, "x", null], "l2": [], "m": {"x": "y", "sub": {"a": "q"}}})
}

#[test]
fn syntax() {
    let Some(go) = tool::path("gotemplate") else { return };
    let inputs = [
        "{{/* c */}}x",
        "a {{- /* c */ -}} b",
        "{{- 3 -}}",
        "{{-3}}",
        "{{- -3 -}}",
        "x {{- 3}} y",
        "{{3 -}} y",
        "{{ 3 -}}\n\n y",
        "{{/* a */ }}",
        "{{ /* a */}}",
        "{{- /*a*/}}",
        "{{/*",
        "{{",
        "{{ ",
        "{{}}",
        "{{ }}",
        "{{ | }}",
        "{{ 1 | }}",
        "{{ $x := 1 }}{{ $x }}",
        "{{ $x }}",
        "{{ $x = 1 }}",
        "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}",
        "{{ range $i, $x := .l }}{{ $i }}{{ $x }}{{ end }}{{ $i }}",
        "{{ range $i, $x = .l }}{{ end }}",
        "{{ $a := 1 }}{{ $b := 1 }}{{ range $a, $b = .l }}{{ end }}{{ $a }}{{ $b }}",
        "{{ range $a, $b, $c := .l }}{{ end }}",
        "{{ $a, $b := .l }}",
        "{{ with $a, $b := .l }}{{end}}",
        "{{ range $a, := .l }}{{ end }}",
        "{{ range $a, 1 }}{{ end }}",
        "{{ range .l }}{{ break }}{{ end }}x",
        "{{ range .l }}{{ continue }}a{{ end }}x",
        "{{ break }}",
        "{{ continue }}",
        "{{ range .l }}{{ if . }}{{ break }}{{ end }}{{ else }}{{ break }}{{ end }}",
        "{{ break 1 }}",
        "{{ if true }}a{{ else if false }}b{{ else }}c{{ end }}",
        "{{ if false }}a{{ else if true }}b{{ else }}c{{ end }}",
        "{{ if false }}a{{ else if false }}b{{ else }}c{{ end }}",
        "{{ with nil }}{{ end }}",
        "{{ with .none }}a{{ else with .s }}b{{ . }}{{ else }}c{{ end }}",
        "{{ if true }}{{ else with .s }}{{ end }}",
        "{{ with .s }}{{ else if true }}{{ end }}",
        "{{ if .s }}a{{ else }}b{{ else }}c{{ end }}",
        "{{ if 1 }}",
        "{{ end }}",
        "{{ else }}",
        "{{ if }}{{ end }}",
        "{{ if true }}x{{ end }}{{ end }}",
        "{{ define \"t\" }}T{{ . }}{{ end }}{{ template \"t\" .s }}",
        "{{ define \"t\" }}1{{ end }}{{ define \"t\" }}2{{ end }}",
        "{{ define \"t\" }}1{{ end }}{{ define \"t\" }} {{ end }}{{ template \"t\" }}",
        "{{ define \"t\" }}{{ define \"u\" }}{{ end }}{{ end }}",
        "{{ if true }}{{ define \"t\" }}{{ end }}{{ end }}",
        "{{ template \"none\" }}",
        "{{ template none }}",
        "{{ template \"t\" 1 2 }}",
        "{{ block \"b\" .s }}[{{ . }}]{{ end }}",
        "{{ block \"b\" }}{{ end }}",
        "{{ range .l }}{{ block \"b\" . }}{{ break }}{{ end }}{{ end }}",
        "{{ $x := 1 }}{{ block \"b\" . }}{{ $x }}{{ end }}",
        "{{ template \"main\" }}{{ define \"main\" }}x{{ end }}",
        "{{ define \"t\" }}{{ $ }}{{ end }}{{ template \"t\" 5 }}{{ template \"t\" }}",
        "{{ define }}{{ end }}",
        "{{ define 1 }}{{ end }}",
        "{{ define \"x\" 1 }}{{ end }}",
        "{{ define `raw` }}r{{ end }}{{ template \"raw\" }}",
        "{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 017 }} {{ 1_000 }} {{ 0x_1F }} {{ 1e3 }} {{ 1e3 | printf \"%T\" }} {{ 'a' }} {{ '\\n' }} {{ '\\x41' }} {{ '\\u65e5' }} {{ '日' }} {{ 0x1p4 }} {{ .5 }} {{ 1. }} {{ +5 }} {{ -0x10 }}",
        "{{ 1__0 }}",
        "{{ _1 }}",
        "{{ 1_ }}",
        "{{ 08 }}",
        "{{ 0x }}",
        "{{ 0xG }}",
        "{{ 1e }}",
        "{{ 1e+ }}",
        "{{ 0b2 }}",
        "{{ 0o8 }}",
        "{{ 9223372036854775807 }}",
        "{{ 9223372036854775808 }}",
        "{{ -9223372036854775808 }}",
        "{{ 18446744073709551616 }}",
        "{{ 1e400 }}",
        "{{ 1e19 }}",
        "{{ 'ab' }}",
        "{{ '' }}",
        "{{ 'a }}",
        "{{ '\\q' }}",
        "{{ 1a }}",
        "{{ --1 }}",
        "{{ 1.2.3 }}",
        "{{ 09.5 }}",
        "{{ 0x1.8p1 }}",
        "{{ 0x1.8 }}",
        "{{ 1_0.5 }}",
        "{{ 0x_1p-2 }}",
        "{{ \"a\\tb\\x41\\101\\u00e9\\U0001F600\\\"\" }}",
        "{{ \"\\q\" }}",
        "{{ \"a }}",
        "{{ \"a\nb\" }}",
        "{{ `a\nb\"` }}",
        "{{ `a }}",
        "{{ \"\\'\" }}",
        "{{ \"\\xff\" }}",
        "{{ \"\\400\" }}",
        "{{ \"\\ud800\" }}",
        "{{ `a\r\nb` }}",
        "{{ .s.t.u }}",
        "{{ .m.sub.a }}",
        "{{ (.m).sub.a }}",
        "{{ (.m.sub).a }}",
        "{{ $.m.sub.a }}",
        "{{ $y := .m }}{{ $y.sub.a }}",
        "{{ .m .sub }}",
        "{{ .m. sub }}",
        "{{ . }}",
        "{{ .. }}",
        "{{ .m..sub }}",
        "{{ $.m }}",
        "{{ $m.sub }}",
        "{{ nil }}",
        "{{ nil.x }}",
        "{{ (nil).x }}",
        "{{ true.x }}",
        "{{ 1.x }}",
        "{{ \"a\".x }}",
        "{{ ..x }}",
        "{{ (1).x }}",
        "{{ print.x }}",
        "{{ print .x.y.z }}",
        "{{ print 1 | print 2 | print 3 }}",
        "{{ 1 | print }}",
        "{{ print | 1 }}",
        "{{ print | .x }}",
        "{{ .s | .m }}",
        "{{ 1 | nil }}",
        "{{ print (print (print 1)) }}",
        "{{ (print 1 | print 2) | print 3 }}",
        "{{ print (1 }}",
        "{{ print 1) }}",
        "{{ ((((1)))) }}",
        "{{ () }}",
        "{{ print () }}",
        "{{ (print) }}",
        "{{ print print }}",
        "{{ print len }}",
        "{{ len len }}",
        "{{ nofunc }}",
        "{{ nofunc 1 }}",
        "{{ .s 1 }}",
        "{{ $ 1 }}",
        "{{ true 1 }}",
        "{{ 1 2 }}",
        "{{ \"a\" 1 }}",
        "{{ (1) 2 }}",
        "{{ len }}",
        "{{ len 1 2 }}",
        "{{ not }}",
        "{{ eq 1 }}",
        "{{ eq }}",
        "{{ index }}",
        "{{ printf }}",
        "{{ printf 1 }}",
        "{{ printf nil }}",
        "{{ printf .f }}",
        "{{ printf .s }}",
        "{{ 1 | printf \"%d\" }}",
        "{{ and }}",
        "{{ or }}",
        "{{ and 1 0 2 }}",
        "{{ or 0 \"\" .l2 3 }}",
        "{{ and true .n.x }}",
        "{{ and false .n.x }}",
        "{{ or true .n.x }}",
        "{{ 5 | and 1 }}",
        "{{ 0 | or 0 }}",
        "{{ nil | print }}",
        "{{ range 3 }}{{ . }}{{ end }}",
        "{{ range $i := 3 }}{{ $i }}{{ end }}",
        "{{ range $i, $j := 3 }}{{ end }}",
        "{{ range 0 }}{{ else }}e{{ end }}",
        "{{ range -1 }}{{ else }}e{{ end }}",
        "{{ range 1.5 }}{{ end }}",
        "{{ range \"abc\" }}{{ end }}",
        "{{ range $k, $v := .m }}{{ $k }}={{ $v }};{{ end }}",
        "{{ range true }}{{ end }}",
        "{{ range nil }}{{ end }}",
        "{{ range .n }}a{{ else }}b{{ end }}",
        "{{ range $x := .l }}{{ $x }},{{ end }}",
        "{{ range $x := .l }}{{ $x := 5 }}{{ $x }}{{ end }}",
        "{{ range (len .s) }}{{ printf \"%T\" . }}{{ end }}",
        "{{ range (index .s 0) }}x{{ end }}",
        "{{ or true ($z := 1) }}{{ $z }}",
        "{{ ($z := 1) }}{{ $z }}",
        "{{ if ($z := 1) }}{{ $z }}{{ end }}",
        "{{ $z := ($y := 2) }}{{ $y }}{{ $z }}",
        "{{ template \"t\" ($q := 1) }}{{ $q }}{{ define \"t\" }}{{ end }}",
        "{{ # }}",
        "{{ a,b }}",
        "{{ é }}",
        "{{ \u{1} }}",
        "{{ .é }}",
        "{{ $é := 1 }}{{ $é }}",
        "{{ .s, }}",
        "{{ , }}",
        "{{ : }}",
        "{{ := }}",
        "{{ $x : = 1 }}",
        "{{ $x:=1 }}{{$x}}",
        "{{$x := 1}}{{$x=2}}{{$x}}",
        "{{ $ }}",
        "{{ $ := 1 }}{{ $ }}",
        "{{ $x := }}",
        "{{ .x := 1 }}",
        "{{ } }}",
        "{{ { }}",
        "{{{{ }}",
        "}}",
        "{{ 1 }} }}",
        "{{1}}}}",
        "a{{",
        "{{\n1\n}}",
        "{{ print\n 1\n 2 }}",
        "{{ print 1\t2 }}",
        "{{1|print}}",
        "{{print(1)}}",
        "{{print 1(2)}}",
        "{{print (1)(2)}}",
        "{{print\"a\"}}",
        "{{print `a`\"b\"}}",
        "{{ .s.}}",
        "{{ with 1 }}{{ . }}{{ $ }}{{ end }}",
        "{{ with $x := 2 }}{{ . }}{{ $x }}{{ end }}{{ $x }}",
        "{{ index .l 0 }}{{ index .l 5 }}",
        "{{ index .l -1 }}",
        "{{ index .l \"a\" }}",
        "{{ index .m 1 }}",
        "{{ index .m nil }}",
        "{{ index nil 1 }}",
        "{{ index 1 1 }}",
        "{{ index 1 }}",
        "{{ index .s 1 }}",
        "{{ slice .s 1 3 }}",
        "{{ slice .s 3 1 }}",
        "{{ slice .s 0 99 }}",
        "{{ slice .s 1 2 3 }}",
        "{{ slice .l 1 }}",
        "{{ slice .l 1 2 3 }}",
        "{{ slice .l 1 2 3 4 }}",
        "{{ slice .m }}",
        "{{ index .l 3 }}",
        "{{ .f }} {{ .i }}",
        "{{ include \"t\" . }}{{ define \"t\" }}{{ .s }}{{ end }}",
        "{{ include \"none\" . }}",
        "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ if false }}{{ template \"r\" }}{{ end }}ok",
        "{{ $x := 1 }}{{ with $x = 2 }}{{ end }}{{ $x }}",
        "{{ break := 1 }}",
        "{{ end 1 }}",
        "{{ else 1 }}",
        "{{ if 1 }}{{ else 1 }}{{ end }}",
        "{{ range }}{{ end }}",
        "{{ template }}",
        "{{ block }}",
        "{{ with }}{{ end }}",
        "{{ .m | len }}",
        "{{ .m.sub | index | print }}",
        "{{ html \"<a&'\\\"\\x00>\" }}{{ js \"<a&'\\\"=\\n日\\u0085\" }}{{ urlquery \"a b&c=日/\" }}",
        "{{ print nil nil }}{{ print 1 2 \"a\" 3 \"b\" \"c\" 4 5 }}{{ println 1 \"a\" nil }}",
    ];
    let mut cases: Vec<Json> = inputs
        .iter()
        .map(|input| json!({"name": "syntax", "template": input, "data": data()}))
        .collect();
    for input in inputs {
        cases.push(json!({"name": "syntax-null", "template": input, "data": null}));
        cases.push(json!({"name": "syntax-error", "template": format!(" x {input} y "), "data": data(), "missingKey": "error"}));
    }
    report("syntax", &compare(&go, &cases, &functions()));
}
