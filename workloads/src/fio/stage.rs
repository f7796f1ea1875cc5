//! Stages: the jobs of a file that run at one time, and what they leave to those after them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::job::Job;
use super::plan::Planned;
use super::refusals::Refusals;
use super::section::Section;
use crate::check::Check;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{FileState, Length, Plan, Task};

/// Most characters of a job's name in that of a workload.
const NAME_MAX: usize = 28;

/// When a job starts, and how often.
#[derive(Debug)]
pub(super) struct Start {
    /// Whether it waits for all before it.
    is_after_all: bool,
    /// The job that it waits for.
    after: Option<String>,
    /// How many of it run at one time.
    copies: u32,
    /// Whether it is of another group than those before it.
    starts_group: bool,
    /// Whether its end is that of those beside it, or of those after it as well.
    ends: Ends,
}

/// What ends with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Itself,
    /// Those since the last `new_group` or `stonewall`.
    Group,
    /// Those beside it.
    Stage,
    /// And those after it.
    All,
}

impl Start {
    /// `exits` says whether any section of the file has `exitall`, which holds for all jobs.
    pub(super) fn of(job: &Job<'_>, exits: bool) -> Start {
        Start {
            is_after_all: job.keep(job.is_on("stonewall")).unwrap_or(false),
            after: job.text("wait_for").map(str::to_owned),
            copies: job.keep(job.within("numjobs", 1, limits::TASKS)).unwrap_or(1) as u32,
            starts_group: job.keep(job.is_on("new_group")).unwrap_or(false),
            ends: job.keep(ends(job, exits)).unwrap_or(Ends::Itself),
        }
    }
}

fn ends(job: &Job<'_>, exits: bool) -> Result<Ends, SpecError> {
    if job.switch("exitall")? == Some(false) {
        let allowed = "no value, or nothing: fio has it on for all jobs whatever its value is";
        return Err(job.refuse("exitall", allowed));
    }
    if !exits {
        return Ok(Ends::Itself);
    }
    match job.text("exit_what") {
        None | Some("group") => Ok(Ends::Group),
        Some("stonewall") => Ok(Ends::Stage),
        Some("all") => Ok(Ends::All),
        Some(_) => Err(job.refuse("exit_what", "group, stonewall or all")),
    }
}

/// A job, which has a plan if nothing in it was refused.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) section: &'a Section,
    pub(super) start: Start,
    pub(super) planned: Option<Planned>,
}

/// What fio finds in files: those that exist are not laid out again if they are long enough.
#[derive(Debug, Default)]
pub(super) struct Left {
    files: BTreeMap<String, (u64, FileState)>,
}

impl Left {
    /// Bytes in each of these files, if all are there.
    pub(super) fn bytes(&self, names: &[String]) -> Option<u64> {
        let bytes = names.iter().map(|name| self.files.get(name).map_or(0, |(bytes, _)| *bytes));
        bytes.min().filter(|bytes| *bytes > 0)
    }

    /// Lays out the files of a job, which fio does for all jobs before the first one starts.
    pub(super) fn lay_out(&mut self, planned: &Planned) {
        let state = planned.plan.state.first().copied().unwrap_or(FileState::Fresh);
        let wanted = planned.file_bytes();
        for file in &planned.file_names {
            let there = self.files.entry(file.clone()).or_insert((0, state));
            if there.0 < wanted {
                *there = (if state == FileState::Fresh { 0 } else { wanted }, state);
            }
        }
    }

    /// The files of a job as they are when it starts.
    fn start(&self, planned: &mut Planned) {
        let is_written =
            |name| self.files.get(name).is_some_and(|(_, state)| *state == FileState::Written);
        let was_left = planned.plan.state.first() != Some(&FileState::Written);
        if was_left && planned.file_names.iter().all(is_written) {
            planned.set_state(FileState::Written);
            planned.plan.summary.push_str(" Other jobs of the file have written its files before.");
        }
    }

    /// The files of a job as they are after it: written, if it writes.
    fn end(&mut self, planned: &Planned) {
        if planned.plan.mix.write > 0 {
            for name in &planned.file_names {
                self.files.insert(name.clone(), (planned.file_bytes(), FileState::Written));
            }
        }
    }
}

