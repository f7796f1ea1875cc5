//! `bench --list`: workloads, engines, policies and patches, with what each is.

use std::fmt::Write as _;

use iowq_contract::EngineName;
use iowq_pool::policy::{ABSENCES, Patch, Registry};
use iowq_workloads::builtins;
use iowq_workloads::grid::{GRID_NAMES, GRID_SUMMARY};
use iowq_workloads::set::keys;
use serde_json::json;

/// Columns of a line beside a name, at most.
const COLUMNS_MAX: usize = 84;

/// The list, for people.
pub(crate) fn text(registry: &Registry) -> anyhow::Result<String> {
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
    for engine in EngineName::ALL {
        writeln!(text, "  {:15} {}", engine.name(), engine.summary())?;
    }
    text.push_str("\nSettings, fields of a workload's spec (--set TABLE.FIELD=VALUE,VALUE):\n");
    for (table, fields) in fields() {
        for (at, line) in wrapped("", &fields).iter().enumerate() {
            writeln!(text, "  {:15} {}", if at == 0 { &table } else { "" }, line.trim())?;
        }
    }
    text.push_str("\nPolicies of the pool (--policy):\n");
    for preset in registry.presets() {
        writeln!(text, "  {:15} {}", preset.name, preset.summary)?;
        writeln!(text, "  {:15} stands for {}", "", preset.releases)?;
        let commits: Vec<&str> = preset.patches.iter().map(Patch::name).collect();
        for line in wrapped("has", &commits) {
            writeln!(text, "  {:15} {line}", "")?;
        }
    }
    for kind in registry.kinds() {
        writeln!(text, "  {:15} {}", kind.usage(), kind.summary)?;
    }
    text.push_str("\nPatches, each a change of the kernel by its commits or first releases (--policy PRESET+PATCH or PRESET-PATCH):\n");
    for patch in Patch::ALL {
        writeln!(text, "  {:24} {}", patch.name(), patch.summary())?;
    }
    for (name, patch) in ABSENCES {
        writeln!(text, "  {name:24} absence of {}, by a former name", patch.name())?;
    }
    Ok(text)
}

/// The fields that can be set, by their tables, in the order of the format.
fn fields() -> Vec<(String, Vec<String>)> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for key in keys() {
        let (table, field) = key.split_once('.').unwrap_or((&key, ""));
        match tables.last_mut().filter(|(last, _)| last == table) {
            Some((_, fields)) => fields.push(field.to_owned()),
            None => tables.push((table.to_owned(), vec![field.to_owned()])),
        }
    }
    tables
}

/// `has A, B, C`, in lines of [`COLUMNS_MAX`] at most.
fn wrapped(first: &str, names: &[impl AsRef<str>]) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    for (at, name) in names.iter().map(AsRef::as_ref).enumerate() {
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

/// The list, for programs.
pub(crate) fn json(registry: &Registry) -> anyhow::Result<serde_json::Value> {
    let named = |name: &str, summary: &str| json!({ "name": name, "summary": summary });
    let presets = registry.presets().iter().map(|preset| {
        let patches: Vec<&str> = preset.patches.iter().map(Patch::name).collect();
        json!({
            "name": preset.name,
            "summary": preset.summary,
            "releases": preset.releases,
            "patches": patches,
        })
    });
    let kinds = registry.kinds().iter().map(|kind| named(&kind.usage(), kind.summary));
    Ok(json!({
        "workloads": builtins()?.iter().map(|it| named(&it.name, &it.summary)).collect::<Vec<_>>(),
        "settings": keys(),
        "engines": EngineName::ALL.map(|it| named(it.name(), it.summary())),
        "policies": presets.chain(kinds).collect::<Vec<_>>(),
        "patches": Patch::ALL.map(|it| named(it.name(), it.summary())),
    }))
}
