//! A job file as lines: without comments, in sections, each option with its line.

use crate::error::SpecError;

/// An option as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) line: usize,
    pub(super) name: String,
    /// What stands after the `=`; `None` if there is none.
    pub(super) value: Option<String>,
}

/// All that holds for the one job.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) job: String,
    /// Where it starts.
    pub(super) line: usize,
    pub(super) options: Vec<Written>,
}

/// Reads the lines. What is global and what is the job's own end up in one list, in their order:
/// the last one of a name is the one that holds, in fio as here.
pub(super) fn read(file: &str, text: &str) -> Result<Found, SpecError> {
    let refuse = |line, message: String| SpecError::Syntax {
        file: file.to_owned(),
        line,
        column: 1,
        message,
    };
    let mut options = Vec::new();
    let mut job: Option<(String, usize)> = None;
    let mut in_section = false;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        // fio cuts a line at either of the two, wherever it stands.
        let line = line.split([';', '#']).next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let Some(section) = section.strip_suffix(']') else {
                let message = format!("found `{line}`, allowed [global] or [a job's name]");
                return Err(refuse(number, message));
            };
            in_section = true;
            if section != "global" && section.to_ascii_lowercase().starts_with("global") {
                // fio takes [Global] for a job, and [globals] for [global].
                let message = format!(
                    "found [{section}], which fio does not read as a section; allowed \
                     [global], or a job's name that starts otherwise"
                );
                return Err(refuse(number, message));
            }
            match &job {
                None if section == "global" => {}
                None => job = Some((section.to_owned(), number)),
                Some((job, _)) if section == "global" => {
                    let message = format!(
                        "found [global] below the job [{job}], for which it does not hold; move \
                         its options above the job"
                    );
                    return Err(refuse(number, message));
                }
                Some((job, _)) => {
                    let message = format!(
                        "found a second job, [{section}] after [{job}], allowed one: a workload is \
                         one stream of ops; put each job in a file of its own"
                    );
                    return Err(refuse(number, message));
                }
            }
            continue;
        }
        if !in_section {
            let message = format!("found `{line}` above all sections, allowed below [global]");
            return Err(refuse(number, message));
        }
        options.push(option(number, line));
    }
    let (job, line) = job.ok_or_else(|| {
        let message = "found no job, allowed one: a section with a name of its own, such as [job]";
        refuse(text.lines().count().max(1), message.to_owned())
    })?;
    Ok(Found { job, line, options })
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
