//! An object that does not go.

use serde_json::json;

use super::bed::{Bed, edit};
use super::tree::Extra;

#[test]
fn a_finalizer_that_holds_an_object_is_named() {
    let Some(bed) = Bed::start() else { return };
    let extras: Vec<Extra> = (0..3).map(|number| Extra::new(number, "a")).collect();
    let first = bed.render(&extras);
    bed.apply(&["apply", "--yes"], "first");
    let path = first.0[0]["ConfigMap/sample/extra-0"].path.clone();
    let client = &bed.clients[0];
    edit(client, &path, &json!({"metadata": {"finalizers": ["example.org/hold"]}}));

    let second = bed.render(&extras[1..]);
    bed.forget();
    let apply = ["apply", "--yes", "--allow-prune", "--timeout", "5s"];
    for _ in 0..2 {
        let ended = bed.run(&apply);
        ended.expect(3, "held").says("example.org/hold").says("ConfigMap/sample/extra-0");
        let (_, lines) = bed.records(0);
        assert!(lines.contains_key("ConfigMap/sample/extra-0"), "it is still ours: {lines:?}");
        bed.lease_is_free(0, "held");
        bed.is_applied_to(1, &second, "the other one is done");
    }

    edit(client, &path, &json!({"metadata": {"finalizers": null}}));
    bed.apply(&apply, "let go");
    bed.is_applied(&second, "let go");
    assert!(client.get(&path).is_none());
    let gone = ["ConfigMap/sample/extra-0".to_owned()];
    bed.deleted_only(&[gone.clone().into(), gone.into()], "all");
    bed.writes_nothing(&apply, 0, "again");
}
