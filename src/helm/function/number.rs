//! Arithmetic with decimal numbers, as the library `decimal` that sprig uses for floats.

use crate::gotmpl::Failure;

/// What to do with two numbers.
#[derive(Clone, Copy)]
pub enum Operation {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`, to 16 places after the point.
    Divide,
}

/// The places after the point that a division keeps.
const PLACES: i32 = 16;

/// A decimal number: `digits` times ten to the power of `exponent`.
#[derive(Clone)]
struct Decimal {
    negative: bool,
    /// Digits in base 10, the least significant first.
    digits: Vec<u8>,
    exponent: i32,
}

/// Folds numbers from the left, exactly, and rounds the result to a float once.
///
/// # Errors
/// On a division by zero, and on what is no number.
pub fn decimal_fold(numbers: &[f64], operation: Operation) -> Result<f64, Failure> {
    let mut numbers = numbers.iter().map(|number| Decimal::new(*number));
    let mut result = numbers.next().ok_or("no numbers")??;
    for number in numbers {
        let number = number?;
        result = match operation {
            Operation::Add => result.add(&number),
            Operation::Subtract => result.add(&number.negated()),
            Operation::Multiply => result.multiply(&number),
            Operation::Divide => result.divide(&number)?,
        };
        if result.digits.len() > 4_000 {
            return Err(Failure::Limit("a decimal number of more than 4,000 digits".into()));
        }
    }
    Ok(result.to_float())
}

impl Decimal {
    fn new(number: f64) -> Result<Self, Failure> {
        if !number.is_finite() {
            return Err(format!("cannot calculate with {number}").into());
        }
        let text = format!("{:e}", number.abs());
        let (mantissa, exponent) = text.split_once('e').ok_or("no exponent")?;
        let digits: Vec<u8> =
            mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').rev().collect();
        let exponent: i32 = exponent.parse().map_err(|_| "no exponent")?;
        let places = i32::try_from(digits.len()).unwrap_or(1) - 1;
        Ok(Self { negative: number < 0.0, digits, exponent: exponent - places }.trimmed())
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    fn negated(&self) -> Self {
        Self { negative: !self.negative, ..self.clone() }
    }

    /// Returns the digits for a smaller exponent.
    fn scaled(&self, exponent: i32) -> Vec<u8> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        let mut digits = vec![0; zeros];
        digits.extend_from_slice(&self.digits);
        digits
    }

    fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let (left, right) = (self.scaled(exponent), other.scaled(exponent));
        if self.negative == other.negative {
            return Self { negative: self.negative, digits: sum(&left, &right), exponent }
                .trimmed();
        }
        let is_less = compare(&left, &right).is_lt();
        let digits = if is_less { difference(&right, &left) } else { difference(&left, &right) };
        let negative = if is_less { other.negative } else { self.negative };
        Self { negative, digits, exponent }.trimmed()
    }

    fn multiply(&self, other: &Self) -> Self {
        let mut digits = vec![0u32; self.digits.len() + other.digits.len() + 1];
        for (i, left) in self.digits.iter().enumerate() {
            let mut carry = 0;
            for (j, right) in other.digits.iter().enumerate() {
                let value = digits[i + j] + u32::from(*left) * u32::from(*right) + carry;
                digits[i + j] = value % 10;
                carry = value / 10;
            }
            digits[i + other.digits.len()] += carry;
        }
        let digits = digits.into_iter().map(|digit| u8::try_from(digit).unwrap_or(0)).collect();
        let negative = self.negative != other.negative;
        Self { negative, digits, exponent: self.exponent + other.exponent }.trimmed()
    }

    /// Divides to 16 places, rounding half away from zero.
    fn divide(&self, other: &Self) -> Result<Self, Failure> {
        if other.is_zero() {
            return Err("decimal division by 0".into());
        }
        // One place more than is kept decides the rounding.
        let shift = self.exponent - other.exponent + PLACES + 1;
        let (mut left, mut right) = (self.digits.clone(), other.digits.clone());
        let zeros = vec![0; usize::try_from(shift.unsigned_abs()).unwrap_or(0)];
        let scaled = if shift >= 0 { &mut left } else { &mut right };
        scaled.splice(0..0, zeros);
        let mut digits = quotient(&left, &right);
        let rounds_up = digits.first().is_some_and(|digit| *digit >= 5);
        if !digits.is_empty() {
            digits.remove(0);
        }
        if rounds_up {
            digits = sum(&digits, &[1]);
        }
        Ok(Self { negative: self.negative != other.negative, digits, exponent: -PLACES }.trimmed())
    }

    fn to_float(&self) -> f64 {
        let digits: String =
            self.digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        let digits = if digits.is_empty() { "0" } else { &digits };
        let number: f64 = format!("{digits}e{}", self.exponent).parse().unwrap_or(f64::NAN);
        if self.negative && number != 0.0 { -number } else { number }
    }
}

fn compare(left: &[u8], right: &[u8]) -> std::cmp::Ordering {
    let length =
        |digits: &[u8]| digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
    let (left, right) = (&left[..length(left)], &right[..length(right)]);
    left.len().cmp(&right.len()).then_with(|| left.iter().rev().cmp(right.iter().rev()))
}

fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = (0..left.len().max(right.len()))
        .map(|index| {
            let value = left.get(index).unwrap_or(&0) + right.get(index).unwrap_or(&0) + carry;
            carry = value / 10;
            value % 10
        })
        .collect();
    digits.push(carry);
    digits
}

fn difference(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    left.iter()
        .enumerate()
        .map(|(index, digit)| {
            let taken = right.get(index).unwrap_or(&0) + borrow;
            borrow = u8::from(taken > *digit);
            digit + borrow * 10 - taken
        })
        .collect()
}

fn quotient(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut rest: Vec<u8> = Vec::new();
    let mut digits = Vec::with_capacity(left.len());
    for digit in left.iter().rev() {
        rest.insert(0, *digit);
        let mut count = 0;
        while compare(&rest, right).is_ge() {
            rest = difference(&rest, right);
            count += 1;
        }
        digits.push(count);
    }
    digits.reverse();
    digits
}
