//! Go as a judge: runs cases through the real packages and through ours.

use std::path::Path;
use std::process::Command;

use meshgen::gotmpl::{
    Failure, Function, Functions, MissingKey, Options, Session, TemplateSet, Type, Value, on_stack,
};
use serde_json::{Value as Json, json};

use crate::tool;

/// Runs the oracle with an input, and returns the JSON that it prints.
pub fn ask(program: &Path, mode: &str, input: &Json) -> Json {
    let output = tool::run(Command::new(program).arg(mode), &input.to_string());
    serde_json::from_str(&output).expect("the oracle prints JSON")
}

/// What a case gives: the output, or an error with the flag that says it is one of parsing.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Out(Vec<u8>),
    Error { parse: bool, text: String },
}

/// Runs a case through our engine.
pub fn ours(case: &Json, functions: &Functions) -> Outcome {
    let mut set = TemplateSet::new(functions.clone());
    let template = case["template"].as_str().unwrap().to_owned();
    on_stack(|| {
        if let Err(error) = set.parse("main", template) {
            assert!(!error.draw().is_empty());
            return Outcome::Error { parse: true, text: error.to_string() };
        }
        let missing_key = match case["missingKey"].as_str() {
            Some("zero") => MissingKey::Zero,
            Some("error") => MissingKey::Error,
            _ => MissingKey::Default,
        };
        let data = if case["ints"] == true {
            with_ints(&case["data"])
        } else {
            Value::from_json(&case["data"])
        };
        match Session::new(Options { missing_key, ..Options::default() }).execute(
            &set,
            "main",
            data.unwrap_interface(),
        ) {
            Ok(out) => Outcome::Out(out),
            Err(error) => {
                assert!(!error.draw().is_empty());
                Outcome::Error { parse: false, text: error.to_string() }
            }
        }
    })
    .expect("a thread")
}

fn with_ints(json: &Json) -> Value {
    match json {
        Json::Number(number) => number.as_i64().map_or_else(|| Value::from_json(json), Value::int),
        Json::Array(items) => Value::list(items.iter().map(with_ints).collect()),
        Json::Object(entries) => {
            Value::map(entries.iter().map(|(key, value)| (key.as_str().into(), with_ints(value))))
        }
        _ => Value::from_json(json),
    }
}

/// What the oracle says of a case.
pub fn theirs(result: &Json) -> Outcome {
    match result["error"].as_str() {
        Some(text) => Outcome::Error { parse: result["parse"] == true, text: text.to_owned() },
        None => Outcome::Out(unbase64(result["bytes"].as_str().unwrap_or_default())),
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            .iter()
            .position(|d| *d == byte)
    };
    let (mut out, mut bits, mut count) = (Vec::new(), 0usize, 0);
    for value in text.bytes().filter_map(digit) {
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    out
}

/// How many cases were alike, and the names of those that were not.
#[derive(Debug, Default)]
pub struct Tally {
    pub equal: usize,
    pub both_refuse: usize,
    /// Cases that ours refuses on purpose, and says so: imaginary numbers.
    pub imaginary: Vec<String>,
    pub unequal: Vec<String>,
}

/// Runs cases through both and counts. Texts of errors are not compared, only that both refuse.
pub fn compare(program: &Path, cases: &[Json], functions: &Functions) -> Tally {
    let results = ask(program, "run", &json!(cases));
    let mut tally = Tally::default();
    for (case, result) in cases.iter().zip(results.as_array().unwrap()) {
        let (ours, theirs) = (ours(case, functions), theirs(result));
        match (&ours, &theirs) {
            (Outcome::Out(left), Outcome::Out(right)) if left == right => tally.equal += 1,
            (Outcome::Error { parse: left, .. }, Outcome::Error { parse: right, .. })
                if left == right =>
            {
                tally.both_refuse += 1;
            }
            (Outcome::Error { text, .. }, _) if text.contains("imaginary") => {
                tally.imaginary.push(case["name"].as_str().unwrap_or_default().to_owned());
            }
            _ => tally.unequal.push(format!(
                "{}: {:.300}\n   data {:.100}\n   {}",
                case["name"],
                case["template"].to_string(),
                case["data"].to_string(),
                difference(&shown(&ours), &shown(&theirs))
            )),
        }
    }
    tally
}

/// Shows two texts from a little before where they part.
pub fn difference(ours: &str, theirs: &str) -> String {
    let same = ours.chars().zip(theirs.chars()).take_while(|(left, right)| left == right).count();
    let part =
        |text: &str| text.chars().skip(same.saturating_sub(40)).take(240).collect::<String>();
    format!("ours …{}\n   Go   …{}", part(ours), part(theirs))
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Out(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        Outcome::Error { parse, text } => format!("error (parse: {parse}): {text}"),
    }
}

/// Go's functions, and `include`.
pub fn functions() -> Functions {
    const INCLUDE: &[Function] =
        &[Function::new("include", &[Type::Str, Type::Any], |exec, args| {
            let Value::Str(name) = &args[0] else { return Err(Failure::from("no name")) };
            Ok(Value::Str(exec.call_template(
                &name.to_str(),
                args[1].clone().unwrap_interface(),
                "include",
            )?))
        })];
    let mut functions = Functions::builtin();
    functions.add(INCLUDE);
    functions
}

/// Prints a tally and fails when there is an unequal case.
pub fn report(title: &str, tally: &Tally) {
    println!(
        "{title}: {} equal, {} refused by both, {} with imaginary numbers {:?}, {} unequal",
        tally.equal,
        tally.both_refuse,
        tally.imaginary.len(),
        tally.imaginary,
        tally.unequal.len()
    );
    for unequal in tally.unequal.iter().take(200) {
        println!("- {unequal}");
    }
    assert!(tally.unequal.is_empty(), "{} of {title} differ from Go", tally.unequal.len());
}
