//! Every function of charts against Helm and sprig themselves.

use meshgen::helm::{Capabilities, Chart, File, Release, Request, render};
use serde_json::{Value as Json, json};

use crate::gotmpl::oracle::{Outcome, Tally, ask, difference, report, theirs};
use crate::tool;

fn file(path: &str, data: &[u8]) -> File {
    File { path: path.into(), data: data.to_vec() }
}

/// Renders a template in a chart like the one that the oracle makes.
fn ours(case: &Json) -> Outcome {
    let template = case["template"].as_str().unwrap();
    let chart = Chart::from_folder(vec![
        file("Chart.yaml", b"apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"4.5\"\n"),
        file("templates/t.yaml", template.as_bytes()),
        file("templates/_lib.tpl", br#"{{ define "lib" }}<{{ . }}>{{ end }}"#),
        file("a.txt", b"one\ntwo\n"),
        file("conf/b.txt", b"b: <1>"),
        file("conf/sub/c.bin", &[0, 255, 10]),
    ])
    .unwrap();
    let request = Request {
        values: case["data"].as_object().cloned().unwrap_or_default(),
        release: Release {
            name: "rel".into(),
            namespace: "ns".into(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        capabilities: Capabilities::default(),
        integers: false,
        skip_schema: false,
        strict: false,
        limits: meshgen::gotmpl::Limits::default(),
    };
    match render(&chart, &request) {
        Ok(rendered) => Outcome::Out(rendered.files["c/templates/t.yaml"].clone()),
        Err(error) => Outcome::Error { parse: false, text: error.to_string() },
    }
}

fn compare(title: &str, cases: &[Json]) {
    if let Some(tally) = tally(cases) {
        report(title, &tally);
    }
}

/// `None` where there is no Go.
fn tally(cases: &[Json]) -> Option<Tally> {
    let helm = tool::path("helmlib")?;
    let results = ask(&helm, "run", &json!(cases));
    let mut tally = Tally::default();
    for (case, result) in cases.iter().zip(results.as_array().unwrap()) {
        let (ours, theirs) = (ours(case), theirs(result));
        match (&ours, &theirs) {
            (Outcome::Out(left), Outcome::Out(right)) if left == right => tally.equal += 1,
            (Outcome::Error { .. }, Outcome::Error { .. }) => tally.both_refuse += 1,
            _ => tally.unequal.push(format!(
                "{}\n   {}",
                case["template"].as_str().unwrap().chars().take(160).collect::<String>(),
                difference(&shown(&ours), &shown(&theirs))
            )),
        }
    }
    Some(tally)
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Out(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        Outcome::Error { text, .. } => format!("error: {text}"),
    }
}

fn data() -> Json {
    json!({
        "n": null, "f": 1.5, "i": 3.0, "big": 1e6, "neg": -2.7, "s": "Hello World", "e": "", "t": true, "z": 0.0,
        "l": [1.0, "x", null, [2.0], {"k": "v"}], "l0": [], "ls": ["b", "a", "c10", "a"], "m": {"a": 1.0, "b": {"c": "d"}, "n": null}, "m0": {},
        "m2": {"a": 0.0, "b": {"c": "", "e": [1.0]}, "l": ["q"], "z": "new"}, "u": "héllo wörld ß Ǆ 日本", "v": "v1.20.3-beta.1+b5", "y": "a: 1\nb: [x, y]\n"
    })
}

/// Values of every type, as they stand in a template.
const ANY: &[&str] = &[
    ".Values.n",
    ".Values.f",
    ".Values.i",
    ".Values.s",
    ".Values.e",
    ".Values.t",
    ".Values.l",
    ".Values.l0",
    ".Values.ls",
    ".Values.m",
    ".Values.m0",
    "1",
    "-7",
    "2.5",
    "\"12\"",
    "\"0x1F\"",
    "\"1.50\"",
    "\"abc\"",
    "true",
    "nil",
    "(list)",
    "(dict)",
    "(list 1 \"a\")",
    "(int64 5)",
    "(until 3)",
    "(splitList \",\" \"a,b\")",
    "(.Files.GetBytes \"a.txt\")",
    ".Values.none",
    "(split \"-\" \"x-y\")",
];
const STR: &[&str] = &[
    ".Values.s",
    ".Values.e",
    ".Values.u",
    "\"abc\"",
    "\"a\"",
    "\"  x y \"",
    "\"FooBar_baz-qux10HTTPServer x\"",
    "\"10\"",
    "\"o\"",
    "\"a/b/../c.tar.gz\"",
    "\"l\"",
];
const INT: &[&str] = &["0", "1", "3", "-1", "-4", "7", "100"];
const MAP: &[&str] = &[
    ".Values.m",
    ".Values.m0",
    "(dict \"a\" 1 \"z\" (list 1))",
    ".Values.m2",
    "(dict \"a\" (dict \"b\" 1) \"b\" .Values.n)",
    ".Values.n",
    "nil",
];

fn pool(kind: &str) -> &'static [&'static str] {
    match kind {
        "string" => STR,
        "int" => INT,
        "bool" => &["true", "false", ".Values.t", ".Values.n"],
        "float64" => &["0.5", "0.3"],
        "map[string]interface {}" => MAP,
        _ => ANY,
    }
}

const IMPURE: &[&str] = &[
    "now",
    "ago",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randNumeric",
    "randBytes",
    "randInt",
    "shuffle",
    "uuidv4",
    "bcrypt",
    "htpasswd",
    "encryptAES",
    "genPrivateKey",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "env",
    "expandenv",
    "getHostByName",
];
/// Their cases are written by hand below.
const SPECIAL: &[&str] = &[
    "fail",
    "derivePassword",
    "decryptAES",
    "buildCustomCert",
    "date",
    "dateInZone",
    "date_in_zone",
    "htmlDate",
    "htmlDateInZone",
    "durationRound",
    "dateModify",
    "date_modify",
    "mustDateModify",
    "must_date_modify",
    "unixEpoch",
    "toDate",
    "mustToDate",
    "keys",
    "values",
    "semver",
    "regexMatch",
    "regexFind",
    "regexFindAll",
    "regexReplaceAll",
    "regexReplaceAllLiteral",
    "regexSplit",
    "mustRegexMatch",
    "mustRegexFind",
    "mustRegexFindAll",
    "mustRegexReplaceAll",
    "mustRegexReplaceAllLiteral",
    "mustRegexSplit",
    "semverCompare",
    "fromJson",
    "repeat",
    "abbrevboth",
    "urlParse",
    "urlJoin",
];

fn shows(call: &str) -> Json {
    let template = format!(
        "{{{{ $r := {call} }}}}{{{{ printf \"%T|%v|%#v\" $r $r $r }}}}|{{{{ toJson $r }}}}|{{{{ toJson .Values.m }}}}"
    );
    json!({"name": call, "template": template, "data": data()})
}

/// Calls every pure function of sprig with arguments from all pools.
#[test]
fn sprig_in_bulk() {
    let Some(plain) = tool::path("gotemplate") else { return };
    let signatures = ask(&plain, "signatures", &json!([]));
    let mut cases = Vec::new();
    let mut names = 0;
    for line in signatures.as_array().unwrap() {
        let (name, signature) = line.as_str().unwrap().split_once(' ').unwrap();
        if IMPURE.contains(&name) || SPECIAL.contains(&name) {
            continue;
        }
        names += 1;
        let params = signature.strip_prefix("func(").unwrap().split(')').next().unwrap();
        let params: Vec<&str> = params.split(", ").filter(|param| !param.is_empty()).collect();
        let variadic = params.last().is_some_and(|last| last.starts_with("..."));
        let pools: Vec<&[&str]> =
            params.iter().map(|param| pool(param.trim_start_matches("..."))).collect();
        let counts = if variadic {
            vec![pools.len() - 1, pools.len(), pools.len() + 1]
        } else {
            vec![pools.len()]
        };
        for count in counts {
            let pools: Vec<&[&str]> =
                (0..count).map(|index| pools[index.min(pools.len() - 1)]).collect();
            let all: usize = pools.iter().map(|pool| pool.len()).product();
            // Too many to run them all: a fixed stride takes a part that visits every value.
            let stride = (all / 350).max(1) | 1;
            let mut index = 0;
            while index < all {
                let mut rest = index;
                let args: Vec<&str> = pools
                    .iter()
                    .map(|pool| {
                        let arg = pool[rest % pool.len()];
                        rest /= pool.len();
                        arg
                    })
                    .collect();
                // A map in itself overflows Go's stack.
                let is_cycle = name == "set" && args[0] == args[2];
                if !is_cycle {
                    cases.push(shows(&format!("{name} {}", args.join(" "))));
                }
                index += stride;
            }
        }
    }
    println!("{names} functions");
    compare("calls of sprig functions", &cases);
}

#[test]
fn helm_functions() {
    let mut cases = Vec::new();
    for function in [
        "toYaml",
        "mustToYaml",
        "toJson",
        "toPrettyJson",
        "toRawJson",
        "toToml",
        "mustToJson",
        "toYamlPretty",
    ] {
        for value in ANY.iter().chain(&[
            ".Values",
            ".Values.u",
            ".Values.y",
            ".Release",
            ".Chart",
            "$.Template",
            ".Values.big",
            ".Values.neg",
            ".Values.m2",
        ]) {
            cases.push(json!({"name": function, "template": format!("{{{{ {function} {value} }}}}"), "data": data()}));
        }
    }
    let texts = [
        "",
        "a: 1",
        "a: [1, 2.5, x]",
        "- 1\n- a",
        "a: 1\na: 2",
        "x",
        "1",
        "null",
        "~",
        "{a: {b: c}}",
        "a: yes\nb: 0644\nc: 1_000\nd: 1e3\ne: 0x1f\nf: 12:30\ng: 2001-01-01",
        "a:\n\tb",
        "a: b: c",
        "[",
        "{\"a\": 1}",
        "{\"a\": 1.5e3, \"b\": [true, null]}",
        "[1, {\"x\": 2}]",
        "a = 1\n[b]\nc = \"d\"\n[[e]]\nf = 1.5\n[[e]]\ng = [1, 2]",
        "a: &x 1\nb: *x",
        "a: |\n  x\n  y\nb: >-\n  p\n  q\n",
        "--- \na: 1\n---\nb: 2",
        "a: !!str 1",
        "1: 2\ntrue: 3",
        "? a\n: b",
        "a: 123456789012345678901",
        "a: 9007199254740993",
        "a: .5\nb: +1\nc: -0\nd: 1.0",
    ];
    for function in
        ["fromYaml", "fromYamlArray", "fromJson", "fromJsonArray", "fromToml", "mustFromJson"]
    {
        for text in texts {
            // The words of an error are not compared, only that there is one.
            let template = format!(
                "{{{{ $r := {function} {text:?} }}}}{{{{ if kindIs \"map\" $r }}}}{{{{ if hasKey $r \"Error\" }}}}error{{{{ else }}}}{{{{ toJson $r }}}}{{{{ end }}}}{{{{ else if and $r (kindIs \"slice\" $r) (kindIs \"string\" (first $r)) (ne \"a\" (first $r)) }}}}error{{{{ else }}}}{{{{ toJson $r }}}}{{{{ end }}}}"
            );
            cases.push(json!({"name": function, "template": template, "data": data()}));
        }
    }
    let templates = [
        "{{ include \"lib\" .Values.s }}{{ include \"lib\" .Values | len }}",
        "{{ include \"none\" . }}",
        "{{ tpl \"{{ .Values.s }}{{ include \\\"lib\\\" 1 }}\" . }}",
        "{{ tpl \"{{ define \\\"q\\\" }}Q{{ . }}{{ end }}{{ include \\\"q\\\" 2 }}\" . }}",
        "{{ tpl \"{{\" . }}",
        "{{ tpl \"{{ nofunc }}\" . }}",
        "{{ tpl \"x{{ .Values.none }}y\" . }}{{ tpl \"  \" . }}|{{ tpl \"{{ tpl .Values.y . }}\" . }}",
        "{{ required \"need\" .Values.none }}",
        "{{ required \"need\" .Values.e }}",
        "{{ required \"need\" .Values.s }}{{ required \"need\" .Values.z }}",
        "{{ fail \"no\" }}",
        "{{ lookup \"v1\" \"Pod\" \"a\" \"b\" | toJson }}{{ (lookup \"v1\" \"Pod\" \"\" \"\").items }}",
        "{{ .Values.none }}|{{ .Values.none.x }}",
        "{{ (.Values.none).x }}|{{ .Values.n }}|{{ .None }}",
        "{{ .Release | toJson }}{{ .Release.Name }}{{ .Release.Revision }}{{ .Release.Service }}",
        "{{ .Chart | toJson }}",
        "{{ .Chart.Name }}{{ .Chart.Version }}{{ .Chart.AppVersion }}{{ .Chart.Nope }}{{ .Chart.IsRoot }}",
        "{{ .Template.Name }} {{ .Template.BasePath }}",
        "{{ .Files.Get \"a.txt\" }}{{ .Files.Get \"none\" }}|{{ (.Files.Glob \"conf/*\").AsConfig }}|{{ (.Files.Glob \"**\").AsSecrets }}|{{ .Files.Lines \"a.txt\" }}|{{ .Files.Lines \"no\" }}",
        "{{ range $p, $b := .Files.Glob \"conf/**\" }}{{ $p }}={{ $b }}{{ $b | toString | len }};{{ end }}",
        "{{ range $p, $_ := .Files }}{{ $p }};{{ end }}{{ len .Files }}{{ typeOf .Files }}{{ kindOf .Files }}",
        "{{ index .Files \"a.txt\" | toString }}{{ .Files.AsConfig }}",
        "{{ .Files.Nope }}",
        "{{ .Files.Get }}",
        "{{ .Files.Get 1 }}",
        "{{ .Files.Glob \"{a,conf/b}.txt\" | len }}{{ .Files.Glob \"*.txt\" | len }}{{ .Files.Glob \"conf/?.txt\" | len }}{{ .Files.Glob \"**.bin\" | len }}{{ .Files.Glob \"[a-b].txt\" | len }}{{ .Files.Glob \"[\" | len }}{{ .Files.Glob \"conf\" | len }}{{ .Files.Glob \"[!a].txt\" | len }}",
        "{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }}",
        "{{ .Capabilities.APIVersions.Has \"apps/v1\" }}{{ .Capabilities.APIVersions.Has \"nope/v1\" }}{{ len .Capabilities.APIVersions }}{{ has \"v1\" .Capabilities.APIVersions }}",
        "{{ range .Capabilities.APIVersions }}{{ . }} {{ end }}",
        "{{ .Capabilities.HelmVersion.Version }}{{ typeOf .Capabilities }}{{ typeOf .Capabilities.KubeVersion }}{{ typeOf .Capabilities.APIVersions }}",
        "{{ printf \"%s\" .Capabilities.KubeVersion.Version }}{{ semverCompare \">=1.20-0\" .Capabilities.KubeVersion.Version }}{{ quote .Capabilities.KubeVersion }}",
        "{{ .Capabilities.Nope }}",
        "{{ typeOf .Values }}{{ typeOf . }}{{ kindOf .Values }}{{ typeOf .Release }}{{ typeOf .Chart }}{{ typeOf .Subcharts }}{{ typeOf .Template }}",
        "{{ .Values.Table \"m.b\" | toJson }}{{ .Values.PathValue \"m.b.c\" }}{{ .Values.AsMap | len }}",
        "{{ .Values.Table \"nope\" }}",
        "{{ $_ := set $ \"Values\" (dict \"q\" \"new\") }}{{ .Values.q }}",
        "{{ $_ := set .Values.m \"x\" 1 }}{{ .Values.m | toJson }}{{ $_ := unset .Values \"m\" }}{{ .Values | keys | len }}",
        "{{ keys .Values.m | sortAlpha | join \",\" }}{{ values (dict \"a\" 1) }}{{ keys (dict \"z\" 1) (dict \"y\" 2) | sortAlpha }}",
        "{{ $d := dict \"a\" (dict \"b\" 1) }}{{ $c := deepCopy $d }}{{ $_ := set $c.a \"b\" 2 }}{{ toJson $d }}{{ toJson $c }}",
        "{{ $d := dict }}{{ $s := dict \"m\" (dict \"x\" 1) }}{{ $_ := mergeOverwrite $d $s }}{{ $_ := set $d.m \"x\" 5 }}{{ toJson $s }}",
        "{{ $d := dict \"m\" dict }}{{ $s := dict \"m\" (dict \"x\" 1) }}{{ $_ := mergeOverwrite $d $s }}{{ $_ := set $d.m \"x\" 5 }}{{ toJson $s }}",
        "{{ merge (dict \"a\" 0 \"b\" 1) (dict \"a\" 5 \"b\" 6 \"c\" .Values.n) | toJson }}",
        "{{ mergeOverwrite (dict \"a\" 1 \"b\" (list 1)) (dict \"a\" 0 \"b\" list \"c\" .Values.n \"d\" false) | toJson }}",
        "{{ merge (dict \"l\" (list 1)) (dict \"l\" (list 2) \"k\" (list 3)) | toJson }}{{ merge dict (dict \"l\" (list 2)) (dict \"l\" (list 3)) | toJson }}",
        "{{ mustMerge (dict \"a\" \"x\") (dict \"a\" (dict \"b\" 1)) | toJson }}{{ mustMergeOverwrite (dict \"a\" \"x\") (dict \"a\" (dict \"b\" 1)) | toJson }}{{ mergeOverwrite (dict \"a\" (dict \"b\" 1)) (dict \"a\" \"x\") | toJson }}",
        "{{ $d := .Values.n | default dict }}{{ $_ := set $d \"a\" 1 }}{{ $d }}",
        "{{ $d := fromYaml \"\" }}{{ $_ := set $d \"a\" 1 }}{{ $d }}{{ toYaml $d }}",
        "{{ $d := fromYaml \"null\" }}{{ toJson $d }}{{ set $d \"a\" 1 }}",
        "{{ dig \"a\" \"b\" \"def\" (dict \"a\" (dict \"b\" 1)) }}{{ dig \"a\" \"c\" \"def\" (dict \"a\" (dict \"b\" 1)) }}{{ dig \"m\" \"b\" \"c\" \"x\" .Values }}",
        "{{ dig \"b\" \"c\" \"x\" .Values.m }}{{ dig \"b\" \"c\" \"q\" \"x\" .Values.m }}",
        "{{ abbrevboth 5 10 \"1234 5678 9123\" }}{{ abbrevboth 0 5 \"abcdefgh\" }}{{ abbrevboth 3 6 \"abcdefghij\" }}{{ abbrevboth 9 8 \"abcdefghijklmnop\" }}",
        "{{ repeat 3 \"ab\" }}{{ repeat 0 \"x\" }}",
        "{{ repeat -1 \"x\" }}",
        "{{ now }}",
        "{{ if false }}{{ now }}{{ end }}ok",
    ];
    cases.extend(
        templates
            .iter()
            .map(|template| json!({"name": "helm", "template": template, "data": data()})),
    );
    cases.retain(|case| case["template"] != "{{ now }}");
    compare("Helm's own functions", &cases);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn patterns() {
    let patterns = [
        "a+",
        "(a)(b)?",
        "^h",
        "o$",
        "[a-c]+",
        "\\d+",
        "\\w+",
        "\\s",
        "\\bw",
        "\\B",
        "[[:alpha:]]+",
        "[^a-z]",
        "(?i)HELLO",
        "(?P<x>l+)",
        "(?<y>o)",
        "a**",
        "a*+",
        "a{2}",
        "a{,2}",
        "a{2,1}",
        "a{1001}",
        "x*",
        "",
        "(",
        ")",
        "[",
        "[a",
        "[]a]",
        "[^]a]",
        "[a-]",
        "[-a]",
        "[a-z&&[b]]",
        "[a--b]",
        "[[a]",
        "\\pL+",
        "\\p{Greek}",
        "\\p{^L}",
        "\\P{L}",
        "\\p{Nope}",
        "\\Qa.b\\E",
        "\\Q[",
        "\\x41",
        "\\x{65e5}",
        "\\u0041",
        "\\<",
        "\\_",
        "\\-",
        "\\z",
        "\\Z",
        "\\A",
        "\\C",
        "\\1",
        "\\07",
        "(?s).",
        "(?m)^t",
        "(?U)l+",
        "(?x)a b",
        "(?im-s:x)",
        "(?=a)",
        "(?!a)",
        "(?:ab|c)",
        "a|b|",
        "|",
        "*",
        "+a",
        "a|*",
        "(*)",
        "^*",
        "$",
        ".",
        "\\.",
        "{",
        "}",
        "]",
        "a{",
        "a{b}",
        "a{1,}",
        "\\",
        "日+",
        "é",
        "[é-ü]",
        "\\d{2,3}?",
        "(a|ab)(c|bcd)(d*)",
        "[\\d\\s]+",
        "[\\]\\\\]",
        "[\\w-]+",
        "[^\\s]+",
        "(?i:k)",
        "[[:^digit:]]",
        "[[:nope:]]",
        "[:alpha:]",
        "\\t",
        "#",
        "a#b",
        "a b",
        "~",
        "(?-i)a",
        "(?",
        "(?P<1a>x)",
        "(?P<>x)",
        "a??",
        "a{0}",
        "(a*)*",
        "(a*)+",
        "\\'",
        "\\\"",
        "\\/",
    ];
    let texts = [
        "",
        "hello world",
        "aab",
        "日本 αβγ é",
        "a.b[c]-d_e",
        "12 345\nthe two",
        "ab",
        "A{2}",
        "\\",
    ];
    let mut cases = Vec::new();
    for pattern in patterns {
        for text in texts {
            for call in [
                "mustRegexMatch P T",
                "mustRegexFind P T",
                "mustRegexFindAll P T -1",
                "mustRegexFindAll P T 2",
                "mustRegexReplaceAll P T \"<$1|${0}|$x>\"",
                "mustRegexReplaceAllLiteral P T \"$1\"",
                "mustRegexSplit P T -1",
                "mustRegexSplit P T 2",
                "regexFind P T",
            ] {
                let call =
                    call.replace('P', &format!("{pattern:?}")).replace('T', &format!("{text:?}"));
                cases.push(shows(&call));
            }
        }
    }
    let Some(mut tally) = tally(&cases) else { return };
    // What the crate does not support is an error, never another match.
    let before = tally.unequal.len();
    let is_ours = |case: &String| case.contains("not supported") || case.contains("is not ASCII");
    let refused: Vec<String> = tally.unequal.iter().filter(|case| is_ours(case)).cloned().collect();
    tally.unequal.retain(|case| !is_ours(case));
    println!("{} refused only by us", before - tally.unequal.len());
    for case in refused.iter().step_by(9) {
        println!("refused: {case:.120}");
    }
    report("regular expressions", &tally);
}

#[test]
fn versions() {
    let constraints = [
        "1.2.3",
        "=1.2.3",
        "!=1.2.3",
        ">1.2",
        ">=1.2",
        "<1.2",
        "<=1.2",
        "~1.2.3",
        "~>1.2",
        "~1",
        "^1.2.3",
        "^1.2",
        "^0.2.3",
        "^0.0.3",
        "^0",
        "^0.0",
        "*",
        "x",
        "1.x",
        "1.2.x",
        "1.*",
        ">1.x",
        "<=1.x",
        "!=1.x",
        "!=1.2.x",
        "1.2 - 1.4",
        "1.2.3 - 2",
        ">=1.2 <2",
        ">=1.2, <2.0.0",
        ">1 || <0.5",
        "~1.2.3-beta.1",
        ">=1.2.3-0",
        ">=1.2-0",
        "^1.2.3-alpha",
        "",
        "  ",
        "abc",
        "1.2.3.4",
        ">",
        "=>1",
        "=<1",
        "~*",
        "^*",
        "v1.2",
        ">= v1.2",
        ">=1.2<2",
        "1.2,",
        "|| 1",
        "1 2",
        "> =1",
        "!1",
        "<=*",
        ">*",
        "!=*",
        "1.2.3+meta",
        "1.2.3-",
        ">=1.19-0 <1.30-0",
    ];
    let versions = [
        "1.2.3",
        "v1.2.3",
        "1.2",
        "1",
        "0.2.3",
        "0.0.3",
        "1.2.3-beta.1",
        "1.2.4-alpha",
        "2.0.0",
        "v1.29.1-gke.100",
        "1.2.3+build",
        "0.0.0",
        "1.30.0",
        "abc",
        "",
        "1.2.3.4",
        "01.2.3",
        "1.2.3-01",
        "1.x",
        "99999999999999999999.1",
    ];
    let mut cases = Vec::new();
    for constraint in constraints {
        for version in versions {
            cases.push(shows(&format!("semverCompare {constraint:?} {version:?}")));
        }
    }
    for version in versions {
        cases.push(json!({"name": version, "template": format!("{{{{ $v := semver {version:?} }}}}{{{{ $v }}}} {{{{ $v.Major }}}} {{{{ $v.Minor }}}} {{{{ $v.Patch }}}} {{{{ $v.Prerelease }}}} {{{{ $v.Metadata }}}} {{{{ $v.Original }}}} {{{{ $v.IncMinor.String }}}} {{{{ (semver \"1.2.0\").Compare $v }}}} {{{{ $v.LessThan (semver \"1.5.0\") }}}} {{{{ toString $v }}}} {{{{ quote $v }}}}"), "data": {}}));
    }
    compare("versions", &cases);
}

#[test]
fn dates() {
    let layouts = [
        "2006-01-02T15:04:05Z07:00",
        "Mon Jan _2 15:04:05 2006",
        "02 Jan 06 15:04 MST",
        "Monday, 02-Jan-06 15:04:05 MST",
        "3:04PM pm 03 3",
        "2006-01-02 15:04:05.000 .999 ,000",
        "__2 002 2 _2",
        "Z0700 -07 -07:00 -0700 Z07 Z07:00:00",
        "January 1 Jan Janet Mon Monty",
        "05.000000000 05.999",
        "1/2/06 4:5",
        "20060102150405",
        "_2006",
        "x",
    ];
    let times =
        ["0", "1700000000", "-1", "951782400", "1709164800", "253402300799", "(int64 86399)"];
    let mut cases = Vec::new();
    for layout in layouts {
        for time in times {
            cases.push(shows(&format!("date {layout:?} {time}")));
            cases.push(shows(&format!("dateInZone {layout:?} {time} \"UTC\"")));
        }
    }
    for (layout, text) in [
        ("2006-01-02", "2024-02-29"),
        ("2006-01-02", "2023-02-29"),
        ("2006-01-02T15:04:05Z07:00", "2024-05-06T07:08:09+02:00"),
        ("2006-01-02T15:04:05Z07:00", "2024-05-06T07:08:09Z"),
        ("2006-01-02 15:04:05", "2024-05-06 07:08:09.123"),
        ("Jan 2, 2006 at 3:04pm (MST)", "Feb 3, 2013 at 7:54pm (UTC)"),
        ("02/01/06", "31/12/99"),
        ("2006-01-02", "2024-1-2"),
        ("2006-1-2", "2024-12-3"),
        ("15:04", "25:00"),
        ("2006-002", "2024-060"),
        ("Monday January 2 2006", "friday march 1 2024"),
        ("2006-01-02", "2024-01-02x"),
        ("2006", "24"),
    ] {
        cases.push(json!({"name": "toDate", "template": format!("{{{{ $t := toDate {layout:?} {text:?} }}}}{{{{ $t.Unix }}}} {{{{ $t.UTC }}}} {{{{ $t.Year }}}} {{{{ $t.Month }}}} {{{{ $t.Weekday }}}} {{{{ $t.YearDay }}}} {{{{ $t.IsZero }}}} {{{{ unixEpoch $t }}}} {{{{ date \"2006-01-02 15:04\" $t }}}} {{{{ htmlDate $t }}}} {{{{ dateModify \"-1.5h\" $t | unixEpoch }}}} {{{{ ($t.Sub (toDate \"2006\" \"2024\")).Hours }}}}"), "data": {}}));
        cases.push(json!({"name": "mustToDate", "template": format!("{{{{ mustToDate {layout:?} {text:?} | unixEpoch }}}}"), "data": {}}));
    }
    for text in ["0", "1", "3600", "90061", "-5", "x", "1.5"] {
        cases.push(shows(&format!("duration {text:?}")));
        cases.push(shows(&format!("duration (int64 {text:?})")));
    }
    for text in [
        "1h", "25h", "2400h", "400m", "90s", "1.5s", "-48h", "10000h", "x", "", "1h30m5s", "0",
        "1d", "800ms",
    ] {
        cases.push(shows(&format!("durationRound {text:?}")));
        cases.push(shows(&format!(
            "mustDateModify {text:?} (toDate \"2006\" \"2024\") | unixEpoch"
        )));
    }
    compare("dates", &cases);
}

#[test]
fn urls() {
    let urls = [
        "http://user:pa%20ss@host.com:8080/a%20b/c?x=1&y#frag",
        "https://[::1]:80/",
        "mailto:a@b",
        "/path/only?q",
        "host/path",
        "//host/p",
        "http://host",
        "a b",
        "http://[::1",
        "http://h:port/",
        ":x",
        "http://a/%zz",
        "HTTP://Ex.Com",
        "",
        "1:2",
        "http://h/?",
        "http://h/#",
        "http://ü/ö",
        "file:///etc/x",
        "x:y?z#w",
    ];
    let mut cases: Vec<Json> = urls.iter().map(|url| shows(&format!("urlParse {url:?}"))).collect();
    cases.extend(urls.iter().map(|url| shows(&format!("urlJoin (urlParse {url:?})"))));
    for dict in [
        "\"scheme\" \"http\" \"host\" \"h\" \"path\" \"p q\" \"query\" \"a=b c\" \"fragment\" \"f g\" \"userinfo\" \"u:p@x\"",
        "\"path\" \"a:b\"",
        "\"host\" 1",
        "\"opaque\" \"o\" \"scheme\" \"s\"",
        "",
    ] {
        cases.push(shows(&format!("urlJoin (dict {dict})")));
    }
    compare("URLs", &cases);
}

#[test]
fn cryptography() {
    let mut cases = Vec::new();
    for kind in ["maximum", "long", "medium", "short", "basic", "pin", "none"] {
        cases.push(shows(&format!(
            "derivePassword 1 {kind:?} \"password\" \"user\" \"example.com\""
        )));
    }
    cases.push(shows("derivePassword -1 \"pin\" \"p\" \"u\" \"s\""));
    cases.push(shows("derivePassword .Values.i \"pin\" \"p\" \"u\" \"s\""));
    for text in
        ["30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=", "", "abc", "AAAAAAAAAAAAAAAAAAAAAA==", "!"]
    {
        cases.push(shows(&format!("decryptAES \"secretkey\" {text:?}")));
    }
    compare("cryptography", &cases);
}

#[test]
fn impure_functions_refuse() {
    for name in IMPURE.iter().filter(|name| !["env", "expandenv", "getHostByName"].contains(name)) {
        let case = json!({"template": format!("{{{{ {name} 1 }}}}"), "data": {}});
        let Outcome::Error { text, .. } = ours(&case) else { panic!("{name} gives a result") };
        assert!(text.contains("rendering is pure"), "{name}: {text}");
    }
}
