//! Settings: fields of a spec that take other values, one after the other, for `--set`.
//!
//! Which fields there are is asked of the parser of specs, and so is what a value may be.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use toml::{Table, Value};

use crate::error::{SpecError, did_you_mean, in_plain_words, unknown_field};
use crate::limits::{SET_BYTES_MAX, SET_GRID_MAX};
use crate::spec::Spec;

/// A field that no spec has, to be told those that it may have.
const PROBE: &str = "?";

/// The seed of a run is that of its round, by which runs are paired.
const SEED: &str = "run.seed";

/// Fields that a spec may have only one of: the first takes the place of the second.
const INSTEAD: [(&str, &str); 6] = [
    ("run.ops", "run.seconds"),
    ("run.seconds", "run.ops"),
    ("workers.bounded", "workers.kernel_limits"),
    ("workers.unbounded", "workers.kernel_limits"),
    ("workers.kernel_limits", "workers.bounded"),
    ("workers.kernel_limits", "workers.unbounded"),
];

/// A field of a spec and the values that it is to have, each as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The field with its table, such as `workers.bounded`.
    pub key: String,
    /// At least one value, each once.
    pub values: Vec<String>,
}

impl Setting {
    /// Of `KEY=VALUE,VALUE…`, with the key whole or, if only one table has such a field, without its
    /// table. A comma in brackets or quotes parts nothing.
    ///
    /// # Errors
    ///
    /// A field that does not exist, is in several tables or cannot be set, no value, an empty one,
    /// or the same twice.
    pub fn parse(text: &str) -> Result<Setting, SpecError> {
        let refuse = |found: &str, advice: &str| SpecError::Set {
            set: text.trim().to_owned(),
            found: found.to_owned(),
            advice: advice.to_owned(),
        };
        let Some((key, values)) = text.split_once('=') else {
            let advice = "write KEY=VALUE or KEY=VALUE,VALUE, such as workers.bounded=4,64";
            return Err(refuse("no value", advice));
        };
        let key = whole_key(key.trim())?;
        if key == SEED {
            let advice = "all variants of a round have one seed, or they would be no pairs; \
                          --seed sets that of the first round";
            return Err(refuse("a seed", advice));
        }
        let values: Vec<String> = parts_of(values).map(str::to_owned).collect();
        if values.iter().any(String::is_empty) {
            return Err(refuse("an empty value", "name each value, with a comma in between"));
        }
        if let Some(value) = values.iter().find(|value| value.len() > SET_BYTES_MAX) {
            let found = format!("a value of {} bytes", value.len());
            return Err(refuse(&found, "write what has more in a spec, and run several"));
        }
        let twice = (1..values.len()).find(|&at| values[..at].contains(&values[at]));
        if let Some(at) = twice {
            let found = format!("{} twice", values[at]);
            return Err(refuse(&found, "name each value once: --pairs says how often all run"));
        }
        Ok(Setting { key, values })
    }
}

/// Every combination of the values of settings: those of the last one change first. One that is
/// empty if there is no setting.
///
/// # Errors
///
/// The same field twice, or more combinations than a round can have.
pub fn grid(settings: &[Setting]) -> Result<Vec<BTreeMap<String, String>>, SpecError> {
    let mut grid = vec![BTreeMap::new()];
    for (at, Setting { key, values }) in settings.iter().enumerate() {
        if settings[..at].iter().any(|other| other.key == *key) {
            return Err(SpecError::Set {
                set: format!("{key}={}", values.join(",")),
                found: "the same field a second time".to_owned(),
                advice: "list all of its values in one --set, with commas in between".to_owned(),
            });
        }
        let with = |so_far: &BTreeMap<String, String>, value: &String| {
            let mut more = so_far.clone();
            more.insert(key.clone(), value.clone());
            more
        };
        if grid.len() * values.len() > SET_GRID_MAX {
            let all: usize = settings.iter().map(|one| one.values.len()).product();
            return Err(SpecError::Set {
                set: format!("{key}={}", values.join(",")),
                found: format!("{all} combinations of all values"),
                advice: format!("{SET_GRID_MAX} are allowed: set fewer values in one bench"),
            });
        }
        grid = grid
            .iter()
            .flat_map(|so_far| values.iter().map(move |value| with(so_far, value)))
            .collect();
    }
    Ok(grid)
}

