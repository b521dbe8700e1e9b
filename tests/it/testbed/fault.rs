//! What a proxy can do to a request.

use std::time::Duration;

use serde_json::json;

/// When, around a write, a hook runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// The server does not get it.
    BeforeForward,
    /// The server has done it and has answered, the client does not get the answer.
    AfterForward,
    /// The client was sent the answer.
    AfterAnswer,
}

/// What happens to a request instead of what should.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An answer of the proxy, with a Kubernetes `Status`; the server does not get the request.
    Status { code: u16, retry_after: Option<u32> },
    /// The connection ends; the server does not get the request.
    Reset,
    /// The request waits so long, then goes on as if nothing had been.
    Stall(Duration),
    /// The server gets the request; the client half the body of the answer, then the connection ends.
    HalfBody,
    /// An answer that does not end; the server does not get the request.
    Endless,
    /// As an expired token: 401; the server does not get the request.
    Unauthorized,
}

impl Fault {
    /// A status without `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }

    /// The answer of the proxy, where this is one.
    pub(super) fn answer(&self) -> Option<String> {
        match self {
            Self::Status { code, retry_after } => Some(answer(*code, *retry_after)),
            Self::Unauthorized => Some(answer(401, None)),
            _ => None,
        }
    }
}

fn answer(code: u16, retry_after: Option<u32>) -> String {
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    };
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("the testbed answers {code}"), "reason": reason, "code": code,
    });
    let mut headers = String::new();
    if let Some(seconds) = retry_after {
        body["details"] = json!({"retryAfterSeconds": seconds});
        headers = format!("Retry-After: {seconds}\r\n");
    }
    let body = body.to_string();
    format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
