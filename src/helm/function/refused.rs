//! The functions whose result is another one on every run or machine.

use crate::gotmpl::{Call, Failure, Function, Type};

const ANY: &[Type] = &[Type::Any];

macro_rules! refused {
    ($($name:literal: $reason:literal),* $(,)?) => {
        pub const FUNCTIONS: &[Function] = &[$({
            const CALL: Call = |_, _| Err(Failure::Message(concat!(
                "`", $name, "` ", $reason, "; rendering is pure, so set the value in the values instead"
            ).into()));
            Function::variadic($name, ANY, CALL)
        }),*];
    };
}

refused! {
    "now": "reads the clock",
    "ago": "reads the clock",
    "randAlpha": "is random",
    "randAlphaNum": "is random",
    "randAscii": "is random",
    "randNumeric": "is random",
    "randBytes": "is random",
    "randInt": "is random",
    "shuffle": "is random",
    "uuidv4": "is random",
    "bcrypt": "takes a random salt",
    "htpasswd": "takes a random salt",
    "encryptAES": "takes a random start value",
    "genPrivateKey": "makes a random key",
    "genCA": "makes a random key",
    "genCAWithKey": "makes a certificate with the time of day",
    "genSelfSignedCert": "makes a random key",
    "genSelfSignedCertWithKey": "makes a certificate with the time of day",
    "genSignedCert": "makes a random key",
    "genSignedCertWithKey": "makes a certificate with the time of day",
}
