//! `bench --list`: workloads, engines, policies and patches, with what each is.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::ValueEnum as _;
use iowq_workloads::builtins;
use iowq_workloads::grid::{GRID_NAMES, GRID_SUMMARY};

use crate::cell::EngineName;
use iowq_pool::policy::{ABSENCES, Patch, Registry};

/// Columns of a line beside a name, at most.
const COLUMNS_MAX: usize = 84;

/// Prints the list.
pub(super) fn print() -> anyhow::Result<()> {
    match io::stdout().write_all(text()?.as_bytes()) {
        // `bench --list | head` is no reason to complain.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn text() -> anyhow::Result<String> {
    let mut text =
        String::from("Workloads (--workload; NAME-stock has the kernel's idle timeout of 5 s):\n");
    for plan in builtins()?.iter().filter(|plan| !plan.name.ends_with("-stock")) {
        writeln!(text, "  {:15} {}", plan.name, plan.summary)?;
    }
    writeln!(text, "  {GRID_NAMES}")?;
    for line in GRID_SUMMARY {
        writeln!(text, "  {:15} {line}", "")?;
    }
    text.push_str("\nEngines (--engine):\n");
    for engine in EngineName::value_variants() {
        writeln!(text, "  {:15} {}", engine.name(), engine.summary())?;
    }
    text.push_str("\nPolicies of the pool (--policy):\n");
    let registry = Registry::builtin();
    for preset in registry.presets() {
        writeln!(text, "  {:15} {}", preset.name, preset.summary)?;
        writeln!(text, "  {:15} stands for {}", "", preset.releases)?;
        let commits: Vec<&str> = preset.patches.iter().map(Patch::name).collect();
        for line in wrapped(&commits) {
            writeln!(text, "  {:15} {line}", "")?;
        }
    }
    for kind in registry.kinds() {
        writeln!(text, "  {:15} {}", kind.usage(), kind.summary)?;
    }
    text.push_str("\nPatches, each a kernel commit (--policy PRESET+PATCH or PRESET-PATCH):\n");
    for patch in Patch::ALL {
        writeln!(text, "  {:24} {}", patch.name(), patch.summary())?;
    }
    for (name, patch) in ABSENCES {
        writeln!(text, "  {name:24} absence of {}, by a former name", patch.name())?;
    }
    Ok(text)
}

/// `has A, B, C`, in lines of [`COLUMNS_MAX`] at most.
fn wrapped(names: &[&str]) -> Vec<String> {
    let mut lines = vec!["has".to_owned()];
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.len() + name.len() + 2 <= COLUMNS_MAX => {
                *line += &format!(" {name}{comma}");
            }
            _ => lines.push(format!("    {name}{comma}")),
        }
    }
    lines
}
