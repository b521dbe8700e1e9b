//! `urlParse` and `urlJoin`.

use crate::gotmpl::{Failure, Function, Map, Type, Value};
use crate::helm::arg::{map, string};

pub const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Type::Str], |_, args| {
        let url = Url::parse(&string(args, 0)?)
            .map_err(|reason| format!("unable to parse url: {reason}"))?;
        Ok(Value::map(
            [
                ("scheme", url.scheme.clone()),
                ("host", url.host.clone()),
                ("hostname", url.hostname().to_owned()),
                ("path", url.path.clone()),
                ("query", url.query.clone()),
                ("opaque", url.opaque.clone()),
                ("fragment", url.fragment.clone()),
                ("userinfo", url.user.clone().unwrap_or_default()),
            ]
            .map(|(key, value)| (key.into(), Value::str(value))),
        ))
    }),
    Function::new("urlJoin", &[Type::Map], |_, args| {
        let map = map(args, 0)?;
        let user = part(map, "userinfo")?;
        let url = Url {
            scheme: part(map, "scheme")?,
            host: part(map, "host")?,
            path: part(map, "path")?,
            query: part(map, "query")?,
            opaque: part(map, "opaque")?,
            fragment: part(map, "fragment")?,
            user: (!user.is_empty()).then(|| encode_user(&user)),
        };
        Ok(Value::str(url.text()))
    }),
];

fn part(map: &Map, key: &str) -> Result<String, Failure> {
    match map.get(key) {
        None => Ok(String::new()),
        Some(Value::Str(text)) => Ok(text.to_str().into_owned()),
        Some(other) => Err(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind_name()
        )
        .into()),
    }
}

/// The parts of a URL, decoded as Go's `net/url` decodes them.
#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("invalid control character in URL".into());
        }
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self { fragment: decode(fragment)?, ..Self::default() };
        let mut rest = url.take_scheme(rest)?;
        if let Some((before, query)) = rest.split_once('?') {
            url.query = query.into();
            rest = before;
        }
        if !rest.starts_with('/') && !url.scheme.is_empty() {
            url.opaque = rest.into();
            return Ok(url);
        }
        if url.scheme.is_empty() && rest.split('/').next().is_some_and(|first| first.contains(':'))
        {
            return Err("first path segment in URL cannot contain colon".into());
        }
        if let Some(after) =
            rest.strip_prefix("//").filter(|_| !rest.starts_with("///") || !url.scheme.is_empty())
        {
            let end = after.find('/').unwrap_or(after.len());
            url.take_authority(&after[..end])?;
            rest = &after[end..];
        }
        url.path = decode(rest)?;
        Ok(url)
    }

    fn take_scheme<'a>(&mut self, text: &'a str) -> Result<&'a str, String> {
        for (index, c) in text.char_indices() {
            match c {
                'a'..='z' | 'A'..='Z' => {}
                '0'..='9' | '+' | '-' | '.' if index > 0 => {}
                ':' if index == 0 => return Err("missing protocol scheme".into()),
                ':' => {
                    self.scheme = text[..index].to_ascii_lowercase();
                    return Ok(&text[index + 1..]);
                }
                _ => return Ok(text),
            }
        }
        Ok(text)
    }

    fn take_authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) =
            authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let port = match host.rfind(']') {
            Some(end) if host.starts_with('[') => &host[end + 1..],
            _ if host.starts_with('[') => return Err("missing ']' in host".into()),
            _ => host.rfind(':').map_or("", |colon| &host[colon..]),
        };
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
            return Err(format!("invalid port {port:?} after host"));
        }
        self.host = decode(host)?;
        if self.host.contains([' ', '\\', '^', '`', '{', '|', '}']) {
            return Err("invalid character in host name".into());
        }
        self.user = user.map(decode_user).transpose()?;
        Ok(())
    }

    fn hostname(&self) -> &str {
        let host = match self.host.rfind(':') {
            Some(colon) if self.host[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()) => {
                &self.host[..colon]
            }
            _ => &self.host,
        };
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.push_str("//");
                }
                if let Some(user) = &self.user {
                    out.push_str(user);
                    out.push('@');
                }
                out.push_str(&encode(&self.host, "!$&'()*+,;=:[]<>\""));
            }
            let path = encode(&self.path, "$&+,/:;=@");
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                out.push('/');
            }
            if out.is_empty() && path.split('/').next().is_some_and(|first| first.contains(':')) {
                out.push_str("./");
            }
            out.push_str(&path);
        } else {
            out.push_str(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push('?');
            out.push_str(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&encode(&self.fragment, "$&+,/:;=?@!()*"));
        }
        out
    }
}

/// Reads `name:password` and writes it again in its shortest escaped form.
fn decode_user(user: &str) -> Result<String, String> {
    let (name, password) =
        user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
    let name = encode(&decode(name)?, "$&+,;=");
    Ok(match password {
        Some(password) => format!("{name}:{}", encode(&decode(password)?, "$&+,;=")),
        None => name,
    })
}

fn encode_user(user: &str) -> String {
    decode_user(user).unwrap_or_else(|_| user.to_owned())
}

fn decode(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            out.push(*byte);
            at += 1;
            continue;
        }
        let digits = text
            .get(at + 1..at + 3)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            return Err(format!(
                "invalid URL escape {:?}",
                text.get(at..(at + 3).min(text.len())).unwrap_or("%")
            ));
        };
        out.push(u8::from_str_radix(digits, 16).unwrap_or(0));
        at += 3;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Escapes everything but letters, digits, `-_.~` and what the part of the URL allows.
fn encode(text: &str, allowed: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric()
            || "-_.~".contains(c)
            || (byte.is_ascii() && allowed.contains(c))
        {
            out.push(c);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
