//! `.Files`: the files of a chart that are no templates.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::arg::{string, text};
use super::function::encode::to_yaml;
use super::glob::Glob;
use crate::gotmpl::{
    Exec, Failure, Function, Map, MapKind, Object, Text, Type, Value, base64, downcast,
};

/// The files of a chart by path.
#[derive(Clone, Default)]
pub struct Files(pub Arc<BTreeMap<Arc<str>, Arc<[u8]>>>);

impl Files {
    fn bytes(&self, name: &str) -> Option<&Arc<[u8]>> {
        self.0.get(name)
    }

    /// The base names of the files, with their content as strings.
    fn by_base(&self, encode: impl Fn(&[u8]) -> Value) -> Value {
        let entries = self.0.iter().map(|(name, data)| {
            let base = name.rsplit('/').next().unwrap_or(name);
            (Text::from(base), encode(data))
        });
        Value::Map(Map::new(MapKind::Str, entries.collect()))
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind_name(&self) -> &'static str {
        "map"
    }

    fn method(&self, name: &str) -> Option<&'static Function> {
        METHODS.iter().find(|method| method.name == name)
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::Bytes(self.bytes(name).cloned().unwrap_or_default()))
    }

    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        Some(
            self.0
                .iter()
                .map(|(name, data)| (Value::str(name.clone()), Value::Bytes(data.clone())))
                .collect(),
        )
    }

    fn display(&self) -> Text {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|(name, data)| {
                let bytes: Vec<String> = data.iter().map(ToString::to_string).collect();
                format!("{name}:[{}]", bytes.join(" "))
            })
            .collect();
        format!("map[{}]", parts.join(" ")).into()
    }

    fn data(&self) -> Value {
        Value::map(
            self.0
                .iter()
                .map(|(name, data)| (Text::from(name.clone()), Value::Bytes(data.clone()))),
        )
    }
}

const METHODS: &[Function] = &[
    Function::new("Get", &[Type::Str], |exec, args| {
        let files = receiver(args)?;
        let Some(data) = files.bytes(&string(args, 1)?) else { return Ok(Value::str("")) };
        exec.meter().string(data.len())?;
        Ok(Value::Str(Text::from_bytes(data.to_vec())))
    }),
    Function::new("GetBytes", &[Type::Str], |_, args| {
        Ok(Value::Bytes(receiver(args)?.bytes(&string(args, 1)?).cloned().unwrap_or_default()))
    }),
    Function::new("Glob", &[Type::Str], |exec, args| {
        let files = receiver(args)?;
        exec.meter().items(files.0.len())?;
        // A pattern that is none matches everything, as in Helm.
        let glob = Glob::new(&text(args, 1)?.to_str()).or_else(|| Glob::new("**"));
        let found =
            files.0.iter().filter(|(name, _)| glob.as_ref().is_some_and(|glob| glob.matches(name)));
        Ok(Value::Object(Rc::new(Files(Arc::new(
            found.map(|(name, data)| (name.clone(), data.clone())).collect(),
        )))))
    }),
    Function::new("AsConfig", &[], |exec, args| {
        let map = receiver(args)?.by_base(|data| Value::Str(Text::from_bytes(data.to_vec())));
        yaml(exec, &map)
    }),
    Function::new("AsSecrets", &[], |exec, args| {
        let map = receiver(args)?.by_base(|data| Value::str(base64(data)));
        yaml(exec, &map)
    }),
    Function::new("Lines", &[Type::Str], |exec, args| {
        let files = receiver(args)?;
        let Some(data) = files.bytes(&string(args, 1)?) else {
            return Ok(Value::strings::<Text>([]));
        };
        if data.is_empty() {
            return Err("index out of range: the file is empty".into());
        }
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        let lines: Vec<Text> =
            data.split(|byte| *byte == b'\n').map(|line| Text::from_bytes(line.to_vec())).collect();
        exec.meter().items(lines.len())?;
        Ok(Value::strings(lines))
    }),
];

fn receiver(args: &[Value]) -> Result<&Files, Failure> {
    args.first().and_then(downcast).ok_or_else(|| "not the files of a chart".into())
}

fn yaml(exec: &Exec<'_>, value: &Value) -> Result<Value, Failure> {
    Ok(Value::str(to_yaml(exec.meter(), value)?))
}
