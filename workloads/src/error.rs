//! What can be wrong with a spec, said to the person who wrote it.

use crate::grid_names::GRID_NAMES;
use crate::limits::SPEC_BYTES_MAX;

/// Why a spec was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// So long that it cannot be a spec.
    #[error(
        "{file}: found {found_bytes} bytes, allowed {SPEC_BYTES_MAX} at most: \
         this is no spec and no job file, check the name"
    )]
    TooLong {
        /// The file.
        file: String,
        /// How long it is.
        found_bytes: u64,
    },
    /// Not TOML, or a value of the wrong type.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A field or table that does not exist.
    #[error("{file}:{line}:{column}: found unknown field `{found}`{hint}; allowed here: {allowed}")]
    UnknownField {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The name as written.
        found: String,
        /// The nearest name that exists, as a question, or nothing.
        hint: String,
        /// The names that exist in that table.
        allowed: String,
    },
    /// A value outside its limits, or one that contradicts another.
    #[error("{file}: {field}: found {found}, allowed {allowed}")]
    Field {
        /// The file.
        file: String,
        /// The field, with its table.
        field: &'static str,
        /// The value as written.
        found: String,
        /// What is allowed instead.
        allowed: String,
    },
    /// An option of a fio job file that fio does not have, or that is not known here.
    #[error("{file}:{line}: found unknown option `{found}`{hint}; taken are: {allowed}")]
    UnknownOption {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The name as written.
        found: String,
        /// The nearest names that exist, as a question, or nothing.
        hint: String,
        /// The names of the options that are taken over.
        allowed: String,
    },
    /// An option of a fio job file with a value that is not carried out.
    #[error("{file}:{line}: {option}: found {found}, allowed {allowed}")]
    Option {
        /// The file.
        file: String,
        /// Line, from 1; if the option is missing, the last one.
        line: usize,
        /// The option.
        option: String,
        /// The value as written.
        found: String,
        /// What is allowed instead.
        allowed: String,
    },
    /// No built-in workload of that name.
    #[error(
        "--workload: found `{found}`, which is no built-in workload{hint}; \
         see `bench --list`, or name a file that ends in .toml or .fio"
    )]
    UnknownWorkload {
        /// The name as given.
        found: String,
        /// The near ones, as a question, or nothing.
        hint: String,
    },
    /// No workload of the fidelity grid has that in its name.
    #[error(
        "--grid: found `{found}`, which is in no name of the grid{hint}; names are {GRID_NAMES}, \
         see `bench --list`"
    )]
    UnknownGrid {
        /// The part of a name as given.
        found: String,
        /// The near ones, as a question, or nothing.
        hint: String,
    },
}

/// Similarity above which a name is offered in place of one that does not exist: below, strangers
/// of the same length come up.
const NEAR: f64 = 0.75;

/// Bytes of a name for which near ones are looked for. None that exists is nearly as long, and to
/// compare a whole file with all of them would take minutes.
const NAME_BYTES_MAX: usize = 64;

/// A question that offers the names near `found`, at most three; empty if none is near.
pub(crate) fn did_you_mean<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    if found.len() > NAME_BYTES_MAX {
        return String::new();
    }
    let mut near: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(found, name), name))
        .filter(|(similarity, _)| *similarity > NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_name_longer_than_any_is_near_to_none() {
        assert_eq!(did_you_mean("ioengin", ["ioengine"]), " (did you mean `ioengine`?)");
        let long = format!("ioengine{}", "e".repeat(60));
        assert_eq!(did_you_mean(&long, ["ioengine"]), "");
    }
}
