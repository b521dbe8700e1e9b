//! `include`, `tpl`, `required`, `fail`, `lookup`: the functions of Helm's engine.

use crate::gotmpl::{Exec, Failure, Function, Text, Type, Value};
use crate::helm::arg::{any, string, text};

type Outcome = Result<Value, Failure>;

pub const FUNCTIONS: &[Function] = &[
    Function::new("include", &[Type::Str, Type::Any], |exec, args| {
        let name = string(args, 0)?;
        Ok(Value::Str(exec.call_template(
            &name,
            any(args, 1)?.clone().unwrap_interface(),
            "include",
        )?))
    }),
    Function::new("tpl", &[Type::Str, Type::Any], tpl),
    Function::new("required", &[Type::Str, Type::Any], |_, args| match any(args, 1)? {
        value if value.is_nil() => Err(string(args, 0)?.into_owned().into()),
        Value::Str(text) if text.is_empty() => Err(string(args, 0)?.into_owned().into()),
        value => Ok(value.clone()),
    }),
    Function::new("fail", &[Type::Str], |_, args| Err(string(args, 0)?.into_owned().into())),
    // Without a cluster there is nothing to find, as with `helm template`.
    Function::new("lookup", &[Type::Str, Type::Str, Type::Str, Type::Str], |_, _| {
        Ok(Value::map([]))
    }),
    Function::new("getHostByName", &[Type::Str], |_, _| Ok(Value::str(""))),
];

/// Parses a text as a template that sees all others, and executes it.
fn tpl(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let source = text(args, 0)?.to_arc();
    let name = format!("{} (tpl)", exec.source_name().trim_end_matches(" (tpl)"));
    exec.meter().step(source.len() / 16)?;
    let mut set = exec.set().clone();
    // A text without an action is its own result.
    if source.contains("{{") {
        set.parse_main(&name, source).map_err(|error| Failure::Inner { error, call: "tpl" })?;
    } else {
        return Ok(Value::Str(without_no_value(Text::from(source))));
    }
    let data = any(args, 1)?.clone().unwrap_interface();
    let out = exec.call_template_of(&set, &name, data, "tpl")?;
    Ok(Value::Str(without_no_value(out)))
}

/// Takes out what Go prints for values that are not there.
pub fn without_no_value(text: Text) -> Text {
    const NO_VALUE: &str = "<no value>";
    match &text {
        Text::Utf8(whole) if !whole.contains(NO_VALUE) => text,
        Text::Utf8(whole) => whole.replace(NO_VALUE, "").into(),
        Text::Raw(bytes) => Text::from_bytes(remove(bytes, NO_VALUE.as_bytes())),
    }
}

fn remove(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(part.len()).position(|window| window == part) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    out.extend_from_slice(rest);
    out
}
