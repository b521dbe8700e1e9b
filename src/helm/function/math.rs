//! Numbers.

use super::number::{Operation, decimal_fold};
use crate::gotmpl::{Elem, Exec, Failure, Function, List, Meter, Type, Value, display, parse_int};
use crate::helm::arg::{any, int};
use crate::helm::cast::{to_float, to_int};

type Outcome = Result<Value, Failure>;

const ANY: &[Type] = &[Type::Any];
const ANY2: &[Type] = &[Type::Any, Type::Any];
const INT: &[Type] = &[Type::Int];

pub const FUNCTIONS: &[Function] = &[
    Function::new("float64", ANY, |_, args| Ok(Value::Float(to_float(any(args, 0)?)))),
    Function::new("add1", ANY, |_, args| Ok(Value::int64(to_int(any(args, 0)?).wrapping_add(1)))),
    Function::variadic("add", ANY, |_, args| Ok(fold(args, 0, i64::wrapping_add))),
    Function::new("sub", ANY2, |_, args| {
        Ok(Value::int64(to_int(&args[0]).wrapping_sub(to_int(&args[1]))))
    }),
    Function::new("div", ANY2, |_, args| divide(args, i64::wrapping_div)),
    Function::new("mod", ANY2, |_, args| divide(args, i64::wrapping_rem)),
    Function::variadic("mul", ANY2, |_, args| Ok(fold(args, 1, i64::wrapping_mul))),
    Function::variadic("max", ANY2, |_, args| choose(args, i64::max)),
    Function::variadic("biggest", ANY2, |_, args| choose(args, i64::max)),
    Function::variadic("min", ANY2, |_, args| choose(args, i64::min)),
    Function::variadic("maxf", ANY2, |_, args| choose_float(args, go_max)),
    Function::variadic("minf", ANY2, |_, args| choose_float(args, |a, b| -go_max(-a, -b))),
    Function::new("add1f", ANY, |_, args| {
        decimal(&[args[0].clone(), Value::int(1)], Operation::Add)
    }),
    Function::variadic("addf", ANY, |_, args| {
        let with_zero: Vec<Value> =
            std::iter::once(Value::Float(0.0)).chain(args.iter().cloned()).collect();
        decimal(&with_zero, Operation::Add)
    }),
    Function::variadic("subf", ANY2, |_, args| decimal(args, Operation::Subtract)),
    Function::variadic("mulf", ANY2, |_, args| decimal(args, Operation::Multiply)),
    Function::variadic("divf", ANY2, |_, args| decimal(args, Operation::Divide)),
    Function::new("floor", ANY, |_, args| Ok(Value::Float(to_float(any(args, 0)?).floor()))),
    Function::new("ceil", ANY, |_, args| Ok(Value::Float(to_float(any(args, 0)?).ceil()))),
    Function::variadic("round", &[Type::Any, Type::Int, Type::Float], round),
    Function::new("toDecimal", ANY, to_decimal),
    Function::new("until", INT, |exec, args| {
        let count = int(args, 0)?;
        ints(exec, 0, count, if count < 0 { -1 } else { 1 })
    }),
    Function::new("untilStep", &[Type::Int, Type::Int, Type::Int], |exec, args| {
        ints(exec, int(args, 0)?, int(args, 1)?, int(args, 2)?)
    }),
    Function::variadic("seq", INT, seq),
];

fn fold(args: &[Value], start: i64, operation: fn(i64, i64) -> i64) -> Value {
    Value::int64(args.iter().map(to_int).fold(start, operation))
}

fn divide(args: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    let (left, right) = (to_int(&args[0]), to_int(&args[1]));
    if right == 0 {
        return Err("integer divide by zero".into());
    }
    Ok(Value::int64(operation(left, right)))
}

fn choose(args: &[Value], better: fn(i64, i64) -> i64) -> Outcome {
    args.iter().map(to_int).reduce(better).map(Value::int64).ok_or_else(|| "no numbers".into())
}

fn choose_float(args: &[Value], better: fn(f64, f64) -> f64) -> Outcome {
    args.iter().map(to_float).reduce(better).map(Value::Float).ok_or_else(|| "no numbers".into())
}