/// The workloads of a file, a stage each, named after it and, if there are several, after the first
/// job of each.
pub(super) fn workloads(
    name: &str,
    file: &str,
    entries: Vec<Entry<'_>>,
    mut left: Left,
    refusals: &mut Refusals,
) -> Vec<Plan> {
    let stages = stages(file, entries, refusals);
    let is_alone = stages.len() == 1;
    check_ends(file, &stages, refusals);
    let mut names = BTreeSet::new();
    let mut plans = Vec::new();
    for mut stage in stages {
        let own = own_name(stage.first().map_or("", |first| &first.section.name), &mut names);
        let jobs = || stage.iter().filter_map(|entry| entry.planned.as_ref());
        let shares_files = shares_files(&stage);
        let after: Vec<_> = jobs().cloned().collect();
        stage.iter_mut().filter_map(|entry| entry.planned.as_mut()).for_each(|it| left.start(it));
        after.iter().for_each(|planned| left.end(planned));
        match join(file, stage, shares_files) {
            Ok(Some(plan)) if is_alone => plans.push(Plan { name: name.to_owned(), ..plan }),
            Ok(Some(plan)) => plans.push(Plan { name: format!("{name}:{own}"), ..plan }),
            Ok(None) => {}
            Err(error) => refusals.add(error),
        }
    }
    plans
}

/// The jobs by when they start.
fn stages<'a>(file: &str, entries: Vec<Entry<'a>>, refusals: &mut Refusals) -> Vec<Vec<Entry<'a>>> {
    let mut stages: Vec<Vec<Entry<'a>>> = Vec::new();
    for entry in entries {
        let is_named = |other: &Entry<'_>| Some(&other.section.name) == entry.start.after.as_ref();
        let last = stages.last().map_or(&[][..], Vec::as_slice);
        let waits_for_last = last.iter().any(is_named);
        // With stonewall it waits for all of them anyway.
        let waits_for_some =
            waits_for_last && !entry.start.is_after_all && !last.iter().all(is_named);
        let is_known = stages.iter().flatten().any(is_named);
        if waits_for_some || (entry.start.after.is_some() && !is_known) {
            let name = entry.start.after.clone().unwrap_or_default();
            let message = format!(
                "[{}]: wait_for: found `{name}`, allowed a job before it, which is the only one at \
                 its time; or stonewall, which waits for all",
                entry.section.name
            );
            refusals.add(syntax(file, entry.section.line, message));
        }
        let waits = entry.start.is_after_all || entry.start.after.is_some();
        let opened = last.first().map(|entry| &entry.start);
        let opened_by_one = opened.is_some_and(|it| it.after.is_some() && !it.is_after_all);
        if !waits && opened_by_one {
            let message = format!(
                "[{}]: found no stonewall and no wait_for below a job that waits for another, \
                 allowed either, or a place above that job: in fio it starts with the first",
                entry.section.name
            );
            refusals.add(syntax(file, entry.section.line, message));
        }
        match stages.last_mut() {
            Some(stage) if !entry.start.is_after_all && !waits_for_last => stage.push(entry),
            _ => stages.push(vec![entry]),
        }
    }
    stages
}

/// Whether jobs end none but those beside them that have begun.
fn check_ends(file: &str, stages: &[Vec<Entry<'_>>], refusals: &mut Refusals) {
    for (number, stage) in stages.iter().enumerate() {
        let mut later = stages[number + 1..].iter().flatten().peekable();
        let is_last = later.peek().is_none();
        // A job that waits for another by name may be of the same group.
        let opens = |entry: &Entry<'_>| entry.start.is_after_all || entry.start.starts_group;
        let is_same_group = later.next().is_some_and(|entry| !opens(entry));
        let delayed = |entry: &Entry<'_>| {
            entry.planned.as_ref().is_some_and(|planned| !planned.plan.begins_after.is_zero())
        };
        for entry in stage {
            let allowed = match entry.start.ends {
                Ends::All if !is_last => "exit_what=stonewall: those after it would never run",
                Ends::Group if is_same_group => "a new_group or stonewall after it",
                Ends::Stage if stage.iter().any(delayed) => {
                    "no startdelay beside it: fio ends only jobs that have begun"
                }
                _ => continue,
            };
            let name = &entry.section.name;
            let message = format!("[{name}]: found exitall in the file, allowed {allowed}");
            refusals.add(syntax(file, entry.section.line, message));
        }
    }
}

