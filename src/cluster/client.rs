//! Requests to one API server: deadlines, retries, and what its answers mean.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::payload::hide;
use super::resource::segment;
use super::stop::{Stop, StopReason};

/// The field manager of everything that meshgen applies.
pub const MANAGER: &str = "meshgen";

/// How long one request may take, body included.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long all tries of one request may take.
const TOTAL: Duration = Duration::from_secs(90);
/// How often a request is tried.
const TRIES: u32 = 8;
/// Most that is held of an answer: a page of objects of a quarter MiB each. A server that never ends would
/// fill the memory.
const MAX_ANSWER: usize = 128 << 20;
/// Objects of one page of a list.
const PAGE: usize = 500;
const MERGE: &str = "application/merge-patch+json";

/// Why a request gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// No answer, or half of one.
    #[error("the API server does not answer: {0}")]
    Unreachable(String),
    /// An answer that no API server gives.
    #[error("the answer of the API server is longer than {} MiB", MAX_ANSWER >> 20)]
    TooLong,
    /// The server said no.
    #[error("the API server refuses: {0}")]
    Status(Box<Status>),
    /// The run was stopped before this write was sent.
    #[error("{0}")]
    Stopped(StopReason),
}

/// A refusal, as Kubernetes' `Status` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// `Conflict`, `Invalid`, `Forbidden`, …
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// What in particular.
    pub causes: Vec<Cause>,
    /// Seconds until another try is welcome.
    pub retry_after: Option<u64>,
}

/// One cause of a [`Status`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// `FieldManagerConflict`, `FieldValueInvalid`, …
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// The field: `.spec.replicas`.
    pub field: String,
}

impl RequestError {
    /// The refusal, if it is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            RequestError::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the server refuses with this HTTP status.
    pub fn is(&self, code: u16) -> bool {
        self.status().is_some_and(|status| status.code == code)
    }
}

/// How an apply is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Only say what would come out, with every field checked against the schema.
    pub dry_run: bool,
    /// Take fields from other managers.
    pub force: bool,
}

/// A connection to one cluster.
#[derive(Clone)]
pub struct Client {
    inner: kube::Client,
    stop: Stop,
    requests: Arc<AtomicUsize>,
}

impl Client {
    /// A client whose writes end when `stop` says so.
    pub fn new(inner: kube::Client, stop: Stop) -> Self {
        Self { inner, stop, requests: Arc::default() }
    }

    /// How many requests were sent.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// The client below, for what is no single exchange.
    pub(super) fn kube(&self) -> kube::Client {
        self.inner.clone()
    }

