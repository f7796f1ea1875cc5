//! fio job files: the part of their language that says the same as a plan, taken over; all else is
//! ignored by name if it changes nothing, or refused.

mod job;
mod options;
mod section;
mod value;

use crate::error::SpecError;
use crate::limits::SPEC_BYTES_MAX;
use crate::plan::Plan;

impl Plan {
    /// The plan of a fio job file.
    ///
    /// `name` becomes the plan's name; `file` is what errors call the text, usually its path. What
    /// was ignored, and what is not quite as in fio, is listed in the plan's summary.
    ///
    /// # Errors
    ///
    /// If the text is too long, is no job file of exactly one job, or has an option that is
    /// unknown, that is not carried out here, or whose value is outside its limits.
    pub fn parse_fio(name: &str, file: &str, text: &str) -> Result<Plan, SpecError> {
        if text.len() as u64 > SPEC_BYTES_MAX {
            return Err(SpecError::TooLong {
                file: file.to_owned(),
                found_bytes: text.len() as u64,
            });
        }
        let found = section::read(file, text)?;
        let sorted = options::sort(file, found.options)?;
        job::plan(name, file, (&found.job, found.line), &sorted)
    }
}
