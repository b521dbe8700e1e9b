//! Defaults, choices, and what a value is.

use crate::gotmpl::{Exec, Failure, Function, Meter, Type, Value, is_true};
use crate::helm::arg::{any, string};

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const ANY2: &[Type] = &[Type::Any, Type::Any];
const STR_ANY: &[Type] = &[Type::Str, Type::Any];

pub const FUNCTIONS: &[Function] = &[
    Function::variadic("default", ANY2, |_, args| {
        Ok(args.get(1).filter(|given| is_true(given)).unwrap_or(&args[0]).clone())
    }),
    Function::new("empty", ANY, |_, args| Ok(Value::Bool(!is_true(any(args, 0)?)))),
    Function::variadic("coalesce", ANY, |_, args| {
        Ok(args.iter().find(|arg| is_true(arg)).cloned().unwrap_or(Value::Nil))
    }),
    Function::variadic("all", ANY, |_, args| Ok(Value::Bool(args.iter().all(is_true)))),
    Function::variadic("any", ANY, |_, args| Ok(Value::Bool(args.iter().any(is_true)))),
    Function::new("ternary", &[Type::Any, Type::Any, Type::Bool], |_, args| {
        Ok(args[usize::from(!is_true(any(args, 2)?))].clone())
    }),
    Function::new("typeOf", ANY, |_, args| Ok(Value::str(type_of(any(args, 0)?)))),
    Function::new("typeIs", STR_ANY, |_, args| {
        Ok(Value::Bool(string(args, 0)? == type_of(any(args, 1)?)))
    }),
    Function::new("typeIsLike", STR_ANY, |_, args| {
        let name = type_of(any(args, 1)?);
        let wanted = string(args, 0)?;
        Ok(Value::Bool(wanted == name || name.strip_prefix('*') == Some(&wanted)))
    }),
    Function::new("kindOf", ANY, |_, args| Ok(Value::str(any(args, 0)?.kind_name()))),
    Function::new("kindIs", STR_ANY, |_, args| {
        Ok(Value::Bool(string(args, 0)? == any(args, 1)?.kind_name()))
    }),
    Function::new("deepEqual", ANY2, equal),
];

fn type_of(value: &Value) -> &'static str {
    if value.is_nil() { "<nil>" } else { value.type_name() }
}

fn equal(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    Ok(Value::Bool(deep_equal(exec.meter(), any(args, 0)?, any(args, 1)?)?))
}

/// Compares as Go's `reflect.DeepEqual`: types and all that the values hold.
///
/// # Errors
/// When a value holds itself.
pub fn deep_equal(meter: &Meter, left: &Value, right: &Value) -> Result<bool, Failure> {
    equal_at(meter, left, right, 0)
}

#[expect(clippy::float_cmp, reason = "what Go does")]
fn equal_at(meter: &Meter, left: &Value, right: &Value, depth: usize) -> Result<bool, Failure> {
    meter.nesting(depth)?;
    Ok(match (left, right) {
        _ if left.is_nil() || right.is_nil() => left.is_nil() && right.is_nil(),
        _ if left.type_name() != right.type_name() => false,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left, _), Value::Int(right, _)) => left == right,
        (Value::Uint(left, _), Value::Uint(right, _)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Str(left), Value::Str(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            if left.is_nil() != right.is_nil() || left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.items().iter().zip(right.items()) {
                if !equal_at(meter, left, right, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.is_nil() != right.is_nil() || left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in left.to_vec() {
                let other = right.get(&key);
                if !other.map_or(Ok(false), |other| equal_at(meter, &value, &other, depth + 1))? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(left), Value::Object(right)) => left.display() == right.display(),
        _ => false,
    })
}
