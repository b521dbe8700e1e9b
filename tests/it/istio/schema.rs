//! The tables of fields, held against the types of istioctl.

use std::process::Command;

use crate::tool;

#[test]
fn the_tables_are_those_of_istioctls_types() {
    let Some(schema) = tool::path("schema") else { return };
    for name in ["kubernetes", "values"] {
        let printed = tool::run(Command::new(&schema).arg(name), "");
        let path = tool::root().join("src/istio/schema").join(format!("{name}.txt"));
        let ours = std::fs::read_to_string(path).unwrap();
        assert_eq!(ours, printed, "src/istio/schema/{name}.txt is not what `schema {name}` prints");
    }
}
