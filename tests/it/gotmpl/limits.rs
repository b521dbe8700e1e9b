//! Hostile templates end with an error: no panic, no hang, bounded memory.

use meshgen::gotmpl::{
    ErrorKind, Function, Functions, Options, Session, TemplateSet, Type, Value, on_stack,
};

fn run(template: &str) -> Result<String, meshgen::gotmpl::Error> {
    const SET: &[Function] = &[
        Function::new("set", &[Type::Map, Type::Str, Type::Any], |_, args| {
            let (Value::Map(map), Value::Str(key)) = (&args[0], &args[1]) else {
                return Err("bad".into());
            };
            map.set(key.clone(), args[2].clone())?;
            Ok(args[0].clone())
        }),
        Function::new("dict", &[], |_, _| Ok(Value::map([]))),
        Function::new("include", &[Type::Str, Type::Any], |exec, args| {
            let name = args[0].as_text().map(|text| text.to_str().into_owned()).unwrap_or_default();
            Ok(Value::Str(exec.call_template(
                &name,
                args[1].clone().unwrap_interface(),
                "include",
            )?))
        }),
    ];
    let mut functions = Functions::builtin();
    functions.add(SET);
    let mut set = TemplateSet::new(functions);
    on_stack(|| {
        set.parse("main", template)?;
        let data = Value::from_json(&serde_json::json!({"a": [1, 2, 3], "s": "text"}));
        let out = Session::new(Options::default()).execute(&set, "main", data)?;
        Ok(String::from_utf8(out).unwrap())
    })
    .expect("a thread")
}

fn refuses(template: &str) -> meshgen::gotmpl::Error {
    let error = run(template).expect_err("the template is hostile");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    error
}

#[test]
fn hostile_templates_reach_a_limit() {
    refuses("{{ define \"t\" }}{{ include \"t\" . }}{{ end }}{{ include \"t\" . }}");
    refuses("{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}");
    refuses(
        "{{ define \"t\" }}{{ if true }}{{ with . }}{{ range .a }}{{ include \"t\" $ }}{{ end }}{{ end }}{{ end }}{{ end }}{{ include \"t\" . }}",
    );
    refuses("{{ range 100000000000 }}{{ end }}");
    refuses("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}");
    refuses("{{ range 100000000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}");
    refuses("{{ $x := \"ab\" }}{{ range 100 }}{{ $x = printf \"%s%s\" $x $x }}{{ end }}");
    refuses(
        "{{ $x := \"ab\" }}{{ range 100000 }}{{ $x = print $x \"0123456789012345678901234567890123456789\" }}{{ end }}",
    );
    refuses("{{ range 100000 }}{{ $x := printf \"%999999d\" 1 }}{{ end }}");
    refuses("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}");
    refuses(
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $_ := set $d \"e\" $d }}{{ printf \"%v\" $d }}",
    );
    refuses(
        "{{ $x := dict }}{{ range 5000 }}{{ $y := dict }}{{ $_ := set $y \"x\" $x }}{{ $x = $y }}{{ end }}{{ $x }}",
    );
    refuses(&format!("{{{{ {}1{} }}}}", "(".repeat(5_000), ")".repeat(5_000)));
    refuses(&"{{ if true }}".repeat(100_000));
    assert_eq!(run("{{ printf \"%999999999d\" 1 }}").unwrap(), "%!(NOVERB)%!(EXTRA int=1)");
}

#[test]
fn deep_values_are_dropped_without_recursion() {
    let out = run(
        "{{ $x := dict }}{{ range 300000 }}{{ $y := dict }}{{ $_ := set $y \"x\" $x }}{{ $x = $y }}{{ end }}ok",
    );
    assert_eq!(out.unwrap(), "ok");
}

#[test]
fn nesting_that_charts_have_is_fine() {
    let deep =
        format!("{}x{}", "{{ if true }}{{ with . }}".repeat(300), "{{ end }}{{ end }}".repeat(300));
    assert_eq!(run(&deep).unwrap(), "x");
    let define = "{{ define \"t\" }}{{ if lt (len .) 900 }}{{ with . }}{{ if true }}{{ include \"t\" (print . \"x\") }}{{ end }}{{ end }}{{ else }}end{{ end }}{{ end }}";
    assert_eq!(run(&format!("{define}{{{{ include \"t\" \"x\" }}}}")).unwrap(), "end");
}

#[test]
fn errors_are_drawn_with_their_place() {
    let error =
        run("first\n  {{ .s | len }} {{ define \"t\" }}{{ .s.x }}{{ end }}\n{{ include \"t\" . }}")
            .unwrap_err();
    assert_eq!(
        error.draw(),
        "error: can't evaluate field x in type interface {}\n --> main:2:37\n  |\n2 |   {{ .s | len }} {{ define \"t\" }}{{ .s.x }}{{ end }}\n  |                                     ^^^^\n  = called by `include` at main:3:4\n"
    );
    let error = run("{{ nofunc 1 }}").unwrap_err();
    assert_eq!((error.kind(), error.place().unwrap().column()), (ErrorKind::UnknownFunction, 4));
}
