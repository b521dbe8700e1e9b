//! From the first token to the last.

use super::{
    ACCOUNT, ACCOUNTS, Mesh, OWN, SECOND, is_refused, remote, secret, takes, token, writes,
};
use crate::testbed::shared;

#[test]
fn a_token_is_made_anew_and_the_old_one_ends() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let account = || planes[0].client().get(&format!("{ACCOUNTS}/{ACCOUNT}")).expect("an account");
    let (before, account_before) = (secret(&planes[0], OWN), account());
    let old = token(&before);
    let others = [secret(&planes[1], OWN), secret(&planes[2], OWN)];
    assert!(takes(&planes[0], &old));

    mesh.bed.forget_audits();
    let rotate = ["pki", "rotate-tokens", "c1"];
    mesh.bed.expect(2, &rotate).must_have("this needs a yes").must_have("read by c2, c3");
    mesh.bed.wrote_nothing();
    let said = mesh.bed.expect(0, &["pki", "rotate-tokens", "c1", "--yes"]);
    said.must_have("c1  done");

    // nothing else was written than what it is about
    let verbs = |at: usize| -> Vec<String> {
        let (objects, _) = writes(&planes[at]);
        objects.iter().map(|one| format!("{} {} {}", one.verb, one.resource, one.name)).collect()
    };
    let remote_secret = "patch secrets istio-remote-secret-c1";
    assert_eq!(verbs(1), [remote_secret, remote_secret]);
    assert_eq!(verbs(2), [remote_secret, remote_secret]);
    let line = |verb: &str, name: &str| format!("{verb} secrets {name}");
    let of = |verb: &str, more: &str| format!("{verb} serviceaccounts {ACCOUNT}{more}");
    let bindings = |verb: &str| {
        ["clusterrolebindings", "rolebindings"]
            .map(|kind| format!("{verb} {kind} istio-reader-second"))
    };
    let [given, taken] = ["patch", "delete"].map(bindings);
    let expected = [
        of("patch", "-second"),
        given[0].clone(),
        given[1].clone(),
        line("patch", SECOND),
        line("delete", OWN),
        of("delete", ""),
        of("create", ""),
        line("patch", OWN),
        // what istiods had been told of by then
        line("patch", SECOND),
        taken[0].clone(),
        taken[1].clone(),
        line("delete", SECOND),
        of("delete", "-second"),
    ];
    assert_eq!(verbs(0), expected);

    mesh.is_whole("rotated");
    let after = secret(&planes[0], OWN);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    let new = token(&after);
    assert_ne!(new, old, "another account, or the same token comes back");
    assert_ne!(account()["metadata"]["uid"], account_before["metadata"]["uid"]);
    // it is somebody else's, and stays so
    let managers = |live: &serde_json::Value| {
        let fields = live["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|entry| entry["manager"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(managers(&account()), managers(&account_before));
    for (at, reader) in mesh.readers.iter().enumerate().skip(1) {
        assert_eq!(reader.token("c1").as_ref(), Some(&new), "c{}", at + 1);
        assert_eq!(reader.changes(), 2, "one change of each token");
        let had = reader.tokens("c1");
        assert_eq!((had.len(), &had[0], &had[2]), (3, &old, &new));
        is_refused(&planes[0], &had[1]);
    }
    is_refused(&planes[0], &old);
    assert!(takes(&planes[0], &new));
    assert_eq!(others, [secret(&planes[1], OWN), secret(&planes[2], OWN)], "others keep theirs");
    mesh.nobody_was_refused("long after");

    // and it is what the tree wants
    mesh.bed.forget_audits();
    mesh.bed.expect(0, &["apply", "--yes"]).must_have("c1  unchanged");
    mesh.bed.expect(0, &["plan"]);
    mesh.bed.wrote_nothing();
    mesh.keeps_tokens();
}

#[test]
fn all_tokens_are_made_anew_one_after_the_other() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let old: Vec<String> = planes.iter().map(|plane| token(&secret(plane, OWN))).collect();
    let said = mesh.bed.expect(0, &["pki", "rotate-tokens", "--yes", "-o", "json"]);
    let value = super::json_of(&said.out);
    let clusters = value["clusters"].as_array().expect("clusters");
    let names: Vec<&str> = clusters.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["c1", "c2", "c3"]);
    assert!(clusters.iter().all(|one| one["outcome"] == "done"), "{clusters:?}");
    mesh.is_whole("all rotated");
    mesh.reads_all();
    for (plane, old) in planes.iter().zip(&old) {
        is_refused(plane, old);
    }
    assert!(old.iter().all(|old| planes.iter().all(|plane| {
        ["c1", "c2", "c3"].iter().all(|of| remote(plane, of).as_ref() != Some(old))
    })));
    mesh.nobody_was_refused("long after");
    mesh.keeps_tokens();
}
