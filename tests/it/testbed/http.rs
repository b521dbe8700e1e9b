//! As much of HTTP/1.1 as a client, a proxy and a webhook server need.

use std::io::{self, BufRead, Read as _};

/// A start line and headers, as they came.
#[derive(Clone)]
pub struct Head {
    /// All of it with the empty line at its end.
    pub text: String,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    Length(u64),
    Chunked,
    /// It ends with the connection.
    Close,
}

impl Head {
    /// Reads one; `None` where the connection ended before it.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut text = String::new();
        loop {
            let before = text.len();
            if reader.read_line(&mut text)? == 0 {
                return if before == 0 {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
            if text[before..].trim_end().is_empty() {
                return Ok(Some(Self { text }));
            }
        }
    }

    /// The words of the start line.
    pub fn words(&self) -> Vec<&str> {
        self.text.lines().next().unwrap_or_default().splitn(3, ' ').collect()
    }

    /// The status code of a response.
    pub fn status(&self) -> u16 {
        self.words().get(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn stated_framing(&self) -> Option<Framing> {
        if self.header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            return Some(Framing::Chunked);
        }
        self.header("content-length").and_then(|value| value.parse().ok()).map(Framing::Length)
    }

    /// How the body of this request ends.
    pub fn request_framing(&self) -> Framing {
        self.stated_framing().unwrap_or(Framing::Length(0))
    }

    /// How the body of this response to a request of that method ends.
    pub fn response_framing(&self, method: &str) -> Framing {
        match self.status() {
            100..200 | 204 | 304 => Framing::Length(0),
            _ if method == "HEAD" => Framing::Length(0),
            _ => self.stated_framing().unwrap_or(Framing::Close),
        }
    }
}

/// Takes a piece of a body: as it was on the wire, with chunk marks, and as what it means.
pub type Sink<'a> = dyn FnMut(&[u8], &[u8]) -> io::Result<()> + 'a;

/// Reads a body piece by piece as it arrives.
pub fn body(reader: &mut impl BufRead, framing: Framing, sink: &mut Sink<'_>) -> io::Result<()> {
    match framing {
        Framing::Length(length) => piece(reader, length, sink),
        Framing::Close => loop {
            let bytes = match reader.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(bytes) => bytes,
                // an end without TLS's close_notify
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            };
            let length = bytes.len();
            sink(bytes, bytes)?;
            reader.consume(length);
        },
        Framing::Chunked => loop {
            let line = line(reader)?;
            sink(&line, b"")?;
            let text = String::from_utf8_lossy(&line);
            let size = text.split(';').next().unwrap_or_default().trim().to_owned();
            let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
            if size == 0 {
                return trailers(reader, sink);
            }
            piece(reader, size, sink)?;
            let mut end = [0; 2];
            reader.read_exact(&mut end)?;
            sink(&end, b"")?;
        },
    }
}

/// Reads a whole body: as it was on the wire, and what it means.
pub fn whole_body(reader: &mut impl BufRead, framing: Framing) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut wire, mut meaning) = (Vec::new(), Vec::new());
    body(reader, framing, &mut |raw, data| {
        wire.extend_from_slice(raw);
        meaning.extend_from_slice(data);
        Ok(())
    })?;
    Ok((wire, meaning))
}

fn piece(reader: &mut impl BufRead, mut length: u64, sink: &mut Sink<'_>) -> io::Result<()> {
    while length > 0 {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let part = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        sink(&bytes[..part], &bytes[..part])?;
        reader.consume(part);
        length -= part as u64;
    }
    Ok(())
}

fn trailers(reader: &mut impl BufRead, sink: &mut Sink<'_>) -> io::Result<()> {
    loop {
        let line = line(reader)?;
        sink(&line, b"")?;
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(16 * 1024).read_until(b'\n', &mut line)?;
    if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
