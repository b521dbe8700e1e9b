//! Killed at every write of a rotation.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Mesh, OWN, is_refused, secret, token};
use crate::testbed::{Proxy, When, shared};
use crate::tool;

const ROTATE: [&str; 4] = ["pki", "rotate-tokens", "c1", "--yes"];
const INSTANTS: [When; 3] = [When::BeforeForward, When::AfterForward, When::AfterAnswer];

/// Runs a rotation and kills it at the n-th write to a cluster.
fn killed(mesh: &Mesh<'_>, proxies: &[Proxy], at: usize, n: usize, when: When) {
    proxies.iter().for_each(Proxy::reset);
    let victim: Arc<Mutex<Option<std::process::Child>>> = Arc::default();
    let fired = Arc::new(AtomicBool::new(false));
    let (seen, told) = (victim.clone(), fired.clone());
    let kill = move || {
        told.store(true, Ordering::SeqCst);
        let mut child = seen.lock().unwrap();
        child.as_mut().unwrap().kill().unwrap();
    };
    proxies[at].on_write(n, when, Box::new(kill));
    let mut held = victim.lock().unwrap();
    let mut command = mesh.bed.command(&ROTATE);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    *held = Some(command.spawn().unwrap());
    drop(held);
    loop {
        // the hook needs the lock too
        if victim.lock().unwrap().as_mut().unwrap().try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    proxies.iter().for_each(Proxy::reset);
    assert!(fired.load(Ordering::SeqCst), "write {n} to c{} never came", at + 1);
}

#[test]
fn killed_at_every_write_of_a_rotation_it_goes_on() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let proxies: Vec<Proxy> = planes.iter().map(Proxy::start).collect();
    let configs: Vec<String> = proxies
        .iter()
        .zip(planes.iter())
        .map(|(proxy, plane)| proxy.kubeconfig(&plane.name))
        .collect();
    mesh.bed.kubeconfig(&configs);
    let started = Instant::now();
    mesh.bed.expect(0, &ROTATE);
    let whole = started.elapsed().as_secs_f64();
    mesh.is_whole("whole");
    // what others than meshgen write does not come this way
    let writes: Vec<usize> = proxies.iter().map(Proxy::writes).collect();

    let every = std::env::var_os("MESHGEN_EVERY_KILL").is_some();
    let started = Instant::now();
    let mut olds = Vec::new();
    for (at, writes) in writes.iter().enumerate() {
        for n in 1..=*writes {
            for (number, when) in INSTANTS.into_iter().enumerate() {
                // each write at one of its instants, unless all are asked for
                if !every && (n + at) % INSTANTS.len() != number {
                    continue;
                }
                let what = format!("killed at write {n} of {writes} to c{}, {when:?}", at + 1);
                let old = token(&secret(&planes[0], OWN));
                killed(&mesh, &proxies, at, n, when);
                mesh.nobody_was_refused(&what);
                // others may apply meanwhile; istiods that were told before anything was noted about
                // the token that they got so are given a minute, once in `stopped` by default
                if n % 2 == 0 && (every || at > 0) {
                    mesh.bed.expect(0, &["apply", "--yes"]);
                    mesh.nobody_was_refused(&what);
                }
                mesh.bed.expect(0, &ROTATE);
                mesh.is_whole(&what);
                mesh.bed.forget_audits();
                mesh.bed.expect(0, &["apply", "--yes"]).must_not_have("holds the Lease");
                mesh.bed.wrote_nothing();
                assert_ne!(token(&secret(&planes[0], OWN)), old, "{what}");
                olds.push(old);
            }
        }
    }
    for old in &olds {
        is_refused(&planes[0], old);
    }
    mesh.nobody_was_refused("long after");
    mesh.keeps_tokens();
    tool::announce(&format!(
        "measured: a rotation: {whole:.1} s; {} kills of rotations with {writes:?} writes: {:.0} s",
        olds.len(),
        started.elapsed().as_secs_f64()
    ));
}
