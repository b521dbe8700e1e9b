//! Where the tree brings the account: it is made as an apply makes it.

use serde_json::Value;

use super::super::reference::reads_pods_of;
use super::super::{Nodes, live};
use super::{
    ACCOUNT, ACCOUNTS, Bed, INVENTORY, OWN, RBAC, SECOND, SECRETS, is_refused, json_of, remote,
    secret, takes, token,
};
use crate::testbed::{in_namespace, shared};

#[test]
fn an_account_of_the_tree_is_made_anew_and_recorded() {
    if !in_namespace("apply::rotation::charts::an_account_of_the_tree_is_made_anew_and_recorded") {
        return;
    }
    let Some(planes) = shared(2) else { return };
    let Some(bed) = Bed::istio(&planes, "", &["c1: {}", "c2: {}"]) else { return };
    let _nodes = Nodes::start(&planes);
    bed.expect(0, &["apply", "--yes"]);
    let client = planes[0].client();
    let account = || client.get(&format!("{ACCOUNTS}/{ACCOUNT}")).expect("an account");
    let (old, before) = (token(&secret(&planes[0], OWN)), account());

    let rotate = ["pki", "rotate-tokens", "c1", "--yes", "--allow-unseen", "2s"];
    bed.expect(0, &rotate).must_have("c1  done");
    let (new, after) = (token(&secret(&planes[0], OWN)), account());
    assert_ne!(new, old, "another account, or the same token comes back");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(remote(&planes[1], "c1").as_ref(), Some(&new));
    assert!(takes(&planes[0], &new));
    is_refused(&planes[0], &old);
    reads_pods_of(&bed, &planes[1], &planes[0]);

    // ours, recorded, as the tree has it, and nothing is left
    let head = client.get(INVENTORY).expect("an inventory");
    let lines = head["data"]["objects"].as_str().expect("lines");
    assert!(!lines.contains("-second"), "{lines}");
    let lines: Vec<Value> = lines.lines().map(json_of).collect();
    let line =
        lines.iter().find(|line| line["kind"] == "ServiceAccount" && line["name"] == ACCOUNT);
    assert_eq!(line.expect("a line")["uid"], after["metadata"]["uid"]);
    assert!(client.get(&format!("{SECRETS}/{SECOND}")).is_none());
    for path in [ACCOUNTS.to_owned(), format!("{RBAC}/clusterrolebindings")] {
        let all = client.list(&path);
        let left = all.iter().filter_map(|one| one["metadata"]["name"].as_str());
        assert_eq!(left.filter(|name| name.ends_with("-second")).count(), 0, "{path}");
    }
    live::equals_tree(&bed, &planes[0]);
    bed.forget_audits();
    bed.expect(0, &["apply", "--yes"]).must_have("c1  unchanged");
    bed.wrote_nothing();
    bed.keeps_secrets();
}
