//! The other end of `exec` and `portforward`: what a kubelet answers over a WebSocket.
//!
//! Source: `pkg/apimachinery/.../remotecommand` and `httpstream/wsstream` of Kubernetes: one
//! channel a byte in front of each message. `exec` has stdin, stdout, stderr and the status as 0 to
//! 3; `portforward` has data and errors of the n-th port as 2n and 2n + 1, each of which begins with
//! the port's number.

use std::io::{self, Read, Write};

use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::http::Head;

/// What an upgrade asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// `sub-protocol`: the one that is agreed on.
    protocol: String,
    key: String,
}

/// What a command gave.
#[derive(Debug, Clone, Default)]
pub struct Exec {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// How a command ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    #[default]
    Done,
    /// With an exit code that is not 0.
    Code(i32),
    /// It could not be begun, as the runtime says.
    NotBegun(String),
    /// The connection breaks without a word.
    Breaks,
}

impl Upgrade {
    /// What a request asks for, if it is to become a WebSocket.
    pub fn of(head: &Head) -> Option<Self> {
        let is_upgrade =
            head.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
        let offered = head.header("sec-websocket-protocol").unwrap_or_default();
        let protocol = offered.split(',').map(str::trim).next().unwrap_or_default().to_owned();
        let key = head.header("sec-websocket-key")?.to_owned();
        is_upgrade.then_some(Self { protocol, key })
    }

    /// Agrees, and speaks WebSocket from here on.
    fn accept<S: Read + Write>(&self, mut stream: S) -> io::Result<WebSocket<S>> {
        let accept = derive_accept_key(self.key.as_bytes());
        let protocol = &self.protocol;
        write!(
            stream,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        )?;
        stream.flush()?;
        let config = WebSocketConfig::default();
        Ok(WebSocket::from_raw_socket(stream, Role::Server, Some(config)))
    }
}

/// Answers an `exec`.
pub fn exec<S: Read + Write>(stream: S, upgrade: &Upgrade, output: &Exec) -> io::Result<()> {
    let mut socket = upgrade.accept(stream)?;
    for (channel, bytes) in [(1, &output.stdout), (2, &output.stderr)] {
        // as a kubelet does: what is read from a pipe at once
        for part in bytes.chunks(32 << 10) {
            send(&mut socket, channel, part)?;
        }
    }
    let status = match &output.end {
        End::Breaks => return Ok(()),
        End::Done => json!({"metadata": {}, "status": "Success"}),
        End::Code(code) => failure(
            "NonZeroExitCode",
            &format!("command terminated with non-zero exit code: exit status {code}"),
            &json!({"causes": [{"reason": "ExitCode", "message": code.to_string()}]}),
        ),
        End::NotBegun(why) => failure("InternalError", why, &Value::Null),
    };
    send(&mut socket, 3, status.to_string().as_bytes())?;
    close(socket)
}

fn failure(reason: &str, message: &str, details: &Value) -> Value {
    json!({
        "metadata": {},
        "status": "Failure",
        "reason": reason,
        "message": message,
        "details": details,
        "code": 500,
    })
}

/// What is done on a connection.
pub type Work<'a> = dyn FnMut(&mut dyn Connection) -> io::Result<()> + 'a;

/// Answers a `portforward` of one port: `work` gets the connection, or there is none, as the runtime
/// says.
pub fn port_forward<S: Read + Write>(
    stream: S,
    upgrade: &Upgrade,
    port: u16,
    work: Result<&mut Work<'_>, String>,
) -> io::Result<()> {
    let mut socket = upgrade.accept(stream)?;
    for channel in [0, 1] {
        send(&mut socket, channel, &port.to_le_bytes())?;
    }
    match work {
        Ok(work) => {
            let mut channel = Channel { socket: &mut socket, rest: Vec::new() };
            // a client that has seen enough is no fault
            let _ = work(&mut channel);
        }
        Err(why) => send(&mut socket, 1, why.as_bytes())?,
    }
    close(socket)
}

/// Both directions of a connection.
pub trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// The data of one port.
struct Channel<'a, S> {
    socket: &'a mut WebSocket<S>,
    rest: Vec<u8>,
}

impl<S: Read + Write> Read for Channel<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.socket.read() {
                Ok(Message::Binary(bytes)) if bytes.first() == Some(&0) => {
                    self.rest = bytes[1..].to_vec();
                }
                Ok(Message::Close(_)) => return Ok(0),
                Ok(_) => {}
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        let count = self.rest.len().min(into.len());
        into[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

impl<S: Read + Write> Write for Channel<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = &bytes[..bytes.len().min(32 << 10)];
        send(self.socket, 0, part)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn send<S: Read + Write>(socket: &mut WebSocket<S>, channel: u8, bytes: &[u8]) -> io::Result<()> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    socket.send(Message::binary(message)).map_err(io::Error::other)
}

/// Says that this was all, and waits until the other side has heard it.
fn close<S: Read + Write>(mut socket: WebSocket<S>) -> io::Result<()> {
    let closed = socket.close(None).and_then(|()| {
        loop {
            socket.read()?;
        }
    });
    match closed {
        Ok(()) | Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
            Ok(())
        }
        // it was gone before
        Err(tungstenite::Error::Io(_) | tungstenite::Error::Protocol(_)) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}