/// Every field that can be set, with its table, in the order of the format.
#[must_use]
pub fn keys() -> Vec<String> {
    let probe = || Table::from_iter([(PROBE.to_owned(), Value::Integer(0))]);
    let of_table = |table: String| {
        let spec = Table::from_iter([(table.clone(), Value::Table(probe()))]);
        let fields = fields(spec).into_iter();
        fields.map(move |field| format!("{table}.{field}")).collect::<Vec<_>>()
    };
    fields(probe()).into_iter().flat_map(of_table).filter(|key| key != SEED).collect()
}

/// The fields that may stand in place of the one that does not exist; none if that is in no table.
fn fields(with_probe: Table) -> Vec<String> {
    let Err(error) = Spec::deserialize(with_probe) else { return Vec::new() };
    let names = unknown_field(error.message()).map(|(_, names)| names).unwrap_or_default();
    names.into_iter().map(str::to_owned).collect()
}

/// The field that a key names, with its table.
fn whole_key(found: &str) -> Result<String, SpecError> {
    let keys = keys();
    if found == SEED || keys.iter().any(|key| key == found) {
        return Ok(found.to_owned());
    }
    let ends_so = |key: &&String| last_part(key) == found;
    let named: Vec<&String> = keys.iter().filter(ends_so).collect();
    if let [key] = named.as_slice() {
        return Ok((*key).clone());
    }
    if let [first, second, ..] = named.as_slice() {
        return Err(SpecError::Set {
            set: found.to_owned(),
            found: "a field of several tables".to_owned(),
            advice: format!("write {first} or {second}"),
        });
    }
    let names = keys.iter().map(String::as_str);
    let hint = if found.contains('.') {
        did_you_mean(found, names)
    } else {
        did_you_mean(found, names.map(last_part))
    };
    Err(SpecError::UnknownSetting { found: found.to_owned(), hint, allowed: keys.join(", ") })
}

/// The field without its table.
fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The parts of a text between commas; one in brackets or quotes parts nothing.
pub fn parts_of(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quote) = (0_u32, None);
    let ends = move |letter: char| {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0 && quote.is_none()
    };
    text.split(ends).map(str::trim)
}

/// A spec with these fields in place of its own; `workload` is what errors call it.
///
/// # Errors
///
/// A value of another type than the field has.
pub(crate) fn spec_with(
    mut table: Table,
    set: &BTreeMap<String, String>,
    workload: &str,
) -> Result<Spec, SpecError> {
    let read = |table: &Table| Spec::deserialize(table.clone());
    for (key, other) in INSTEAD {
        let says_so = set.get(key).is_some_and(|value| value != "false");
        let (of, field) = parted(other);
        if let Some(Value::Table(fields)) = table.get_mut(of).filter(|_| says_so) {
            fields.remove(field);
        }
    }
    for (key, text) in set {
        let (of, field) = parted(key);
        let fields = table.entry(of).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(fields) = fields {
            fields.insert(field.to_owned(), value(text));
        }
        read(&table).map_err(|error| SpecError::Set {
            set: format!("{key}={text}"),
            found: in_plain_words(error.message()).replacen("invalid type: ", "", 1),
            advice: format!("the format is in workloads/README.md; the workload is {workload}"),
        })?;
    }
    read(&table).map_err(|error| SpecError::Syntax {
        file: workload.to_owned(),
        line: 1,
        column: 1,
        message: in_plain_words(error.message()),
    })
}

/// A table and its field.
fn parted(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or((key, ""))
}

