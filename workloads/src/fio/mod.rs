//! fio job files: the part of their language that says the same as a plan, taken over; all else is
//! ignored by name if it changes nothing, or refused.

mod blocks;
mod engine;
mod job;
mod lists;
mod mix;
mod options;
mod pace;
mod plan;
mod refusals;
mod section;
mod stage;
mod target;
mod value;

pub use engine::Engines;

use self::job::Job;
use self::options::Options;
use self::refusals::Refusals;
use self::stage::{Entry, Left, Start};
use crate::error::SpecError;
use crate::limits::SPEC_BYTES_MAX;
use crate::plan::Plan;

impl Plan {
    /// The plans of a fio job file, one for each stage: jobs that run in turn. Those of a stage are its
    /// tasks.
    ///
    /// `name` becomes the plan's name, with that of its job if there are several; `file` is what
    /// errors call the text, usually its path. What was ignored, and what is not quite as in fio, is
    /// listed in the summary of each plan.
    ///
    /// # Errors
    ///
    /// If the text is too long, has no job or too many at one time, or has options that are unknown,
    /// that are not carried out here, or whose values are outside their limits: all of them.
    pub fn parse_fio(
        name: &str,
        file: &str,
        text: &str,
        engines: Engines,
    ) -> Result<Vec<Plan>, SpecError> {
        if text.len() as u64 > SPEC_BYTES_MAX {
            return Err(SpecError::TooLong {
                file: file.to_owned(),
                found_bytes: text.len() as u64,
            });
        }
        let mut refusals = Refusals::default();
        let sections = section::read(file, text, &mut refusals);
        let exits = sections.iter().any(|section| section.gives("exitall"));
        let (mut globals, mut left) = (Options::default(), Left::default());
        let mut entries = Vec::new();
        for section in &sections {
            if section.is_global {
                globals.add(file, &section.options, &mut refusals);
                continue;
            }
            let mut options = globals.clone();
            options.add(file, &section.options, &mut refusals);
            let job = Job::new(file, section, &options);
            let start = Start::of(&job, exits);
            let there = |files: &[String]| left.bytes(files);
            let planned = plan::plan(name, job, engines, there, &mut refusals);
            if let Some(planned) = &planned {
                left.lay_out(planned);
            }
            entries.push(Entry { section, start, planned });
        }
        let plans = stage::workloads(name, file, entries, left, &mut refusals);
        refusals.end()?;
        Ok(plans)
    }
}
