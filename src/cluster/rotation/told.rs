//! How many changes istiods had been told of before readers got a token: noted on the second Secret,
//! so that a run that goes on with a rotation can tell what came after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::annotation;

/// The annotation.
pub const TOLD: &str = "meshgen.dev/told";

/// Which token readers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// That of the second Secret.
    Second,
    /// That of the tree's own.
    Own,
}

/// What was noted before a token was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The token.
    token: Which,
    /// By `cluster/pod`.
    events: BTreeMap<String, u64>,
}

/// What an istiod goes by.
fn place(cluster: &str, pod: &str) -> String {
    format!("{cluster}/{pod}")
}

impl Told {
    /// Nothing noted.
    pub fn new(token: Which) -> Self {
        Self { token, events: BTreeMap::new() }
    }

    /// What stands on a second Secret about this token.
    pub fn of(live: &Value, token: Which) -> Self {
        let text = annotation(live, TOLD).unwrap_or_default();
        let found = serde_json::from_str::<Self>(text).ok();
        found.filter(|told| told.token == token).unwrap_or_else(|| Self::new(token))
    }

    /// As it is written.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("it holds texts and numbers")
    }

    /// Puts what is known now in the place of what was known of a cluster's istiods.
    pub fn note(&mut self, cluster: &str, now: &BTreeMap<String, u64>) {
        let own = place(cluster, "");
        self.events.retain(|key, _| !key.starts_with(&own));
        self.events.extend(now.iter().map(|(pod, count)| (place(cluster, pod), *count)));
    }

    /// Whether an istiod was told of something since.
    pub fn is_past(&self, cluster: &str, pod: &str, now: u64) -> bool {
        self.events.get(&place(cluster, pod)).is_some_and(|before| now > *before)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_noted_reads_back_for_its_token_alone() {
        let mut told = Told::new(Which::Second);
        told.note("c2", &BTreeMap::from([("istiod-a".to_owned(), 17)]));
        told.note("c21", &BTreeMap::from([("istiod-b".to_owned(), 1)]));
        told.note("c2", &BTreeMap::from([("istiod-c".to_owned(), 18)]));
        let live = json!({"metadata": {"annotations": {TOLD: told.to_text()}}});
        assert_eq!(Told::of(&live, Which::Second), told);
        assert_eq!(Told::of(&live, Which::Own), Told::new(Which::Own));
        assert!(told.is_past("c2", "istiod-c", 19) && !told.is_past("c2", "istiod-c", 18));
        assert!(!told.is_past("c2", "istiod-a", 99), "it was noted anew without it");
        assert!(told.is_past("c21", "istiod-b", 2));
    }
}
