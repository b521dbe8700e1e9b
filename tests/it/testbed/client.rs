//! A small blocking client of an API server.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ClientConfig;
use serde_json::Value;

use super::http::{self, Head};
use super::tls::{self, ClientStream};

/// A client with one connection, which it keeps. It says that it is `testbed`, not `meshgen/…`.
pub struct Client {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    agent: String,
    token: Option<String>,
    connection: Mutex<Option<ClientStream>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The body, or a JSON string where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a success; panics otherwise.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }
}

impl Client {
    /// A client of the server there.
    pub fn new(address: SocketAddr, tls: Arc<ClientConfig>, agent: &str) -> Self {
        Self { address, tls, agent: agent.to_owned(), token: None, connection: Mutex::new(None) }
    }

    /// The same, with a bearer token.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The object at this path; `None` where there is none.
    pub fn get(&self, path: &str) -> Option<Value> {
        let answer = self.request("GET", path, None);
        (answer.status != 404).then(|| answer.ok())
    }

    /// The items of a list.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let mut list = self.get(path).unwrap_or_default();
        match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    /// Creates an object below this path.
    pub fn post(&self, path: &str, object: &Value) -> Value {
        self.request("POST", path, Some(("application/json", object))).ok()
    }

    /// Replaces the object at this path.
    pub fn put(&self, path: &str, object: &Value) -> Value {
        self.request("PUT", path, Some(("application/json", object))).ok()
    }

    /// Patches the object at this path; `application/merge-patch+json` is the usual type.
    pub fn patch(&self, path: &str, content_type: &str, patch: &Value) -> Value {
        self.request("PATCH", path, Some((content_type, patch))).ok()
    }

    /// Server-side apply, without force.
    pub fn apply(&self, path: &str, manager: &str, object: &Value) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}fieldManager={manager}");
        self.request("PATCH", &path, Some(("application/apply-patch+yaml", object)))
    }

    /// Deletes what is at this path; `false` where nothing is.
    pub fn delete(&self, path: &str) -> bool {
        let answer = self.request("DELETE", path, None);
        answer.status != 404 && !answer.ok().is_null()
    }

    /// Any request, whatever comes of it; panics where no answer comes.
    pub fn request(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Answer {
        self.try_request(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path} at {}: {error}", self.address))
    }

    /// Any request; an error where no answer comes.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &Value)>,
    ) -> io::Result<Answer> {
        let accept = match path {
            // all groups in one answer
            "/api" | "/apis" => {
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            }
            _ => "application/json",
        };
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: {accept}\r\n",
            self.address, self.agent
        );
        let payload = body.map_or(String::new(), |(_, value)| value.to_string());
        if let Some(token) = &self.token {
            text += &format!("Authorization: Bearer {token}\r\n");
        }
        if let Some((kind, _)) = body {
            text += &format!("Content-Type: {kind}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{payload}", payload.len());

        let mut kept = self.connection.lock().expect("no thread panics here");
        if let Some(mut stream) = kept.take()
            && let Ok(answer) = exchange(&mut stream, method, &text)
        {
            *kept = answer.1.then_some(stream);
            return Ok(answer.0);
        }
        let mut stream = tls::connect(&self.tls, self.address)?;
        stream.get_ref().sock.set_read_timeout(Some(Duration::from_secs(60)))?;
        let (answer, keep) = exchange(&mut stream, method, &text)?;
        *kept = keep.then_some(stream);
        Ok(answer)
    }
}

/// One request and its answer, and whether the connection may be kept.
fn exchange(stream: &mut ClientStream, method: &str, text: &str) -> io::Result<(Answer, bool)> {
    stream.get_mut().write_all(text.as_bytes())?;
    stream.get_mut().flush()?;
    let head = Head::read(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let (_, bytes) = http::whole_body(stream, head.response_framing(method))?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    let keep = !head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok((Answer { status: head.status(), body }, keep))
}
