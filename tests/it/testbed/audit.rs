//! What was written to a cluster, and by whom: the API server's own audit log.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::control_plane::{ControlPlane, PATIENCE};

/// Writes alone, once, when they are done.
pub const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
";

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// `create`, `update`, `patch`, `delete` or `deletecollection`; server-side apply is `patch`.
    pub verb: String,
    /// With its subresource: `pods/status`.
    pub resource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty where the request does not name the object, as some creations do.
    pub name: String,
    pub user: String,
    pub user_agent: String,
    pub dry_run: bool,
    /// The status of the answer.
    pub code: u16,
}

impl AuditEvent {
    fn read(line: &str) -> Option<(Self, String)> {
        let event: Value = serde_json::from_str(line).ok()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        let resource = match object["subresource"].as_str() {
            Some(sub) => format!("{}/{sub}", text(&object["resource"])),
            None => text(&object["resource"]),
        };
        let uri = text(&event["requestURI"]);
        let code = event["responseStatus"]["code"].as_u64().unwrap_or(0);
        let read = Self {
            verb: text(&event["verb"]),
            resource,
            namespace: text(&object["namespace"]),
            name: text(&object["name"]),
            user: text(&event["user"]["username"]),
            user_agent: text(&event["userAgent"]),
            dry_run: uri.contains("dryRun=All"),
            code: u16::try_from(code).unwrap_or(0),
        };
        Some((read, uri))
    }

    /// Whether meshgen asked for a change of the cluster: no dry run, and no review of permissions.
    pub fn is_write_of_meshgen(&self) -> bool {
        !self.dry_run
            && !self.resource.ends_with("reviews")
            && self.user_agent.starts_with("meshgen/")
    }
}

impl ControlPlane {
    /// Every write since the start, or since [`ControlPlane::forget_audit`], in the order in which
    /// they ended. Whatever was answered before this call is in it.
    pub fn audit(&self) -> Vec<AuditEvent> {
        let from = usize::try_from(*self.audited.lock().expect("no thread panics here"));
        let from = from.expect("a log fits in memory");
        let marks = "fieldManager=testbed-mark-";
        let mark = self.mark(marks);
        let started = Instant::now();
        loop {
            let bytes = fs::read(self.path("audit.log")).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes[from.min(bytes.len())..]).into_owned();
            if mark.as_ref().is_none_or(|mark| text.contains(mark)) {
                let events = text.lines().filter_map(AuditEvent::read);
                return events.filter(|(_, uri)| !uri.contains(marks)).map(|pair| pair.0).collect();
            }
            assert!(started.elapsed() < PATIENCE, "the audit log of {} stands still", self.name);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The writes of meshgen: what [`AuditEvent::is_write_of_meshgen`] holds for.
    pub fn writes(&self) -> Vec<AuditEvent> {
        let mut events = self.audit();
        events.retain(AuditEvent::is_write_of_meshgen);
        events
    }

    /// Later calls of [`ControlPlane::audit`] begin here.
    pub fn forget_audit(&self) {
        self.audit();
        let length = fs::metadata(self.path("audit.log")).map_or(0, |data| data.len());
        *self.audited.lock().expect("no thread panics here") = length;
    }

    /// Leaves a mark in the log: a line is written after its answer, so only a later line says that
    /// the earlier ones are there. `None` where no server runs.
    fn mark(&self, marks: &str) -> Option<String> {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let mark = format!("{marks}{}.", MARKS.fetch_add(1, Ordering::SeqCst));
        let path = format!("/api/v1/namespaces?dryRun=All&{mark}");
        let object = json!({"metadata": {"name": "testbed-mark"}});
        let client = self.client();
        let answer = client.try_request("POST", &path, Some(("application/json", &object)));
        answer.ok().map(|_| mark)
    }
}
