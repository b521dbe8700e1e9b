//! The functions that charts may call: Go's own, Helm's and sprig's.
//!
//! Those of sprig that read the clock, the network, the environment or a source of randomness are known, so that a
//! chart parses, and refuse when they are called: rendering is pure.

pub mod encode;

mod case;
mod crypto;
mod date;
mod dict;
mod list;
mod logic;
mod math;
mod number;
mod path;
mod pattern;
mod refused;
mod regex;
mod semver;
mod string;
mod template;
mod time;
mod time_reader;
mod toml;
mod url;

pub use semver::{Constraint, Version};
pub use template::without_no_value;

use crate::gotmpl::Functions;

/// Returns all functions that Helm 4 gives to charts.
pub fn functions() -> Functions {
    let mut functions = Functions::builtin();
    for group in [
        string::FUNCTIONS,
        math::FUNCTIONS,
        list::FUNCTIONS,
        dict::FUNCTIONS,
        logic::FUNCTIONS,
        encode::FUNCTIONS,
        date::FUNCTIONS,
        pattern::FUNCTIONS,
        semver::FUNCTIONS,
        path::FUNCTIONS,
        url::FUNCTIONS,
        crypto::FUNCTIONS,
        refused::FUNCTIONS,
        template::FUNCTIONS,
    ] {
        functions.add(group);
    }
    functions
}
