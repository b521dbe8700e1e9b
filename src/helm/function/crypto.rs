//! Hashes and other functions of cryptography that give the same result every time.

use crate::gotmpl::{Exec, Failure, Function, Type, Value};
use crate::helm::arg::text;
use sha1::Digest;

type Outcome = Result<Value, Failure>;

const STR: &[Type] = &[Type::Str];
const STR2: &[Type] = &[Type::Str, Type::Str];

pub const FUNCTIONS: &[Function] = &[
    Function::new("sha1sum", STR, |_, args| {
        Ok(hex(&sha1::Sha1::digest(text(args, 0)?.as_bytes())))
    }),
    Function::new("sha256sum", STR, |_, args| {
        Ok(hex(&sha2::Sha256::digest(text(args, 0)?.as_bytes())))
    }),
    Function::new("sha512sum", STR, |_, args| {
        Ok(hex(&sha2::Sha512::digest(text(args, 0)?.as_bytes())))
    }),
    Function::new("adler32sum", STR, |_, args| {
        Ok(Value::str(adler32(text(args, 0)?.as_bytes()).to_string()))
    }),
    Function::new(
        "derivePassword",
        &[Type::Uint32, Type::Str, Type::Str, Type::Str, Type::Str],
        derive_password,
    ),
    Function::new("decryptAES", STR2, decrypt_aes),
    Function::new("buildCustomCert", STR2, |_, _| Err("`buildCustomCert` is not supported".into())),
];

/// The password shapes of the Master Password algorithm: one letter a class of characters.
const SHAPES: [(&str, &str); 6] = [
    ("maximum", "anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno"),
    (
        "long",
        "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv \
         CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv \
         CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno",
    ),
    ("medium", "CvcnoCvc CvcCvcno"),
    ("short", "Cvcn"),
    ("basic", "aaanaaan aannaaan aaannaaa"),
    ("pin", "nnnn"),
];

/// The characters of a class.
fn characters(class: char) -> &'static [u8] {
    match class {
        'V' => b"AEIOU",
        'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        'v' => b"aeiou",
        'c' => b"bcdfghjklmnpqrstvwxyz",
        'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => b"0123456789",
        'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// Derives a password by the Master Password algorithm: scrypt, then HMAC with SHA-256.
fn derive_password(exec: &mut Exec<'_>, args: &[Value]) -> Outcome {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    // One derivation takes 32 MiB and a good part of a second.
    exec.meter().step(2_000_000)?;
    let counter = match args.first() {
        Some(Value::Uint(counter, _)) => u32::try_from(*counter).unwrap_or(0),
        _ => 0,
    };
    let kind = text(args, 1)?.to_str();
    let Some((_, shapes)) = SHAPES.iter().find(|(name, _)| *name == kind) else {
        return Ok(Value::str(format!("cannot find password template {kind}")));
    };
    let sized = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes()[..], bytes].concat()
    };
    let salt = [SEED, &sized(text(args, 3)?.as_bytes())].concat();
    let mut key = [0; 64];
    let params = scrypt::Params::new(15, 8, 2, 64).map_err(|error| error.to_string())?;
    scrypt::scrypt(text(args, 2)?.as_bytes(), &salt, &params, &mut key)
        .map_err(|error| error.to_string())?;
    let message = [SEED, &sized(text(args, 4)?.as_bytes()), &counter.to_be_bytes()].concat();
    let seed = hmac_sha256(&key, &message);
    let shapes: Vec<&str> = shapes.split_whitespace().collect();
    let shape = shapes[usize::from(seed[0]) % shapes.len()];
    let password = shape.chars().zip(&seed[1..]).map(|(class, byte)| {
        let characters = characters(class);
        char::from(characters[usize::from(*byte) % characters.len()])
    });
    Ok(Value::str(password.collect::<String>()))
}

/// Computes an HMAC with a key of one block.
fn hmac_sha256(key: &[u8; 64], message: &[u8]) -> [u8; 32] {
    let inner = sha2::Sha256::digest([&key.map(|byte| byte ^ 0x36)[..], message].concat());
    sha2::Sha256::digest([&key.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).into()
}

/// Opens what `encryptAES` sealed: AES-256 in CBC mode, the start value first, the last byte telling the padding.
fn decrypt_aes(_: &mut Exec<'_>, args: &[Value]) -> Outcome {
    use aes::cipher::{BlockDecrypt, KeyInit};
    const BLOCK: usize = 16;
    let sealed = text(args, 1)?;
    if sealed.is_empty() {
        return Ok(Value::str(""));
    }
    let sealed = super::encode::from_base64(sealed.as_bytes())
        .map_err(|at| format!("illegal base64 data at input byte {at}"))?;
    let mut key = [0; 32];
    for (slot, byte) in key.iter_mut().zip(text(args, 0)?.as_bytes()) {
        *slot = *byte;
    }
    if sealed.len() < 2 * BLOCK || sealed.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = aes::Aes256::new(&key.into());
    let mut opened = Vec::with_capacity(sealed.len());
    for (before, block) in sealed.chunks(BLOCK).zip(sealed.chunks(BLOCK).skip(1)) {
        let mut plain = aes::Block::clone_from_slice(block);
        cipher.decrypt_block(&mut plain);
        opened.extend(plain.iter().zip(before).map(|(plain, before)| plain ^ before));
    }
    let padding = usize::from(opened.last().copied().unwrap_or(0));
    let length = opened.len().checked_sub(padding).ok_or("slice bounds out of range")?;
    opened.truncate(length);
    Ok(Value::str(opened))
}

fn hex(bytes: &[u8]) -> Value {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    Value::str(out)
}

fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut a, mut b) = (1, 0);
    for byte in bytes {
        a = (a + u32::from(*byte)) % PRIME;
        b = (b + a) % PRIME;
    }
    b << 16 | a
}
