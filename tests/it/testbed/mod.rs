//! Real clusters for tests: etcd, kube-apiserver and kube-controller-manager, without nodes.
//!
//! ```ignore
//! // three control planes that all tests share, empty; held until the end of the test
//! let Some(planes) = testbed::shared(3) else { return };
//! fs::write(folder.join("kubeconfig"), planes[0].admin_kubeconfig("c1"));
//! // pods become ready and load balancers get addresses
//! let kubelet = Kubelet::start(&planes[0]);
//! // … run meshgen …
//! assert_eq!(planes[0].writes().len(), 0, "a second apply writes nothing");
//! ```
//!
//! - [`shared`] for most tests; [`start_many`] or [`ControlPlane::start`] (seconds, and some 400 MB
//!   each) for those that need their own. Both are `None` where the tools cannot be had.
//! - [`ControlPlane`]: kubeconfigs of an administrator and of users, [`Client`], what was written
//!   ([`ControlPlane::writes`]), death and return of the API server, [`ControlPlane::reset`].
//! - [`Kubelet`]: nothing becomes ready without one. Deployments are rolled out by the controller
//!   manager.
//! - [`Proxy`]: counts requests, fails as it is told ([`Fault`]), runs a hook at the n-th write
//!   ([`When`]): kill meshgen there.
//! - [`exec`] and [`port_forward`]: the other end of the streams into pods, for who answers as a node.
//! - [`Node`]: port-forwards into pods, answered by the test; [`Reader`]: what an istiod does with
//!   remote secrets, and what it says of it. [`Pilot`] is Istio's own, where it is to be had.
//! - [`Istiod`]: its webhooks, without which no pod of an injected namespace is made. Needs a network
//!   namespace: the test begins with `if !testbed::in_namespace("module::name") { return; }`.
//!   Control planes inside are others than those outside.
//!
//! Servers die with the test binary, however it dies.

#![allow(dead_code, reason = "tools for tests: not each is in use at any time")]

mod audit;
mod client;
mod control_plane;
mod fault;
mod http;
mod istiod;
mod keys;
mod kubelet;
mod namespace;
mod node;
mod pilot;
mod process;
mod proxy;
mod reader;
mod reset;
mod selftest;
mod stream;
mod tls;

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

#[allow(unused_imports, reason = "the same")]
pub use self::{
    audit::AuditEvent,
    client::{Answer, Client},
    control_plane::{ControlPlane, PATIENCE, start_many},
    fault::{Fault, When},
    http::{Head, whole_body},
    istiod::Istiod,
    keys::{Authority, Identity, key, kubeconfig},
    kubelet::{Addresses, Kubelet},
    namespace::in_namespace,
    node::Node,
    pilot::Pilot,
    process::Server,
    proxy::Proxy,
    reader::Reader,
    stream::{Connection, End, Exec, Upgrade, exec, port_forward},
    tls::anybody,
};

/// Control planes that are this test's alone until this is dropped.
pub struct Shared {
    planes: MutexGuard<'static, Vec<ControlPlane>>,
    count: usize,
}

impl Deref for Shared {
    type Target = [ControlPlane];

    fn deref(&self) -> &[ControlPlane] {
        &self.planes[..self.count]
    }
}

/// So many control planes, named `c1`, `c2`, …, out of a set that the whole test binary shares: each
/// is started once, and is empty and alive here. Waits for the test that has them; `None` where
/// the tools cannot be had.
pub fn shared(count: usize) -> Option<Shared> {
    static PLANES: Mutex<Vec<ControlPlane>> = Mutex::new(Vec::new());
    let mut planes = PLANES.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for plane in planes.iter().take(count) {
            scope.spawn(|| plane.reset());
        }
    });
    let names: Vec<String> =
        (planes.len() + 1..=count).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !names.is_empty() {
        planes.extend(start_many(&names)?);
    }
    Some(Shared { planes, count })
}
