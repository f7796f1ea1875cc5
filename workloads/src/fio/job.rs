//! A job's options, read one at a time, each as what it may be.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::options::Options;
use super::section::Section;
use super::value::{self, Units};
use crate::error::SpecError;

/// Most characters of a value in a message.
const SHOWN_MAX: usize = 60;

/// What [`Job::time`] takes a number without a unit for.
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// The same of `thinktime`.
pub(super) const MICROSECOND: Duration = Duration::from_micros(1);

/// The options of a job, with what their errors need.
pub(super) struct Job<'a> {
    pub(super) file: &'a str,
    pub(super) section: &'a Section,
    pub(super) options: &'a Options,
    units: Units,
    refused: RefCell<Vec<SpecError>>,
}

impl<'a> Job<'a> {
    pub(super) fn new(file: &'a str, section: &'a Section, options: &'a Options) -> Job<'a> {
        let refused = RefCell::new(options.refused(file));
        let mut job = Job { file, section, options, units: Units::default(), refused };
        match job.text("kb_base") {
            None | Some("1024") => {}
            Some("1000") => job.units = Units::Standard,
            Some(_) => {
                let error = job.refuse("kb_base", "1000 or 1024");
                job.keep::<()>(Err(error));
            }
        }
        job
    }

    /// What was found, or nothing: why is told at the end, with all else.
    pub(super) fn keep<T>(&self, found: Result<T, SpecError>) -> Option<T> {
        found.map_err(|error| self.refused.borrow_mut().push(error)).ok()
    }

    /// What was refused.
    pub(super) fn refused(self) -> Vec<SpecError> {
        self.refused.into_inner()
    }

    pub(super) fn refuse(&self, option: &'static str, allowed: impl Display) -> SpecError {
        let written = self.options.get(option);
        SpecError::Option {
            file: self.file.to_owned(),
            line: written.map_or(self.section.line, |written| written.line),
            option: written.map_or(option, |written| &written.name).to_owned(),
            found: match written.map(|written| &written.value) {
                Some(Some(value)) => format!("`{}`", shown(value)),
                Some(None) => "no value".to_owned(),
                None => "nothing".to_owned(),
            },
            allowed: allowed.to_string(),
        }
    }

    pub(super) fn given(&self, option: &str) -> bool {
        self.options.get(option).is_some()
    }

    /// The text of an option that was given; empty if it has no value.
    pub(super) fn text(&self, option: &str) -> Option<&'a str> {
        self.options.get(option).map(|written| written.value.as_deref().unwrap_or(""))
    }

    /// A part of an option's value as a number.
    pub(super) fn int_of(&self, option: &'static str, text: &str) -> Result<u64, SpecError> {
        value::int(text, self.units).ok_or_else(|| match text.contains('$') {
            true => {
                self.refuse(option, "a value: variables are not replaced, write what it stands for")
            }
            false => self.refuse(option, value::INT),
        })
    }

    pub(super) fn int(&self, option: &'static str) -> Result<Option<u64>, SpecError> {
        self.text(option).map(|text| self.int_of(option, text)).transpose()
    }

    pub(super) fn within(
        &self,
        option: &'static str,
        default: u64,
        allowed: RangeInclusive<i64>,
    ) -> Result<u64, SpecError> {
        let found = self.int(option)?.unwrap_or(default);
        if i64::try_from(found).is_ok_and(|found| allowed.contains(&found)) {
            return Ok(found);
        }
        Err(self.refuse(option, format!("{} to {}", allowed.start(), allowed.end())))
    }

    pub(super) fn switch(&self, option: &'static str) -> Result<Option<bool>, SpecError> {
        let Some(written) = self.options.get(option) else { return Ok(None) };
        let on = value::switch(written.value.as_deref());
        on.map(Some).ok_or_else(|| self.refuse(option, value::SWITCH))
    }

    /// Whether a switch is on; off if it is not given.
    pub(super) fn is_on(&self, option: &'static str) -> Result<bool, SpecError> {
        Ok(self.switch(option)?.unwrap_or(false))
    }

    pub(super) fn time(
        &self,
        option: &'static str,
        unit: Duration,
        allowed: RangeInclusive<f64>,
    ) -> Result<Option<Duration>, SpecError> {
        let Some(text) = self.text(option) else { return Ok(None) };
        let time = value::time(text, unit).ok_or_else(|| self.refuse(option, value::TIME))?;
        if allowed.contains(&time.as_secs_f64()) {
            return Ok(Some(time));
        }
        let allowed = format!("{} to {} seconds", allowed.start(), allowed.end());
        Err(self.refuse(option, allowed))
    }
}

/// A value as messages have it.
fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
