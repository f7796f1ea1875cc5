//! A job file as lines: without comments, in sections, each option with its line.

use super::refusals::Refusals;
use crate::error::SpecError;
use crate::limits::JOBS_MAX;

/// An option as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) line: usize,
    pub(super) name: String,
    /// What stands after the `=`; `None` if there is none.
    pub(super) value: Option<String>,
}

/// A section, with the options between its line and the next section.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    /// Where it starts.
    pub(super) line: usize,
    /// Whether it is `[global]`: it holds for the jobs below it and runs nothing itself.
    pub(super) is_global: bool,
    pub(super) options: Vec<Written>,
}

impl Section {
    pub(super) fn gives(&self, option: &str) -> bool {
        self.options.iter().any(|written| written.name == option)
    }
}

/// Reads the lines of a file with at least one job.
pub(super) fn read(file: &str, text: &str, refusals: &mut Refusals) -> Vec<Section> {
    let refusal =
        |line, message| SpecError::Syntax { file: file.to_owned(), line, column: 1, message };
    let mut sections: Vec<Section> = Vec::new();
    let mut is_above = false;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        // fio cuts a line at either of the two, wherever it stands.
        let line = line.split([';', '#']).next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('[') {
            match section(number, line) {
                Ok(section) => sections.push(section),
                Err(message) => refusals.add(refusal(number, message)),
            }
            continue;
        }
        match sections.last_mut() {
            _ if line.starts_with("include") => {
                let message =
                    format!("found `{line}`, allowed the lines of that file in its place");
                refusals.add(refusal(number, message));
            }
            Some(section) => section.options.push(option(number, line)),
            None if is_above => {}
            None => {
                is_above = true;
                let message = format!("found `{line}` above all sections, allowed below [global]");
                refusals.add(refusal(number, message));
            }
        }
    }
    if let Err((line, message)) = has_jobs(&sections, text) {
        refusals.add(refusal(line, message));
    }
    sections
}

/// A section of this line, without options so far, or why the line is invalid.
fn section(line: usize, text: &str) -> Result<Section, String> {
    let Some(name) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return Err(format!("found `{text}`, allowed [global] or [a job's name]"));
    };
    let is_global = name == "global";
    if !is_global && name.to_ascii_lowercase().starts_with("global") {
        // fio takes [Global] for a job, and [globals] for [global].
        return Err(format!(
            "found [{name}], which fio does not read as a section; allowed [global], or a job's \
             name that starts otherwise"
        ));
    }
    Ok(Section { name: name.to_owned(), line, is_global, options: Vec::new() })
}

/// Whether there are jobs, not too many, and none of the global sections is below all of them.
fn has_jobs(sections: &[Section], text: &str) -> Result<(), (usize, String)> {
    let jobs = sections.iter().filter(|section| !section.is_global);
    let Some(last) = jobs.clone().next_back() else {
        let message = "found no job, allowed one or more: a section with a name of its own, such \
                       as [job]";
        return Err((text.lines().count().max(1), message.to_owned()));
    };
    if let Some(too_many) = jobs.clone().nth(JOBS_MAX) {
        let message = format!("found {} jobs, allowed {JOBS_MAX} at most", jobs.count());
        return Err((too_many.line, message));
    }
    match sections.last() {
        Some(global) if global.is_global => Err((
            global.line,
            format!(
                "found [global] below the last job, [{}], for which it does not hold; move its \
                 options above the job",
                last.name
            ),
        )),
        _ => Ok(()),
    }
}

/// The option on a line that is neither empty nor a section.
fn option(line: usize, text: &str) -> Written {
    match text.split_once('=') {
        // A space after the `=` is kept: fio then reads something else, so it must be refused.
        Some((name, value)) => {
            Written { line, name: name.trim_end().to_owned(), value: Some(value.to_owned()) }
        }
        None => Written { line, name: text.to_owned(), value: None },
    }
}