/// A value as TOML has it; a word alone is a text.
fn value(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// `--set a=1 --set b=2 on dsync`, as errors about a combination name it.
pub(crate) fn named(set: &BTreeMap<String, String>, workload: &str) -> String {
    let flags: Vec<String> =
        set.iter().map(|(key, value)| format!("--set {key}={value}")).collect();
    format!("{} on {workload}", flags.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Setting::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn keys_are_those_that_the_parser_of_specs_knows() {
        let keys = keys();
        for key in ["files.open", "log.weight", "arrival.per_s", "ring.depth", "workers.bounded"] {
            assert!(keys.iter().any(|known| known == key), "{key} is not in {keys:?}");
        }
        assert!(keys.iter().all(|key| key.matches('.').count() == 1 && *key != SEED), "{keys:?}");
    }

    #[test]
    fn a_field_may_be_named_without_its_table_if_no_other_has_one_of_that_name() {
        let one = |key: &str, values: &[&str]| Setting {
            key: key.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        let parsed = |text: &str| Setting::parse(text).map_err(|error| error.to_string());
        assert_eq!(parsed("bounded=4, 64"), Ok(one("workers.bounded", &["4", "64"])));
        let open = one("files.open", &["dsync", "[\"sync\",\"direct\"]"]);
        assert_eq!(parsed("files.open=dsync,[\"sync\",\"direct\"]"), Ok(open));
        assert!(
            error("writes_per_fsync=1").contains("mix.writes_per_fsync or log.writes_per_fsync")
        );
    }

    #[test]
    fn what_cannot_be_set_is_refused_with_what_to_do() {
        for (text, parts) in [
            ("workers.bounded", ["found no value", "workers.bounded=4,64"]),
            (
                "workers.bouned=4",
                ["unknown field `workers.bouned`", "did you mean `workers.bounded`"],
            ),
            ("bouned=4", ["did you mean `bounded`", "allowed: files.count"]),
            ("workers.bounded=4,,64", ["--set workers.bounded=4,,64", "an empty value"]),
            ("workers.bounded=", ["an empty value", "name each value"]),
            ("ring.depth=8,4,8", ["found 8 twice", "--pairs"]),
            ("run.seed=1,2", ["one seed", "--seed"]),
            ("summary=x", ["unknown field `summary`", "allowed: "]),
            ("=4", ["unknown field ``", "allowed: "]),
        ] {
            let error = error(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
        let long = format!("files.open={}", "x".repeat(SET_BYTES_MAX + 1));
        assert!(error(&long).contains("a value of "), "{}", error(&long));
    }

    #[test]
    fn several_settings_make_a_grid_whose_last_one_changes_first() {
        let settings = ["bounded=4,64", "ring.depth=1,2"]
            .map(|text| Setting::parse(text).expect("it is valid"));
        let grid = grid(&settings).expect("there are four");
        let values: Vec<Vec<&str>> =
            grid.iter().map(|one| one.values().map(String::as_str).collect()).collect();
        assert_eq!(values, [["1", "4"], ["2", "4"], ["1", "64"], ["2", "64"]]);
        assert_eq!(super::grid(&[]).map(|grid| grid.len()), Ok(1));
    }

    #[test]
    fn a_field_that_is_set_twice_and_a_grid_without_end_are_refused() {
        let setting = |text: &str| Setting::parse(text).expect("it is valid");
        let twice = grid(&[setting("bounded=4"), setting("workers.bounded=64")]);
        assert!(twice.is_err_and(|error| error.to_string().contains("in one --set")));
        let many = |key: &str| {
            let values: Vec<String> = (1..40).map(|value| value.to_string()).collect();
            setting(&format!("{key}={}", values.join(",")))
        };
        let error = grid(&[many("ring.depth"), many("workers.bounded")]).expect_err("1521");
        assert!(error.to_string().contains("found 1521 combinations"), "{error}");
    }
}
