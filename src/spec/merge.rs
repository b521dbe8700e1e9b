//! Layers of settings: profile below mesh below cluster.

use serde_json::{Map, Value};

/// Free-form settings: Istio tells `null` from absent, so nothing is taken away inside of them.
const FREE_FORM: [&str; 3] = ["values", "meshConfig", "components"];

/// Lays `over` on `under`: mappings merge, everything else is replaced.
///
/// A `null` takes the value below it away, save inside of free-form Istio settings, where it is a
/// value that Istio sees.
pub fn merge(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    lay(under, over, false);
}

fn lay(under: &mut Map<String, Value>, over: &Map<String, Value>, in_istio: bool) {
    for (key, value) in over {
        let free_form = in_istio && FREE_FORM.contains(&key.as_str());
        match (under.get_mut(key), value) {
            (_, Value::Null) => {
                under.remove(key);
            }
            (Some(Value::Object(below)), Value::Object(above)) if free_form => {
                lay_free_form(below, above);
            }
            (Some(Value::Object(below)), Value::Object(above)) => {
                lay(below, above, key == "istio");
            }
            (_, Value::Object(above)) if !free_form => {
                let mut fresh = Map::new();
                lay(&mut fresh, above, key == "istio");
                under.insert(key.clone(), Value::Object(fresh));
            }
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Lays free-form settings on others: mappings merge, everything else, `null` too, is replaced.
pub fn lay_free_form(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay_free_form(below, above),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}
