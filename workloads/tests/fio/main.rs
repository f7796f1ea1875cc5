//! fio job files: what is taken over, what is ignored, and how each mistake is answered.

mod any;
mod engines;
mod examples;
mod pace;
mod refusals;
mod sizes;
mod stages;
mod values;

use iowq_workloads::{Engines, Plan};

/// A job of writes, in four lines.
const JOB: &str = "[job]\nioengine=io_uring\nrw=write\nsize=1m\n";

fn plans(text: &str) -> Vec<Plan> {
    let plans = Plan::parse_fio("mine", "mine.fio", text, Engines::IoUring);
    plans.unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The plan of a file with one stage.
fn plan(text: &str) -> Plan {
    let mut plans = plans(text);
    assert_eq!(plans.len(), 1, "{text}");
    plans.remove(0)
}

/// The plan of a job of writes with these lines besides.
fn with(lines: &str) -> Plan {
    plan(&format!("{JOB}{lines}"))
}

/// The answer to a job of writes with these lines besides, which start at line 5.
fn answer_with(lines: &str) -> String {
    answer(&format!("{JOB}{lines}"))
}

fn answer(text: &str) -> String {
    answer_as(text, Engines::IoUring)
}

fn answer_as(text: &str, engines: Engines) -> String {
    match Plan::parse_fio("mine", "mine.fio", text, engines) {
        Ok(plans) => format!("accepted {}", plans.len()),
        Err(error) => error.to_string(),
    }
}