    pub(super) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// What ends the writes of this client.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The object at an address; `None` if it is not there.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, RequestError> {
        absent(self.send(Method::GET, path, None).await)
    }

    /// All objects of a collection, read page by page; empty if there is no such kind.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, RequestError> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        let mut restarted = false;
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let mut page = format!("{path}{join}limit={PAGE}");
            if let Some(token) = &next {
                page.push_str("&continue=");
                page.push_str(&segment(token));
            }
            let answer = match self.send(Method::GET, &page, None).await {
                // the list took longer than the server keeps its snapshot: from the start, once
                Err(error) if error.is(410) && next.is_some() && !restarted => {
                    (next, restarted) = (None, true);
                    all.clear();
                    continue;
                }
                other => absent(other)?,
            };
            let Some(mut answer) = answer else { return Ok(all) };
            // items of a list do not say what they are
            let kind = answer.get("kind").and_then(Value::as_str).unwrap_or_default();
            let kind = Value::from(kind.strip_suffix("List").unwrap_or(kind));
            let version = answer.get("apiVersion").cloned().unwrap_or(Value::Null);
            if let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) {
                for mut item in items {
                    item["kind"] = kind.clone();
                    item["apiVersion"] = version.clone();
                    all.push(item);
                }
            }
            next = answer.pointer("/metadata/continue").and_then(Value::as_str).map(str::to_owned);
            if next.as_deref().is_none_or(str::is_empty) {
                return Ok(all);
            }
        }
    }

    /// Server-side apply of an object, as the manager [`MANAGER`].
    pub async fn apply(
        &self,
        path: &str,
        object: &Value,
        options: ApplyOptions,
    ) -> Result<Value, RequestError> {
        let mut query = format!("?fieldManager={MANAGER}&fieldValidation=Strict");
        if options.force {
            query.push_str("&force=true");
        }
        if options.dry_run {
            query.push_str("&dryRun=All");
        } else {
            self.stop.check().map_err(RequestError::Stopped)?;
        }
        let body = Body { kind: "application/apply-patch+yaml", bytes: bytes(object) };
        let answer = self.send(Method::PATCH, &format!("{path}{query}"), Some(body)).await;
        answer.map_err(|error| match error {
            RequestError::Status(mut status) => {
                status.message = hide(&status.message, object);
                for cause in &mut status.causes {
                    cause.message = hide(&cause.message, object);
                }
                RequestError::Status(status)
            }
            other => other,
        })
    }

    /// Creates an object in a collection. A second try after a lost answer finds it there: 409.
    pub async fn create(&self, collection: &str, object: &Value) -> Result<Value, RequestError> {
        self.stop.check().map_err(RequestError::Stopped)?;
        self.create_anyway(&format!("{collection}?fieldManager={MANAGER}"), object).await
    }

    /// As [`Client::create`], for requests that change nothing: reviews, dry runs.
    pub async fn create_anyway(&self, path: &str, object: &Value) -> Result<Value, RequestError> {
        let body = Body { kind: "application/json", bytes: bytes(object) };
        self.send(Method::POST, path, Some(body)).await
    }

    /// Replaces an object, whose `metadata.resourceVersion` says which state is replaced.
    ///
    /// `last` is for what must be written even when the run was stopped: giving the Lease back.
    pub async fn put(&self, path: &str, object: &Value, last: bool) -> Result<Value, RequestError> {
        if !last {
            self.stop.check().map_err(RequestError::Stopped)?;
        }
        let body = Body { kind: "application/json", bytes: bytes(object) };
        let path = format!("{path}?fieldManager={MANAGER}");
        self.send(Method::PUT, &path, Some(body)).await
    }

    /// A JSON merge patch, for what server-side apply cannot say: who manages which fields. It holds
    /// the `resourceVersion` that it was made from: a conflict is not tried again.
    pub async fn merge(&self, path: &str, patch: &Value) -> Result<Value, RequestError> {
        self.stop.check().map_err(RequestError::Stopped)?;
        let body = Body { kind: MERGE, bytes: bytes(patch) };
        let path = format!("{path}?fieldManager={MANAGER}");
        self.send(Method::PATCH, &path, Some(body)).await
    }

    /// Deletes the object with this UID, and no other of that name. `false` if it is gone already.
    pub async fn delete(&self, path: &str, uid: &str) -> Result<bool, RequestError> {
        self.stop.check().map_err(RequestError::Stopped)?;
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        });
        let body = Body { kind: "application/json", bytes: bytes(&options) };
        Ok(absent(self.send(Method::DELETE, path, Some(body)).await)?.is_some())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Body>,
    ) -> Result<Value, RequestError> {
        let started = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(100);
        let mut tried = 0;
        loop {
            tried += 1;
            let result = self.once(&method, path, body.as_ref()).await;
            let Err(error) = &result else { return result };
            // a patch of a known state is made anew by whom it came from
            let is_stale = error.is(409) && body.as_ref().is_some_and(|body| body.kind == MERGE);
            let wait = match again(&method, error) {
                _ if is_stale => return result,
                Again::No => return result,
                Again::Soon => pause,
                Again::After(wait) => wait,
            };
            // a stopped run waits for nobody
            if tried >= TRIES || started.elapsed() + wait > TOTAL || self.stop.check().is_err() {
                return result;
            }
            self.stop.or(sleep(wait)).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Value, RequestError> {
        self.count();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("meshgen/", env!("CARGO_PKG_VERSION")));
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, body.kind);
        }
        let bytes = body.map(|body| body.bytes.to_vec()).unwrap_or_default();
        let request = request
            .body(kube::client::Body::from(bytes))
            .map_err(|error| RequestError::Unreachable(error.to_string()))?;
        let exchange = async {
            let answer = self.inner.send(request).await.map_err(|error| transport(&error))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return RequestError::TooLong;
                }
                RequestError::Unreachable(format!("half an answer: {}", chain(&*error)))
            })?;
            Ok((head, body.to_bytes()))
        };
        let Ok(result) = timeout(DEADLINE, exchange).await else {
            let text = format!("no answer within {} s", DEADLINE.as_secs());
            return Err(RequestError::Unreachable(text));
        };
        let (head, bytes) = result?;
        let json: Result<Value, _> = serde_json::from_slice(&bytes);
        if head.status.is_success() {
            return json.map_err(|error| RequestError::Unreachable(format!("no JSON: {error}")));
        }
        let retry_after = head.headers.get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let code = head.status.as_u16();
        let status = match json {
            Ok(value) if value.get("kind").and_then(Value::as_str) == Some("Status") => {
                Status::of(&value, code, retry_after)
            }
            // what a server says of a group that it does not have
            _ if code == 404 && bytes.trim_ascii() == b"404 page not found" => {
                Status { code, message: "not found".to_owned(), ..Status::default() }
            }
            // something before the server: it knows nothing of what is there
            _ if code == 404 => {
                let text = "the answer is 404, and not from an API server".to_owned();
                return Err(RequestError::Unreachable(text));
            }
            // its text may repeat what was sent, and is not quoted
            _ => {
                Status { code, message: head.status.to_string(), retry_after, ..Status::default() }
            }
        };
        Err(RequestError::Status(Box::new(status)))
    }
}

