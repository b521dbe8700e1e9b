//! A cluster that leaves loses the tokens that it had.

use super::{Mesh, OWN, is_refused, remote, secret, takes, token, until};
use crate::testbed::shared;

#[test]
fn who_retires_reads_nobody_any_more() {
    let Some(planes) = shared(3) else { return };
    let mesh = Mesh::start(&planes);
    let bed = &mesh.bed;
    let old: Vec<String> = planes[..2].iter().map(|plane| token(&secret(plane, OWN))).collect();
    let copied: Vec<String> = ["c1", "c2"].iter().filter_map(|of| remote(&planes[2], of)).collect();
    assert_eq!(copied, old, "c3 has them");

    // a rotation that was begun before, and whose token c3 has, is not enough
    mesh.readers[1].deaf(true);
    bed.expect(3, &["pki", "rotate-tokens", "c1", "--yes", "--timeout", "3s"]);
    mesh.readers[1].deaf(false);
    until("c3 has the second token", || mesh.readers[2].tokens("c1").len() == 2);

    bed.edit("  c3: {network: n}\n", "");
    bed.expect(2, &["retire", "c3", "--rotate-tokens"]).must_have("tokens of `c1`, `c2` anew");
    let said = bed.expect(0, &["retire", "c3", "--rotate-tokens", "--yes"]);
    said.must_have("c3  done").must_have("c1  done").must_have("c2  done");
    said.must_not_have("go on working");
    assert!(remote(&planes[0], "c3").is_none() && remote(&planes[2], "c1").is_none());
    for (plane, old) in planes.iter().zip(&old) {
        is_refused(plane, old);
        let now = token(&secret(plane, OWN));
        assert!(takes(plane, &now));
        for seen in mesh.readers[2].tokens(&plane.name) {
            is_refused(plane, &seen);
        }
    }
    for (at, of) in [(0, "c2"), (1, "c1")] {
        let plane = planes.iter().find(|plane| plane.name == of).unwrap();
        assert_eq!(remote(&planes[at], of), Some(token(&secret(plane, OWN))));
    }
    let quiet = mesh.readers[..2].iter().all(|reader| reader.outages().is_empty());
    assert!(quiet, "c1 and c2 see each other all the time");
    mesh.keeps_tokens();
}

#[test]
fn the_last_that_remains_is_read_by_nobody() {
    let Some(planes) = shared(2) else { return };
    let mesh = Mesh::start(&planes);
    let old = token(&secret(&planes[0], OWN));
    let said = mesh.bed.expect(0, &["retire", "c2", "--gone", "--rotate-tokens", "--yes"]);
    said.must_have("nobody reads it");
    is_refused(&planes[0], &old);
    assert!(takes(&planes[0], &token(&secret(&planes[0], OWN))));
    assert!(remote(&planes[0], "c2").is_none());
}
