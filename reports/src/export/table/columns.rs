//! The columns of runs: the fields of the schema of records, in a fixed order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::export::table::Type;

/// Fields of a record that come first, in this order; those that it does not name follow by name.
const FIRST: [&str; 17] = [
    "key",
    "started",
    "duration_ns",
    "error",
    "caveats",
    "ops",
    "latency",
    "workers",
    "dispatch",
    "probe",
    "blocking",
    "settings",
    "files",
    "host",
    "load",
    "phases",
    "since_boot",
];

/// The same for the key of a run.
const FIRST_OF_KEY: [&str; 8] =
    ["workload", "engine", "policy", "set", "role", "round", "position", "seed"];

/// Fields that are no figures: how the record is written, what else was asked for, and histograms.
/// Timelines are a table of their own.
const OMITTED: [&str; 6] = ["schema", "asked", "settings_unset", "timeline", "churn", "hdr_v2"];

/// Keys of one map, such as kinds of operations, that have columns: there are some ten.
const KEYS_MAX: usize = 64;

/// The list of caveats, whose codes are one column and whose texts are another.
pub(super) const CAVEATS: &str = "caveats";
pub(super) const TEXT: &str = "text";

/// A field of the schema: where it is in a record, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) path: Vec<String>,
    pub(super) of: Type,
}

/// The fields of records, with those of maps for all keys that some record has.
pub(super) fn fields(schema: &Value, keys: &Keys) -> Vec<Field> {
    let mut walk = Walk { schema, keys, found: Vec::new() };
    walk.node(schema, &mut Vec::new());
    walk.found
}

/// The keys of each object that some record has, by its path.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<Vec<String>, BTreeSet<String>>);

impl Keys {
    /// Adds those of a record.
    pub(super) fn add(&mut self, record: &Value) {
        self.add_at(record, &mut Vec::new());
    }

    fn add_at(&mut self, value: &Value, path: &mut Vec<String>) {
        let Some(object) = value.as_object() else { return };
        for (key, value) in object {
            let known = self.0.entry(path.clone()).or_default();
            if known.len() >= KEYS_MAX && !known.contains(key) {
                continue;
            }
            known.insert(key.clone());
            path.push(key.clone());
            self.add_at(value, path);
            path.pop();
        }
    }
}

struct Walk<'w> {
    schema: &'w Value,
    keys: &'w Keys,
    found: Vec<Field>,
}

impl<'w> Walk<'w> {
    fn node(&mut self, node: &'w Value, path: &mut Vec<String>) {
        let node = self.resolved(node);
        let properties = node.get("properties").and_then(Value::as_object);
        if let Some(properties) = properties {
            let first: &[&str] = match path.as_slice() {
                [] => &FIRST,
                [only] if only == "key" => &FIRST_OF_KEY,
                _ => &[],
            };
            let place = |name: &str| first.iter().position(|known| *known == name);
            let mut names: Vec<&String> = properties.keys().collect();
            names.retain(|name| !OMITTED.contains(&name.as_str()));
            names.sort_by_key(|name| (place(name).unwrap_or(first.len()), *name));
            for name in names {
                path.push(name.clone());
                self.node(&properties[name], path);
                path.pop();
            }
        } else if let Some(inner) = node.get("additionalProperties").filter(|it| it.is_object()) {
            for key in self.keys.0.get(path).into_iter().flatten() {
                path.push(key.clone());
                self.node(inner, path);
                path.pop();
            }
        } else if let Some(of) = self.type_of(node) {
            self.found.push(Field { path: path.clone(), of });
            if path.as_slice() == [CAVEATS] {
                self.found.push(Field { path: vec![CAVEATS.to_owned(), TEXT.to_owned()], of });
            }
        }
    }

    /// The node that a reference names, or that may be null.
    fn resolved(&self, mut node: &'w Value) -> &'w Value {
        // A reference may name another, and none that is ours goes in circles.
        for _ in 0..8 {
            let name = node.get("$ref").and_then(Value::as_str);
            let either = node.get("anyOf").and_then(Value::as_array);
            let named = name.and_then(|name| self.schema.pointer(name.trim_start_matches('#')));
            let known = either.and_then(|all| all.iter().find(|one| !is_null(one)));
            match named.or(known) {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    fn type_of(&self, node: &'w Value) -> Option<Type> {
        let types = match node.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is = |name: &str| types.contains(&name);
        if is("array") {
            // A list of names or of caveats is a text; any other is no value of one run.
            let items = self.resolved(node.get("items")?);
            let is_list = is_text(items) || items.pointer("/properties/code").is_some();
            return is_list.then_some(Type::Text);
        }
        let by_name = [
            ("integer", Type::Count),
            ("number", Type::Number),
            ("boolean", Type::Flag),
            ("string", Type::Text),
        ];
        let known = by_name.into_iter().find(|(name, _)| is(name)).map(|(_, of)| of);
        known.or(is_text(node).then_some(Type::Text))
    }
}

fn is_null(node: &Value) -> bool {
    node.get("type").is_some_and(|of| of == "null")
}

/// A text, or one of several.
fn is_text(node: &Value) -> bool {
    node.get("type").is_some_and(|of| of == "string") || node.get("oneOf").is_some()
}

/// The value at a path.
pub(super) fn at<'v>(record: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(record, |value, name| value.get(name))
}

/// The name of a column: the path without `key`, of letters, digits and underscores.
pub(super) fn name(path: &[String]) -> String {
    let path = path.strip_prefix(&["key".to_owned()]).unwrap_or(path);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    path.join("_").chars().map(plain).collect()
}
