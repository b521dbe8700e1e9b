//! Where in a document a change stands.

use std::fmt;

use serde_json::{Value, json};

/// A path of steps: `spec.template.spec.containers[discovery].image`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list, to the item whose merge key has these values.
    Item(Vec<(String, String)>),
    /// Into a list that has no merge key: the place in the new list, for what is gone in the old.
    Index(usize),
    /// Into a string that holds a document of its own.
    Inside,
}

impl FieldPath {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// This path and one step more.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether the path starts with these keys.
    pub fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && keys
                .iter()
                .zip(&self.0)
                .all(|(key, step)| matches!(step, Step::Key(own) if own == key))
    }

    /// Whether the path is at or below a JSON pointer in which `*` stands for every item.
    pub fn is_within(&self, pointer: &str) -> bool {
        let parts: Vec<String> = pointer
            .split('/')
            .skip(1)
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect();
        let fits = |(part, step): (&String, &Step)| match step {
            Step::Key(key) => key == part || part == "*",
            Step::Index(index) => part == "*" || *part == index.to_string(),
            Step::Item(_) => part == "*",
            Step::Inside => false,
        };
        !parts.is_empty() && self.0.len() >= parts.len() && parts.iter().zip(&self.0).all(fits)
    }

    /// The steps for programs: a key is a string, a place in a list a number, an item an object of
    /// its merge key, the way into a document in a string `null`.
    pub fn to_json(&self) -> Value {
        self.0.iter().map(Step::to_json).collect()
    }
}

impl Step {
    fn to_json(&self) -> Value {
        match self {
            Step::Key(key) => json!(key),
            Step::Index(index) => json!(index),
            Step::Inside => Value::Null,
            Step::Item(keys) => {
                Value::Object(keys.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
            }
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = false;
        for step in &self.0 {
            match step {
                Step::Key(key) if is_plain(key) => {
                    write!(f, "{}{key}", if dot { "." } else { "" })?;
                }
                Step::Key(key) => write!(f, "[{}]", Value::from(key.as_str()))?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Inside => f.write_str(" › ")?,
                Step::Item(keys) => {
                    let values: Vec<&str> = keys.iter().map(|(_, value)| value.as_str()).collect();
                    write!(f, "[{}]", values.join("/"))?;
                }
            }
            dot = !matches!(step, Step::Inside);
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
}
