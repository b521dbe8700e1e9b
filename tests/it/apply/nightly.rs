//! `just nightly`: the reference job, killed at every write on its way.

use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use super::{Bed, Nodes, live};
use crate::testbed::{self, Proxy, When};
use crate::tool;

/// Writes of records before the first object: the Lease, and the inventory.
const RECORDS: usize = 2;

/// From empty clusters to a mesh, one object a run: each run is killed at its first write of an
/// object, before, at or after it.
#[test]
#[ignore = "a quarter of an hour; `just nightly` asks for it"]
fn the_reference_job_is_killed_at_every_write() {
    if !testbed::in_namespace("apply::nightly::the_reference_job_is_killed_at_every_write") {
        return;
    }
    let Some(planes) = testbed::start_many(&["c1", "c2"]) else { return };
    let _nodes = Nodes::start(&planes);
    let Some(bed) = Bed::reference(&planes) else { return };
    let proxies: Vec<Proxy> = planes.iter().map(Proxy::start).collect();
    let configs: Vec<String> =
        planes.iter().zip(&proxies).map(|(plane, proxy)| proxy.kubeconfig(&plane.name)).collect();
    bed.kubeconfig(&configs);
    let instants = [When::AfterForward, When::BeforeForward, When::AfterAnswer];
    let mut kills = 0;
    for run in 0..1000 {
        for proxy in &proxies {
            proxy.reset();
        }
        let victim: Arc<Mutex<Option<Child>>> = Arc::default();
        let seen = victim.clone();
        let kill = move || {
            if let Some(child) = seen.lock().unwrap().as_mut() {
                let _ = child.kill();
            }
        };
        proxies[run % 2].on_write(RECORDS + 1 + run % 3, instants[run % 3], Box::new(kill));
        let mut held = victim.lock().unwrap();
        let mut command = bed.command(&["apply", "--yes", "-q"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        *held = Some(command.spawn().expect("it starts"));
        drop(held);
        let status = loop {
            if let Some(status) = victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        if status.success() {
            break;
        }
        kills += usize::from(status.code().is_none());
    }
    for proxy in &proxies {
        proxy.reset();
    }
    bed.expect(0, &["apply", "--yes"]);
    for plane in &planes {
        assert!(live::equals_tree(&bed, plane) > 60);
    }
    bed.forget_audits();
    bed.expect(0, &["apply"]);
    bed.wrote_nothing();
    assert!(kills > 60, "{kills} kills");
    tool::announce(&format!("measured: the reference job, killed {kills} times"));
}
