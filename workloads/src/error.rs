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
    /// A task with a field that does not exist, or a value of the wrong type.
    #[error("{task}: {message}")]
    Task {
        /// The file, and the task's name.
        task: String,
        /// What is wrong there.
        message: String,
    },
    /// A setting of the command line that cannot be taken.
    #[error("--set {set}: found {found}; {advice}")]
    Set {
        /// The setting as it was given, or the part of it that is wrong.
        set: String,
        /// What was found.
        found: String,
        /// What is allowed, and what to do.
        advice: String,
    },
    /// A setting of a field that no spec has.
    #[error("--set: found unknown field `{found}`{hint}; allowed: {allowed}")]
    UnknownSetting {
        /// The field as it was given.
        found: String,
        /// The near ones, as a question, or nothing.
        hint: String,
        /// All fields, each with its table.
        allowed: String,
    },
    /// An option of a fio job file that fio does not have, or that is not known here.
    #[error(
        "{file}:{line}: found unknown option `{found}`{hint}; correct or remove it: fio 3.28 to \
         3.42 has none of that name for an engine that is taken"
    )]
    UnknownOption {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The name as written.
        found: String,
        /// The nearest names that exist, as a question, or nothing.
        hint: String,
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
    /// Several of these, of one fio job file, by line.
    #[error("{}", lines(.0))]
    Several(Vec<SpecError>),
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

impl SpecError {
    /// Most that a message shows of several; who has more to change does not read on.
    pub const SHOWN_MAX: usize = 20;

    /// The line that it is about, from 1; 0 if it is about none.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            SpecError::Syntax { line, .. }
            | SpecError::UnknownField { line, .. }
            | SpecError::UnknownOption { line, .. }
            | SpecError::Option { line, .. } => *line,
            _ => 0,
        }
    }
}

/// A line for each, the first ones if there are many.
fn lines(errors: &[SpecError]) -> String {
    let shown = errors.iter().take(SpecError::SHOWN_MAX).map(ToString::to_string);
    let mut lines: Vec<String> = shown.collect();
    match errors.len().saturating_sub(SpecError::SHOWN_MAX) {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    lines.join("\n")
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

/// The parser's message, without the names of Rust's types.
pub(crate) fn in_plain_words(message: &str) -> String {
    // The parser puts what it expected on a line of its own.
    let line = message.trim_end().replace('\n', ", ");
    line.replace("expected i64", "expected a whole number")
        .replace("expected f64", "expected a number")
}

/// The name that does not exist and those that do, from serde's message for `deny_unknown_fields`.
/// The message is all that serde keeps of them; if it is worded otherwise it is shown as it is.
pub(crate) fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
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
