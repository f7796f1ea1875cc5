//! Overrides: fields of a workload that have other values than its own, because `--set` said so.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check_name;

/// Most fields that one run can have set: a spec has some forty.
const FIELDS_MAX: usize = 64;

/// Values of fields of a spec, by `table.field`, each as it was written.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Overrides(pub BTreeMap<String, String>);

impl Overrides {
    /// Whether the workload is as it was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each field as readers know it: without its table, unless another field has the same name.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| {
            let field = field_of(key);
            let same = self.0.keys().filter(|other| field_of(other) == field).count();
            (if same > 1 { key.as_str() } else { field }, value.as_str())
        })
    }

    /// `bounded=4` for each field.
    pub fn parts(&self) -> impl Iterator<Item = String> {
        self.shown().map(|(field, value)| format!("{field}={value}"))
    }

    /// The value of a field that is named with its table, or without if no other table's was set;
    /// none if it was not set.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        if let Some(value) = self.0.get(field) {
            return Some(value);
        }
        let mut named = self.0.iter().filter(|(key, _)| field_of(key) == field);
        named.next().filter(|_| named.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// Whether a record may have them.
    ///
    /// # Errors
    /// What was found and what is allowed, as a clause.
    pub fn check(&self) -> Result<(), String> {
        if self.0.len() > FIELDS_MAX {
            return Err(format!("{} fields; allowed are {FIELDS_MAX} at most", self.0.len()));
        }
        self.0.iter().flat_map(|(key, value)| [key, value]).try_for_each(|name| check_name(name))
    }
}

/// As it follows the name of a policy: `bounded=4 depth=16`.
impl fmt::Display for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().collect::<Vec<_>>().join(" "))
    }
}

/// The field without its table.
fn field_of(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&str, &str)]) -> Overrides {
        Overrides(fields.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn fields_are_shown_without_their_table_unless_that_tells_them_apart() {
        let one = of(&[("workers.bounded", "4"), ("ring.depth", "16")]);
        assert_eq!(one.to_string(), "depth=16 bounded=4");
        let two = of(&[("mix.writes_per_fsync", "4"), ("log.writes_per_fsync", "1")]);
        assert_eq!(two.to_string(), "log.writes_per_fsync=1 mix.writes_per_fsync=4");
        assert_eq!(Overrides::default().to_string(), "");
    }

    #[test]
    fn a_value_is_found_with_or_without_the_table() {
        let one = of(&[("workers.bounded", "4")]);
        assert_eq!([one.get("bounded"), one.get("workers.bounded")], [Some("4"); 2]);
        assert_eq!([one.get("unbounded"), one.get("depth")], [None; 2]);
    }

    #[test]
    fn a_field_that_two_tables_have_is_found_with_its_table_alone() {
        let two = of(&[("mix.writes_per_fsync", "4"), ("log.writes_per_fsync", "1")]);
        assert_eq!(two.get("mix.writes_per_fsync"), Some("4"));
        assert_eq!(two.get("writes_per_fsync"), None);
    }

    #[test]
    fn what_would_swamp_a_table_is_refused() {
        assert_eq!(of(&[("workers.bounded", "4")]).check(), Ok(()));
        assert!(of(&[("workers.bounded", &"4".repeat(201))]).check().is_err());
        assert!(of(&[("", "4")]).check().is_err());
    }
}
