//! Random templates: no panic, no hang. The seed is fixed; `FUZZ_ROUNDS` sets how many.

use std::time::{Duration, Instant};

use meshgen::gotmpl::{Functions, Limits, Options, Session, TemplateSet, Value, on_stack};
use meshgen::helm::functions;

/// A small generator of numbers, the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "if",
    "else",
    "end",
    "range",
    "with",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "$x",
    "$",
    ":=",
    "=",
    ",",
    "|",
    "(",
    ")",
    ".",
    ".a",
    ".m.b",
    ".l",
    "\"t\"",
    "`r`",
    "'c'",
    "1",
    "-2",
    "3.5",
    "0x1F",
    "1e9",
    "/*",
    "*/",
    "print",
    "printf \"%v\"",
    "\"%08.3f\"",
    "index",
    "len",
    "eq",
    "and",
    "or",
    "not",
    "dict \"a\" 1",
    "list 1 2",
    "set .m \"x\" .",
    "merge .m .m2",
    "until 9",
    "repeat 99",
    "toYaml",
    "fromYaml",
    "tpl",
    "include \"t\" .",
    "regexMatch \"(a+)+$\"",
    "splitList \",\"",
    "é",
    "\u{0}",
    "\"\\xff\"",
    "trunc -3",
    "substr 1 9",
    "toJson",
    "b64dec",
    "nindent 4",
    "default",
    "ternary 1 2",
    "add 1",
    "div 1",
    "semver",
    "date \"2006\"",
    "urlParse",
    "dig \"a\" \"b\"",
    "slice",
    "chunk 2",
    "round 1 2",
    "seq 1 3",
    "wrap 3",
    "title",
    "snakecase",
    "fromToml",
    "mulf 1e300",
    "toDecimal",
    "printf \"%[9]*d\"",
];

const WHOLE: &[&str] = &[
    "{{ if .a }}x{{ else }}y{{ end }}",
    "{{ range $i, $v := .l }}{{ $i }}{{ $v }}{{ end }}",
    "{{ with .m }}{{ .b }}{{ end }}",
    "{{ define \"t\" }}[{{ . }}]{{ end }}",
    "{{ include \"t\" . | nindent 2 }}",
    "{{ $x := dict \"k\" (list 1 2) }}{{ toYaml $x }}",
    "{{ tpl .s . }}",
    "{{ printf \"%5s|%-5d|%q\" .s 3 .a }}",
];

fn template(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(12) {
        match random.below(3) {
            0 => text.push_str(random.pick(WHOLE)),
            1 => {
                text.push_str("{{ ");
                for _ in 0..=random.below(6) {
                    text.push_str(random.pick(PIECES));
                    text.push(' ');
                }
                text.push_str("}}");
            }
            _ => text.push_str(random.pick(PIECES)),
        }
    }
    text
}

fn run(functions: &Functions, text: &str) {
    let limits =
        Limits { steps: 20_000, output: 1 << 16, memory: 1 << 20, calls: 50, nesting: 100 };
    let mut set = TemplateSet::new(functions.clone());
    if let Err(error) = set.parse("main", text) {
        assert!(!error.draw().is_empty());
        return;
    }
    let data = Value::from_json(
        &serde_json::json!({"a": 1, "s": "x {{ .a }}", "l": [1, "b", null], "m": {"b": "c"}, "m2": {"d": {"e": 1}}}),
    );
    if let Err(error) =
        Session::new(Options { limits, ..Options::default() }).execute(&set, "main", data)
    {
        assert!(!error.draw().is_empty());
    }
}

#[test]
fn random_templates_do_no_harm() {
    let seconds = std::env::var("MESHGEN_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let functions = functions();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut last = String::new();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        on_stack(|| {
            let started = Instant::now();
            let mut rounds = 0;
            while seconds.map_or(rounds < 30_000, |seconds| started.elapsed() < seconds) {
                last = template(&mut random);
                run(&functions, &last);
                rounds += 1;
            }
            println!("{rounds} templates");
        })
        .expect("a thread");
    }));
    assert!(result.is_ok(), "a template panics: {last:?}");
}
