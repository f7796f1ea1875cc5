//! Commands that only ask: `--list`, `--help` and `doctor`.

use std::process::{Command, Output, Stdio};

use iowq_pool::policy::PRESETS;
use iowq_workloads::builtins;

use crate::support::{IOWQ, Place, as_user, root_or_skip, stderr};

fn iowq(arguments: &[&str]) -> String {
    answer(&Command::new(IOWQ).args(arguments).output().expect("it runs"))
}

fn answer(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(0), ""));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn the_list_names_every_workload_and_every_preset_with_what_it_is() {
    let list = iowq(&["bench", "--list"]);
    let plans = builtins().expect("built-in workloads are valid");
    let names = plans.iter().map(|plan| plan.name.trim_end_matches("-stock"));
    let names = names.chain(PRESETS.iter().map(|preset| preset.name));
    let names = names.chain(["pool", "uring", "fixed:N"]);
    for name in names {
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not in:\n{list}"));
        assert!(line.split_whitespace().count() > 3, "{line}");
    }
    assert!(list.contains("NAME-stock"), "{list}");
    let grid: Vec<&str> = list.lines().filter(|line| line.contains("grid-")).collect();
    assert_eq!(grid, ["  grid-[GROUP-[WORD-]]fF-dD-sS-lL-OPEN"], "one line for all workloads");
}

#[test]
fn the_list_into_a_pipe_that_nobody_reads_is_no_trouble() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(IOWQ).args(["bench", "--list"]).stdout(writer).output();
    assert_eq!(answer(&output.expect("it runs")), "");
}

#[test]
fn the_help_shows_what_holds_if_a_flag_is_omitted() {
    let help = iowq(&["bench", "--help"]);
    let flags = [
        ("--workload", "fsync-mix dsync"),
        ("--engine", "pool"),
        ("--policy", "6.12 6.16 6.17 exit-on-idle"),
        ("--pairs", "3, with --quick or --fidelity 1"),
        ("--grid", "all"),
        ("--seed", "1, or the workload's own"),
        ("--dir", "bench-files, in the folder for results"),
        ("--out", "bench/UTC-TIME, in the folder for results"),
        ("--probes", "auto"),
        ("--blocking", "auto"),
    ];
    for (flag, default) in flags {
        let (_, rest) = help.split_once(&format!(" {flag} ")).expect(flag);
        let own = rest.split("\n      --").next().expect("its text");
        assert!(own.contains(&format!("[default: {default}]")), "{flag}: {own}");
    }
}

#[test]
fn the_doctor_ends_well_for_everybody() {
    assert!(iowq(&["doctor"]).contains("in order"));
    let test = "the_doctor_ends_well_for_everybody";
    if !root_or_skip(test, "asking as another user") {
        return;
    }
    let place = Place::new();
    let Some(mut doctor) = as_user(test, &place, 0, &["doctor"]) else { return };
    let said = answer(&doctor.stdin(Stdio::null()).output().expect("it runs"));
    assert!(said.contains("fix: "), "an ordinary user lacks something: {said}");
}
