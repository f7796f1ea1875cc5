//! Refusals: all that a job file has to be changed for, gathered so that one reading names it all.

use crate::error::SpecError;

/// Refusals of a file that are told apart; a file with more is no job file.
const REFUSALS_MAX: usize = 1000;

/// What was refused so far.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    all: Vec<SpecError>,
    /// Options that fio does not have. They are no news if the engine is refused, because engines
    /// have options of their own.
    unknown: Vec<SpecError>,
    of_engine: bool,
}

impl Refusals {
    pub(super) fn add(&mut self, error: SpecError) {
        if self.all.len() < REFUSALS_MAX && !self.all.contains(&error) {
            self.all.push(error);
        }
    }

    pub(super) fn extend(&mut self, errors: Vec<SpecError>) {
        errors.into_iter().for_each(|error| self.add(error));
    }

    /// An engine without reads and writes of files.
    pub(super) fn add_engine(&mut self, error: SpecError) {
        self.of_engine = true;
        self.add(error);
    }

    pub(super) fn add_unknown(&mut self, error: impl FnOnce() -> SpecError) {
        // Looking for near names takes its time, and a message shows fewer.
        if self.unknown.len() < SpecError::SHOWN_MAX {
            self.unknown.push(error());
        }
    }

    /// All of them by line, or nothing.
    pub(super) fn end(mut self) -> Result<(), SpecError> {
        if !self.of_engine {
            self.all.append(&mut self.unknown);
        }
        self.all.sort_by_key(SpecError::line);
        let mut listed: Vec<(SpecError, Vec<usize>)> = Vec::new();
        for error in self.all {
            match listed.iter_mut().find(|(first, _)| alike(first, &error)) {
                Some((_, lines)) => lines.push(error.line()),
                None => listed.push((error, Vec::new())),
            }
        }
        let mut errors: Vec<SpecError> =
            listed.into_iter().map(|(error, lines)| also_on(error, &lines)).collect();
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(SpecError::Several(errors)),
        }
    }
}

/// Whether two refuse the same option for the same reason.
fn alike(one: &SpecError, other: &SpecError) -> bool {
    match (one, other) {
        (
            SpecError::Option { option, allowed, .. },
            SpecError::Option { option: other, allowed: as_other, .. },
        ) => option == other && allowed == as_other,
        _ => false,
    }
}

/// The first of several that are alike, with where the others are.
fn also_on(error: SpecError, lines: &[usize]) -> SpecError {
    match (error, lines) {
        (SpecError::Option { file, line, option, found, allowed }, [other, more @ ..]) => {
            let more =
                if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            let found = format!("{found} (also on line {other}{more})");
            SpecError::Option { file, line, option, found, allowed }
        }
        (error, _) => error,
    }
}
