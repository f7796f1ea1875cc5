//! From text to plan: TOML's errors turned into ones that say what to do.

use crate::error::{SpecError, did_you_mean, in_plain_words, unknown_field};
use crate::limits::SPEC_BYTES_MAX;
use crate::plan::Plan;
use crate::spec::Spec;
use crate::task;

impl Plan {
    /// The plan of a spec.
    ///
    /// `name` becomes the plan's name; `file` is what errors call the text, usually its path.
    ///
    /// # Errors
    ///
    /// If the text is too long, is not TOML, has a field that does not exist, or a value that is
    /// outside its limits or contradicts another.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Plan, SpecError> {
        if text.len() as u64 > SPEC_BYTES_MAX {
            return Err(SpecError::TooLong {
                file: file.to_owned(),
                found_bytes: text.len() as u64,
            });
        }
        let spec: Spec = toml::from_str(text).map_err(|error| explain(&error, file, text))?;
        task::plan(&spec, name, file)
    }
}

/// Says where in the file an error is, and which name was probably meant.
fn explain(error: &toml::de::Error, file: &str, text: &str) -> SpecError {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    let file = file.to_owned();
    match unknown_field(error.message()) {
        Some((found, names)) => SpecError::UnknownField {
            file,
            line,
            column,
            hint: did_you_mean(found, names.iter().copied()),
            found: found.to_owned(),
            allowed: names.join(", "),
        },
        None => SpecError::Syntax { file, line, column, message: in_plain_words(error.message()) },
    }
}

/// Line and column, from 1, of a byte of the text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_one_and_in_characters() {
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("ä = 1\nbö = 2", 10), (2, 3));
        assert_eq!(position("a\n", 99), (2, 1));
    }
}
