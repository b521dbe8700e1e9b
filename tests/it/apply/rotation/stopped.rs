//! An istiod that does not take the new token, and what others do meanwhile.

use std::process::Stdio;

use super::{
    ACCOUNT, ACCOUNTS, Mesh, OWN, SECOND, is_refused, remote, secret, takes, token, until, writes,
};
use crate::testbed::shared;

#[test]
fn nothing_is_taken_away_before_every_istiod_has_the_new_token() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let bed = &mesh.bed;
    let before = secret(&planes[0], OWN);
    let old = token(&before);
    // it says that c1 is synced, all the time
    mesh.readers[2].deaf(true);
    let rotate = ["pki", "rotate-tokens", "c1", "--yes", "--timeout", "4s"];
    let said = bed.expect(3, &rotate);
    said.must_have("istiod-of-others has not been told").must_have("c1  failed");
    said.must_have("meshgen pki rotate-tokens c1");
    assert_eq!(secret(&planes[0], OWN), secret_but_used(&before, &secret(&planes[0], OWN)));
    let second = token(&secret(&planes[0], SECOND));
    assert!(takes(&planes[0], &old) && takes(&planes[0], &second));
    assert_eq!(remote(&planes[1], "c1").as_ref(), Some(&second));

    // an apply puts the own token out, and leaves the second where it is
    bed.expect(0, &["apply", "--yes"]).must_have("a token is being made anew");
    assert_eq!(remote(&planes[1], "c1").as_ref(), Some(&old));
    assert_eq!(token(&secret(&planes[0], SECOND)), second);
    bed.forget_audits();
    bed.expect(0, &["apply", "--yes"]);
    bed.expect(0, &["plan"]).must_have("meshgen pki rotate-tokens c1");
    bed.wrote_nothing();

    mesh.readers[2].deaf(false);
    until("it is told", || mesh.readers[2].token("c1").as_ref() == Some(&old));
    let said = bed.expect(2, &["pki", "rotate-tokens", "c1"]);
    said.must_have("goes on with a rotation that was stopped");
    let said = bed.expect(0, &["pki", "rotate-tokens", "c1", "--yes"]);
    said.must_have("a rotation that was stopped is done");
    mesh.is_whole("gone on with");
    is_refused(&planes[0], &old);
    is_refused(&planes[0], &second);
    mesh.nobody_was_refused("long after");
    mesh.keeps_tokens();
}

#[test]
fn an_apply_in_between_is_seen_for_what_it_made() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let bed = &mesh.bed;
    let old = token(&secret(&planes[0], OWN));
    let rotate = ["pki", "rotate-tokens", "c1", "--yes"];
    let client = planes[0].client();
    mesh.readers[1].deaf(true);
    bed.expect(3, &["pki", "rotate-tokens", "c1", "--yes", "--timeout", "3s"]);
    mesh.readers[1].deaf(false);
    let second = token(&secret(&planes[0], SECOND));
    for plane in &planes[1..] {
        until("it has the second token", || remote(plane, "c1").as_ref() == Some(&second));
    }
    mesh.reads_all();
    // as if it had been killed between the end of the old Secret and that of its account: an apply
    // gets the same token again, and nobody may take that for a new one
    client.delete(&format!("{}/{OWN}", super::SECRETS));
    bed.expect(0, &["apply", "--yes"]);
    assert_eq!(token(&secret(&planes[0], OWN)), old, "RSA signs the same with the same bytes");
    mesh.reads_all();
    let said = bed.expect(2, &["pki", "rotate-tokens", "c1"]);
    said.must_have("goes on with a rotation that was stopped: the second token goes out");
    mesh.readers[1].deaf(true);
    bed.expect(3, &["pki", "rotate-tokens", "c1", "--yes", "--timeout", "3s"]);
    mesh.readers[1].deaf(false);
    for plane in &planes[1..] {
        until("it has it again", || remote(plane, "c1").as_ref() == Some(&second));
    }
    mesh.reads_all();
    // as if it had been killed between the new account and the new Secret
    client.delete(&format!("{}/{OWN}", super::SECRETS));
    let account = format!("{ACCOUNTS}/{ACCOUNT}");
    let before = client.get(&account).expect("an account")["metadata"]["uid"].clone();
    client.delete(&account);
    until("it is gone", || {
        client.get(&account).is_none_or(|live| live["metadata"]["uid"] != before)
    });
    client.post(ACCOUNTS, &serde_json::json!({"metadata": {"name": ACCOUNT}}));
    until("an apply makes its token", || {
        bed.output(&["apply", "--yes"]).status.success()
            && client
                .get(&format!("{}/{OWN}", super::SECRETS))
                .is_some_and(|own| own["data"]["token"].is_string() && token(&own) != old)
    });
    bed.expect(0, &["apply", "--yes"]);
    let new = token(&secret(&planes[0], OWN));
    assert!(new != old && new != second);
    assert_eq!(remote(&planes[1], "c1").as_ref(), Some(&new));
    assert_eq!(token(&secret(&planes[0], SECOND)), second, "it is not pruned");
    mesh.reads_all();
    bed.forget_audits();
    bed.expect(0, &rotate);
    assert_eq!(token(&secret(&planes[0], OWN)), new, "it is new already");
    assert!(writes(&planes[1]).0.is_empty(), "and out already");
    mesh.is_whole("ended");
    is_refused(&planes[0], &old);
    is_refused(&planes[0], &second);
    mesh.nobody_was_refused("long after");
}

#[test]
fn ctrl_c_ends_it_between_two_writes() {
    let Some(planes) = shared(2) else { return };
    let mesh = Mesh::start(&planes);
    mesh.readers[1].deaf(true);
    let rotate = ["pki", "rotate-tokens", "c1", "--yes"];
    let mut command = mesh.bed.command(&rotate);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let second = || planes[0].client().get(&format!("{}/{SECOND}", super::SECRETS));
    until("c2 gets the second token", || {
        second().is_some_and(|second| {
            second["data"]["token"].is_string() && remote(&planes[1], "c1") == Some(token(&second))
        })
    });
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("`meshgen pki rotate-tokens c1` goes on from here"), "{said}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("interrupted"), "{said}");
    mesh.readers[1].deaf(false);
    mesh.bed.expect(0, &rotate).must_not_have("holds the Lease");
    mesh.is_whole("gone on with");
}

/// A Secret as it was, with the marks of who used it now.
fn secret_but_used(before: &serde_json::Value, now: &serde_json::Value) -> serde_json::Value {
    let mut before = before.clone();
    for field in ["labels", "resourceVersion", "managedFields"] {
        before["metadata"][field] = now["metadata"][field].clone();
    }
    before
}
