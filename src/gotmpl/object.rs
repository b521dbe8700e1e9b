//! Objects of the host.

use std::any::Any;

use super::function::Function;
use super::text::Text;
use super::value::Value;

/// An object that the host puts among the values: a Go struct or a named type, with fields and methods.
pub trait Object: Any {
    /// Returns Go's name of the type, which error messages print.
    fn type_name(&self) -> &'static str;

    /// Returns the name of the Go kind: `struct`, `ptr`, `map`, `slice`.
    fn kind_name(&self) -> &'static str {
        "struct"
    }

    /// Finds a method. The object is passed to it as the first argument.
    fn method(&self, _name: &str) -> Option<&'static Function> {
        None
    }

    /// Returns a field, or the entry of a map-like object. `None` is an error of the template.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// Returns what `range` walks and `len` counts: pairs of key or index, and element.
    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        None
    }

    /// Reports Go's truth: a struct is always true.
    fn is_true(&self) -> bool {
        self.entries().is_none_or(|entries| !entries.is_empty())
    }

    /// Returns what `{{ . }}` prints.
    fn display(&self) -> Text;

    /// Returns what `%v` prints, which for some Go structs is not what an action prints.
    fn formatted(&self) -> Text {
        self.display()
    }

    /// Returns the object as plain data, for encoders.
    fn data(&self) -> Value;
}

/// Returns the object as its own type, if it is one.
pub fn downcast<T: Object>(value: &Value) -> Option<&T> {
    match value {
        Value::Object(object) => (object.as_ref() as &dyn Any).downcast_ref(),
        _ => None,
    }
}