/// Returns the larger float as Go's `math.Max`: what is no number wins unless the other is infinite.
fn go_max(left: f64, right: f64) -> f64 {
    if left == f64::INFINITY || right == f64::INFINITY {
        f64::INFINITY
    } else if left.is_nan() || right.is_nan() {
        f64::NAN
    } else if left == 0.0 && right == 0.0 {
        if left.is_sign_negative() { right } else { left }
    } else {
        left.max(right)
    }
}

fn decimal(args: &[Value], operation: Operation) -> Outcome {
    let numbers: Vec<f64> = args.iter().map(to_float).collect();
    decimal_fold(&numbers, operation).map(Value::Float)
}

/// Returns a power of ten with the roundings of Go's `math.Pow`: by squaring, mantissa and exponent apart.
fn power_of_ten(places: i64) -> f64 {
    let (mut mantissa, mut exponent) = (0.625f64, 4i64);
    let (mut result, mut scale) = (1.0f64, 0i64);
    let mut left = places.unsigned_abs();
    if left > 1_000 {
        return if places > 0 { f64::INFINITY } else { 0.0 };
    }
    while left != 0 {
        if left & 1 == 1 {
            result *= mantissa;
            scale += exponent;
        }
        mantissa *= mantissa;
        exponent <<= 1;
        if mantissa < 0.5 {
            mantissa += mantissa;
            exponent -= 1;
        }
        left >>= 1;
    }
    if places < 0 {
        (result, scale) = (1.0 / result, -scale);
    }
    let scale = i32::try_from(scale).unwrap_or(0);
    // Two steps, because one power of two may be out of range where the product is not.
    result * 2f64.powi(scale / 2) * 2f64.powi(scale - scale / 2)
}

fn round(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let number = to_float(any(args, 0)?);
    let places = int(args, 1)?;
    let from = match args.get(2) {
        Some(Value::Float(from)) => *from,
        _ => 0.5,
    };
    let power = power_of_ten(places);
    let digit = power * number;
    let rounded = if digit.fract() >= from { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}

fn to_decimal(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let text = display(exec.meter(), any(args, 0)?)?;
    let text = text.to_str();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let sign = if text.starts_with('-') { "-" } else { "" };
    let number = if is_octal { parse_int(&format!("{sign}0o{digits}")) } else { None };
    Ok(Value::int64(number.unwrap_or(0)))
}

/// Counts as sprig's `untilStep`: a step in the wrong direction gives nothing.
fn count(meter: &Meter, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Failure> {
    let is_down = stop < start;
    if (is_down && step >= 0) || (!is_down && step <= 0) {
        return Ok(Vec::new());
    }
    let distance = i128::from(stop) - i128::from(start);
    let count = distance.unsigned_abs().div_ceil(i128::from(step).unsigned_abs());
    meter.items(usize::try_from(count).unwrap_or(usize::MAX))?;
    Ok((0..count).scan(start, |at, _| Some(std::mem::replace(at, at.wrapping_add(step)))).collect())
}

fn ints(exec: &Exec<'_>, start: i64, stop: i64, step: i64) -> Outcome {
    let numbers = count(exec.meter(), start, stop, step)?;
    Ok(Value::List(List::new(Elem::Int, numbers.into_iter().map(Value::int).collect())))
}

fn seq(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    let numbers: Vec<i64> =
        (0..args.len()).map(|index| int(args, index)).collect::<Result<_, _>>()?;
    let toward = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match numbers.as_slice() {
        [end] => (1, *end, toward(1, *end)),
        [start, end] => (*start, *end, toward(*start, *end)),
        [start, step, end] if end < start && *step > 0 => return Ok(Value::str("")),
        [start, step, end] => (*start, *end, *step),
        _ => return Ok(Value::str("")),
    };
    let numbers = count(exec.meter(), start, end.wrapping_add(toward(start, end)), step)?;
    exec.meter().string(numbers.len().saturating_mul(8))?;
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    Ok(Value::str(texts.join(" ")))
}