/// Whether several jobs of a stage have a file in common.
fn shares_files(stage: &[Entry<'_>]) -> bool {
    let mut names = BTreeSet::new();
    let is_named = |entry: &Entry<'_>| entry.planned.as_ref().is_some_and(|it| it.is_named);
    let copied = stage.iter().any(|entry| entry.start.copies > 1 && is_named(entry));
    let planned = stage.iter().filter_map(|entry| entry.planned.as_ref());
    copied || planned.flat_map(|planned| &planned.file_names).any(|name| !names.insert(name))
}

/// What the jobs of a stage come to: the plan of the only one, or one with a task for each.
fn join(
    file: &str,
    mut stage: Vec<Entry<'_>>,
    shares_files: bool,
) -> Result<Option<Plan>, SpecError> {
    let Some(line) = stage.first().map(|first| first.section.line) else { return Ok(None) };
    let count = stage.iter().fold(0_u32, |sum, entry| sum.saturating_add(entry.start.copies));
    if count == 1 {
        // There is nothing to begin after.
        let alone = |planned: Planned| Plan { begins_after: Duration::ZERO, ..planned.plan };
        return Ok(stage.remove(0).planned.map(alone));
    }
    let refuse = |found: &str, allowed: &str| {
        let [from, to] =
            [stage.first(), stage.last()].map(|entry| entry.map_or("", |it| &it.section.name));
        let who =
            if stage.len() == 1 { format!("[{from}]") } else { format!("[{from}] to [{to}]") };
        syntax(file, line, format!("{who}: found {found}, allowed {allowed}"))
    };
    if i64::from(count) > *limits::TASKS.end() {
        let allowed = format!("{} at most: each has a thread", limits::TASKS.end());
        return Err(refuse(&format!("{count} jobs at one time"), &allowed));
    }
    with_tasks(file, stage, shares_files)
}

/// A plan whose tasks are the jobs.
fn with_tasks(
    file: &str,
    stage: Vec<Entry<'_>>,
    shares_files: bool,
) -> Result<Option<Plan>, SpecError> {
    let mut names = BTreeSet::new();
    let (mut tasks, mut group): (Vec<Task>, u32) = (Vec::new(), 0);
    for Entry { section, start, planned } in stage {
        let Some(Planned { mut plan, .. }) = planned else { return Ok(None) };
        group += u32::from(start.starts_group && !tasks.is_empty());
        plan.group = group;
        plan.ends_groups = match start.ends {
            Ends::Itself => 0,
            Ends::Group => 1 << group.min(u64::BITS - 1),
            Ends::Stage | Ends::All => u64::MAX,
        };
        let name = own_name(&section.name, &mut names);
        tasks.push(Task { plan: Plan { name: name.clone(), ..plan }, name, count: start.copies });
    }
    let Some(first) = tasks.first() else { return Ok(None) };
    let mut summary = String::new();
    for Task { count, plan, .. } in &tasks {
        let times = if *count > 1 { format!("{count} times: ") } else { String::new() };
        summary.push_str(&format!("{times}{} ", plan.summary));
        if !plan.begins_after.is_zero() {
            summary.push_str(&format!("It begins after {} s. ", plan.begins_after.as_secs_f64()));
        }
    }
    summary.push_str("All run at one time.");
    for Task { name, plan, .. } in tasks.iter().filter(|task| task.plan.ends_groups > 0) {
        let what = if plan.ends_groups == u64::MAX { "all" } else { "its group" };
        summary.push_str(&format!(" The end of {name} is that of {what}."));
    }
    if shares_files {
        summary.push_str(" They share files in fio; here each has its own.");
    }
    let warmup = tasks.iter().map(|task| task.plan.warmup).max().unwrap_or_default();
    let origin = format!("Jobs of the fio job file {file}.");
    let whole = Plan { summary, origin, warmup, ..first.plan.clone() };
    let whole = Plan { tasks, ..whole };
    let whole = Plan { length: length_of_all(&whole), ..whole };
    Check { file }.of_all_tasks(&whole)?;
    Ok(Some(whole))
}

/// How long jobs at one time take: until the last one's time is over, or all ops of all are done.
fn length_of_all(whole: &Plan) -> Length {
    let ops = whole.tasks.iter().map(|task| match task.plan.length {
        Length::Ops(ops) | Length::Either { ops, .. } => ops,
        Length::Time(_) => 0,
    });
    whole.time_of_all().map_or(Length::Ops(ops.fold(0, u64::saturating_add)), Length::Time)
}

fn syntax(file: &str, line: usize, message: String) -> SpecError {
    SpecError::Syntax { file: file.to_owned(), line, column: 1, message }
}

/// A job's name as a part of a workload's, unlike those before it.
fn own_name(job: &str, names: &mut BTreeSet<String>) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let letters = job.chars().take(NAME_MAX);
    let name: String = letters.map(|letter| if plain(letter) { letter } else { '-' }).collect();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let name = std::iter::once(name.clone())
        .chain(numbered)
        .find(|name| !names.contains(name))
        .unwrap_or(name);
    names.insert(name.clone());
    name
}
