//! `ci`: the list that CI runs, the same on a laptop; every step is run, timed and counted.

mod record;
mod steps;
mod tally;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;

use crate::exit::Exit;
use crate::process::{self, say};
use steps::{STEPS, Step};
use tally::Tally;

/// Flags of `ci`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print the steps, in order, and run none
    #[arg(long)]
    list: bool,
    /// Run this step only; may be given again
    #[arg(long, value_name = "NAME", value_parser = names())]
    only: Vec<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// Lines of a failing step that are said once more at the end: logs are often kept from their end.
const END_LINES_MAX: usize = 25;

/// How a step went.
struct Outcome {
    step: &'static Step,
    took: Duration,
    tally: Tally,
    /// The end of its output, if it failed.
    end: String,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    if options.list {
        for step in &STEPS {
            say(format_args!("{:<8} {}", step.name, step.about));
        }
        return Ok(Exit::Fine);
    }
    let wanted =
        |step: &&Step| options.only.is_empty() || options.only.iter().any(|name| name == step.name);
    let steps: Vec<_> = STEPS.iter().filter(wanted).collect();
    let logs = process::workspace().join("target/ci");
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;

    let mut outcomes = Vec::new();
    for (number, step) in (1..).zip(&steps) {
        say(format_args!("[{number}/{}] {}: {}", steps.len(), step.name, step.about));
        let start = Instant::now();
        let (tally, end) = run_step(step, &logs.join(format!("{}.log", step.name)))?;
        outcomes.push(Outcome { step, took: start.elapsed(), tally, end });
    }
    let total = outcomes.iter().fold(Tally::default(), |total, outcome| total.plus(&outcome.tally));
    say(summary(&outcomes, &total).trim_end());
    Ok(if total.failed == 0 { Exit::Fine } else { Exit::Trouble })
}

/// Runs a step with its output in a file, which is shown only where something failed: a screen
/// of passing tests hides the one line that matters. With its counts comes the end of what was
/// shown.
fn run_step(step: &Step, log: &PathBuf) -> anyhow::Result<(Tally, String)> {
    let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command: Command = (step.command)();
    let both = file.try_clone().with_context(|| format!("cannot write {}", log.display()))?;
    command.current_dir(process::workspace()).env("CARGO_TERM_COLOR", "never");
    let status = process::run(command.stdout(file).stderr(both))?;
    let output = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    let output = String::from_utf8_lossy(&output);

    let ended_well = status.code().is_some_and(|code| step.exits.contains(&code));
    let mut tally = Tally::of(&output, ended_well);
    let mut shown = output.trim_end().to_owned();
    if ended_well && let Err(error) = (step.after)() {
        shown += &format!("\n      {error:#}");
        tally = tally.plus(&Tally::FAILURE);
    }
    if tally.failed == 0 {
        return Ok((tally, String::new()));
    }
    shown += &format!("\n      failed: {}", process::shown(&command));
    say(&shown);
    let lines: Vec<_> = shown.lines().collect();
    let end = lines[lines.len().saturating_sub(END_LINES_MAX)..].join("\n");
    Ok((tally, end))
}

/// The table of steps, the skipped tests with their reasons, the ends of what failed, and the
/// closing line.
fn summary(outcomes: &[Outcome], total: &Tally) -> String {
    let mut text = format!("\n{:<8} {:<6} {:>8}  counts\n", "step", "result", "time");
    for Outcome { step, took, tally, .. } in outcomes {
        let seconds = took.as_secs_f64();
        text += &format!("{:<8} {:<6} {seconds:>6.1} s  {tally}\n", step.name, tally.word());
    }
    if !total.skipped.is_empty() {
        text += "\nskipped:\n";
    }
    for reason in &total.skipped {
        text += &format!("  {reason}\n");
    }
    for Outcome { step, end, .. } in outcomes.iter().filter(|outcome| !outcome.end.is_empty()) {
        text += &format!("\nthe end of {}:\n{end}\n", step.name);
    }
    text + &format!("\n{total}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ends_with_the_counts_and_names_what_was_skipped_and_why() {
        let took = Duration::from_millis(1500);
        let skipped = Tally::of("skipped: probes: no bpf-linker\n", true);
        let outcomes = [
            Outcome { step: &STEPS[0], took, tally: Tally::of("", true), end: String::new() },
            Outcome { step: &STEPS[1], took, tally: skipped, end: "no such file".into() },
        ];
        let total = outcomes[0].tally.clone().plus(&outcomes[1].tally);
        let text = summary(&outcomes, &total);
        assert!(text.ends_with("\n1 passed, 0 failed, 1 skipped\n"), "{text}");
        assert!(text.contains("  probes: no bpf-linker\n"), "{text}");
        assert!(text.contains("\nthe end of clippy:\nno such file\n"), "{text}");
        assert!(text.contains("fmt      ok        1.5 s"), "{text}");
    }

    #[test]
    fn steps_have_different_names() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