impl Status {
    fn of(value: &Value, code: u16, retry_after: Option<u64>) -> Self {
        let text = |value: &Value, key: &str| {
            value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let causes = value.pointer("/details/causes").and_then(Value::as_array);
        let cause = |cause: &Value| Cause {
            reason: text(cause, "reason"),
            message: text(cause, "message"),
            field: text(cause, "field"),
        };
        let seconds = value.pointer("/details/retryAfterSeconds").and_then(Value::as_u64);
        Self {
            code,
            reason: text(value, "reason"),
            message: text(value, "message"),
            causes: causes.into_iter().flatten().map(cause).collect(),
            retry_after: retry_after.or(seconds),
        }
    }

    /// Whether it is a webhook that failed, not the request.
    pub fn is_webhook(&self) -> bool {
        self.message.contains("failed calling webhook")
            || self.message.contains("does not support dry run")
    }
}

struct Body {
    kind: &'static str,
    bytes: zeroize::Zeroizing<Vec<u8>>,
}

/// Whether a request is worth another try, and when if the server said so.
///
/// All that we send can be sent twice: reads, applies, replacements of a known state, deletions of
/// a known UID, and creations, which then find the object there.
fn again(method: &Method, error: &RequestError) -> Again {
    let status = match error {
        RequestError::Unreachable(_) => return Again::Soon,
        RequestError::Stopped(_) | RequestError::TooLong => return Again::No,
        RequestError::Status(status) => status,
    };
    let is_worth = match status.code {
        429 | 502..=504 => true,
        // a webhook that is down stays down for a while, and is told apart
        500 => !status.is_webhook(),
        // an apply meets a write of somebody else between its read and its write
        409 => {
            *method == Method::PATCH && status.causes.is_empty() && !status.message.contains("uid")
        }
        _ => false,
    };
    match status.retry_after {
        _ if !is_worth => Again::No,
        Some(seconds) => Again::After(Duration::from_secs(seconds.min(30))),
        None => Again::Soon,
    }
}

/// Whether a request is sent once more.
enum Again {
    No,
    Soon,
    After(Duration),
}

fn absent(result: Result<Value, RequestError>) -> Result<Option<Value>, RequestError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is(404) => Ok(None),
        Err(error) => Err(error),
    }
}

fn bytes(value: &Value) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(serde_json::to_vec(value).expect("a JSON value can be written"))
}

/// What a failed exchange says, without what an exec plugin printed.
pub(super) fn transport(error: &kube::Error) -> RequestError {
    RequestError::Unreachable(match error {
        kube::Error::Auth(error) => super::connect::credentials(error, None),
        other => chain(other),
    })
}

/// An error with its causes; libraries hide the telling part at the end.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.last().cloned().unwrap_or_default()
}
