//! `--set` against Helm.

use meshgen::helm::{AssignKind, assign};
use serde_json::{Map, Value, json};

use crate::gotmpl::oracle::ask;
use crate::tool;

#[test]
fn assigns_as_helm() {
    let lines = [
        "a=1",
        "a.b=c",
        "a.b.c=d",
        "x=true,y=FALSE,z=null",
        "x=0,y=007,z=-5,w=1.5",
        "x=",
        "x",
        "x,",
        "=y",
        "x=a\\,b",
        "x={a,b,1}",
        "x={}",
        "x={a",
        "x={a}b",
        "x={a},y=1",
        "l[0]=1",
        "l[1].k=w",
        "l[1].n=2",
        "l[3]=z",
        "l[0].k=v",
        "l[-1]=x",
        "l[x]=y",
        "l[70000]=1",
        "l[0]",
        "l[0]x=1",
        "l[0][1]=q",
        "n[1][0]=q",
        "n[0].a[1].b=c",
        "a[0]=1",
        "l.x=1",
        "x.=1",
        "x..y=1",
        ".x=1",
        "x=a=b",
        "x\\.y=1",
        "a.b=1,a.c=2",
        "x=9223372036854775808",
        "x=\\",
        "x= a ",
        "a={x},a.b=1",
        "x=[1]",
        "x={\"a\":1}",
        "x={\"a\":1},y=[1,2]",
        "x=1,y=\"a,b\"",
        "x=,y=1",
        "x=nope",
        "l[0]={\"q\":null}",
        "",
        ",",
        "x.y.z=1,x.y.w=2",
        "x=null",
        "a=null",
    ];
    let mut all = Vec::new();
    for line in lines {
        for kind in ["t", "s", "j"] {
            all.push(format!("{kind}{line}"));
        }
    }
    let Some(helm) = tool::path("helmlib") else { return };
    let results = ask(&helm, "set", &json!(all));
    let (mut equal, mut refused, mut unequal) = (0, 0, Vec::new());
    for (line, result) in all.iter().zip(results.as_array().unwrap()) {
        let kind = match &line[..1] {
            "t" => AssignKind::Typed,
            "s" => AssignKind::Text,
            _ => AssignKind::Json,
        };
        let start = json!({"a": {"b": "old"}, "l": ["x", {"k": "v"}]});
        let mut values: Map<String, Value> = start.as_object().unwrap().clone();
        let ours = assign(&mut values, &line[1..], kind);
        match (ours, result["error"].as_str()) {
            (Err(_), Some(_)) => refused += 1,
            (Ok(()), None) if Value::Object(values.clone()) == result["json"] => equal += 1,
            // Helm takes a list item without a value for nothing at all; here it is a mistake.
            (Err(_), None) if line.ends_with("l[0]") => {}
            (Ok(()), None)
                if as_floats(&Value::Object(values.clone())) == as_floats(&result["json"]) =>
            {
                equal += 1;
            }
            (ours, _) => unequal.push(format!(
                "{line}: ours {ours:?} {}, Helm {} {}",
                Value::Object(values),
                result["error"],
                result["json"]
            )),
        }
    }
    println!("--set: {equal} equal, {refused} refused by both, {} unequal", unequal.len());
    for line in &unequal {
        println!("- {line}");
    }
    assert!(unequal.is_empty());
}

fn as_floats(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:?}", number.as_f64()),
        Value::Array(items) => items.iter().map(|item| as_floats(item) + ",").collect(),
        Value::Object(map) => map
            .iter()
            .collect::<std::collections::BTreeMap<_, _>>()
            .iter()
            .map(|(key, value)| format!("{key}:{};", as_floats(value)))
            .collect(),
        other => other.to_string(),
    }
}
