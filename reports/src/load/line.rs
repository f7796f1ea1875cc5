//! A line as a run, checked, or what is wrong with it.

use iowq_contract::{Record, SCHEMA, SCHEMAS_READ};
use serde::Deserialize;

use crate::format::clip;
use crate::load::{check, contradictions};
use crate::runs::thin;

/// One line as a run, its timeline thinned at once: a folder of long runs must fit in memory.
pub(super) fn parse(line: &[u8]) -> Result<Record, String> {
    let mut record: Record = match serde_json::from_slice(line) {
        Ok(record) => record,
        Err(_) => return Err(explain(line)),
    };
    known_schema(&record.schema)?;
    validate(&record)?;
    thin::timeline(&mut record.timeline, thin::TIMELINE_POINTS_MAX);
    thin::churn(&mut record.churn, thin::CHURN_SLICES_MAX);
    Ok(record)
}

/// What keeps a record from being read although it is one: a figure that no run can have, or two that
/// cannot both be true.
///
/// # Errors
///
/// The field, what was found and what is allowed.
pub(crate) fn validate(record: &Record) -> Result<(), String> {
    check::check(record)?;
    contradictions::check(record)
}

fn known_schema(found: &str) -> Result<(), String> {
    if SCHEMAS_READ.contains(&found) {
        return Ok(());
    }
    Err(format!(
        "schema is {:?}, and this version reads {}: use the version of iowq that wrote the record",
        clip(found, 60),
        SCHEMAS_READ.map(|schema| format!("{schema:?}")).join(" and ")
    ))
}

/// Parses a line again that did not parse, slowly, to find out which field is to blame.
fn explain(line: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Version {
        schema: String,
    }
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        return format!("not JSON: {}", without_line(&error));
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(version) => {
            if let Err(problem) = known_schema(&version.schema) {
                return problem;
            }
        }
        Err(_) => return format!("not a record: a record is an object with schema {SCHEMA:?}"),
    }
    let mut input = serde_json::Deserializer::from_slice(line);
    match serde_path_to_error::deserialize::<_, Record>(&mut input) {
        Ok(_) => "characters follow the record: write one record per line".to_owned(),
        Err(error) => {
            let path = error.path().to_string();
            let problem = without_line(error.inner());
            if path == "." { problem } else { format!("{path}: {problem}") }
        }
    }
}

/// A JSON error that counts columns only: to the parser every record is line 1.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(problem) => format!("{problem} (column {})", error.column()),
        None => text,
    }
}
