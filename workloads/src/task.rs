//! Tasks: several streams of a workload at the same time, each written as what differs from the rest
//! of its spec.

use serde::Deserialize as _;
use toml::{Table, Value};

use crate::check::{self, Check};
use crate::error::{SpecError, in_plain_words};
use crate::limits;
use crate::plan::{Plan, Task};
use crate::spec::{Spec, TaskSpec};

/// The tables of a task, by name.
fn tables(task: &TaskSpec) -> impl Iterator<Item = (&'static str, &Table)> {
    let always = [
        ("files", &task.files),
        ("mix", &task.mix),
        ("arrival", &task.arrival),
        ("ring", &task.ring),
        ("workers", &task.workers),
    ];
    let always = always.into_iter().filter(|(_, table)| !table.is_empty());
    let sockets = task.sockets.iter().map(|sockets| ("sockets", sockets));
    always.chain(task.log.iter().map(|log| ("log", log))).chain(sockets)
}

/// The plan of a spec and of its tasks; `name` is the plan's, `file` is what errors name.
pub(crate) fn plan(spec: &Spec, name: &str, file: &str) -> Result<Plan, SpecError> {
    let whole = check::plan(spec, name, file)?;
    if spec.task.is_empty() {
        return Ok(whole);
    }
    let base = Spec { task: Vec::new(), ..spec.clone() };
    // A spec has nothing that TOML has not.
    let base = Table::try_from(&base).unwrap_or_default();
    let check = Check { file };
    let mut tasks: Vec<Task> = Vec::new();
    for task in &spec.task {
        check_name(&check, task, &tasks)?;
        let count = check.range("task.count", task.count, limits::TASKS)? as u32;
        // Before the next plan is made: a long list would take gigabytes.
        let all = tasks.iter().fold(count, |sum, task: &Task| sum.saturating_add(task.count));
        check.range("task.count", i64::from(all), limits::TASKS)?;
        let of_task = format!("{file}: task `{}`", task.name);
        let spec = overlaid(&base, task, &of_task)?;
        let plan = check::plan(&spec, &task.name, &of_task)?;
        tasks.push(Task { name: task.name.clone(), count, plan });
    }
    let whole = Plan { tasks, ..whole };
    check.of_all_tasks(&whole)?;
    Ok(whole)
}

/// Whether a task has a name, and one of its own.
fn check_name(check: &Check<'_>, task: &TaskSpec, before: &[Task]) -> Result<(), SpecError> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let fits = (1..=limits::TASK_NAME_BYTES_MAX).contains(&task.name.len());
    if !fits || !task.name.chars().all(letters) {
        let allowed =
            format!("1 to {} letters, digits, `-`, `_` or `.`", limits::TASK_NAME_BYTES_MAX);
        return Err(check.refuse("task.name", format!("{:?}", task.name), &allowed));
    }
    if before.iter().any(|other| other.name == task.name) {
        let allowed = "a name of its own for each; several alike are one with `count`";
        return Err(check.refuse("task.name", format!("{:?} twice", task.name), allowed));
    }
    Ok(())
}

/// The spec of a task: the one beside it, with the fields that the task has in place of its.
fn overlaid(base: &Table, task: &TaskSpec, file: &str) -> Result<Spec, SpecError> {
    let mut table = base.clone();
    for (name, fields) in tables(task) {
        let of_base = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(of_base) = of_base {
            // Fields of these depend on each other: what a pattern or a weight needs, another may
            // not have.
            if matches!(name, "arrival" | "mix") {
                of_base.clear();
            }
            of_base.extend(fields.clone());
        }
    }
    Spec::deserialize(table).map_err(|error| SpecError::Task {
        task: file.to_owned(),
        message: in_plain_words(error.message()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Plan, String> {
        Plan::parse("db", "db.toml", text).map_err(|error| error.to_string())
    }

    const DATABASE: &str = r#"
        [files]
        count = 2
        size_mib = 4
        [ring]
        depth = 8
        [workers]
        bounded = 5
        [[task]]
        name = "log"
        files = { count = 1, state = "fresh" }
        mix = { writes_per_fsync = 1, linked = true }
        ring = { depth = 2 }
        [[task]]
        name = "readers"
        count = 3
        mix = { write = 0, read = 1 }
        [task.arrival]
        pattern = "poisson"
        per_s = 100
    "#;

    #[test]
    fn a_task_has_what_it_says_and_else_what_stands_beside_it() {
        let plan = parse(DATABASE).expect("it is valid");
        let [log, readers] = plan.tasks.as_slice() else { panic!("{:?}", plan.tasks) };
        assert_eq!((log.plan.files, log.plan.depth, log.plan.limits[0]), (1, 2, 5));
        assert_eq!((readers.count, readers.plan.files, readers.plan.depth), (3, 2, 8));
        assert_eq!(readers.plan.mix.read, 1);
        assert_eq!(plan.streams().count(), 4);
        let depths: Vec<u32> = plan.streams().map(|stream| stream.depth).collect();
        assert_eq!(depths, [2, 8, 8, 8]);
    }

    #[test]
    fn a_plan_without_tasks_is_one_stream() {
        let plan = parse("").expect("it is valid");
        assert_eq!(plan.streams().collect::<Vec<_>>(), [&plan]);
    }

    #[test]
    fn what_is_wrong_in_a_task_is_said_with_its_name() {
        for (text, parts) in [
            ("[[task]]\ncount = 2", vec!["missing field `name`"]),
            ("[[task]]\nname = \"\"", vec!["task.name: found \"\"", "letters"]),
            ("[[task]]\nname = \"a\"\n[[task]]\nname = \"a\"", vec!["\"a\" twice", "count"]),
            ("[[task]]\nname = \"a\"\ncount = 0", vec!["task.count: found 0, allowed 1 to"]),
            (
                "[[task]]\nname = \"a\"\ncount = 40\n[[task]]\nname = \"b\"\ncount = 40",
                vec!["task.count: found 80"],
            ),
            (
                "[[task]]\nname = \"a\"\nring = { depht = 2 }",
                vec!["db.toml: task `a`", "unknown field `depht`", "`depth`"],
            ),
            (
                "[[task]]\nname = \"a\"\nring = { depth = 0 }",
                vec!["db.toml: task `a`: ring.depth: found 0, allowed 1 to"],
            ),
            ("[[task]]\nname = \"a\"\n[task.run]\nseconds = 1", vec!["unknown field `run`"]),
        ] {
            let error = parse(text).expect_err(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }

    #[test]
    fn tasks_together_have_the_limits_of_one() {
        let many = "[ring]\ndepth = 4096\n[files]\nsize_mib = 1\n[[task]]\nname = \"a\"\ncount = 2";
        let error = parse(many).expect_err("8192 in flight");
        assert!(error.contains("ring.depth: found 8192 in all tasks"), "{error}");
        let large = "[ring]\ndepth = 64\n[files]\nblock_bytes = 16777216\n[[task]]\nname = \"a\"\ncount = 2";
        let error = parse(large).expect_err("2 GiB of buffers");
        assert!(error.contains("found 2147483648 bytes of buffers in all tasks"), "{error}");
    }

    #[test]
    fn a_length_and_a_timeout_of_the_command_line_are_those_of_every_task() {
        let plan = parse(DATABASE).expect("it is valid");
        let plan = plan.with_seconds(0.5).and_then(|plan| plan.with_idle_timeout_ms(7.0));
        let plan = plan.expect("both are allowed");
        assert!(plan.streams().all(|stream| stream.length == plan.length));
        assert!(plan.streams().all(|stream| stream.idle_timeout.as_millis() == 7));
    }
}
