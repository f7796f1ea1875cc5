//! The record, as far as it matters here: whether a run finished, failed or was watched.
//!
//! Read as plain JSON, by the field names that scripts rely on, because this crate links no other.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Checks that every run of a record went well and, with `bpf`, that the probes saw all of it.
/// Returns the number of runs.
pub(crate) fn check(path: &Path, bpf: bool) -> anyhow::Result<usize> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the record {}", path.display()))?;
    for (number, line) in (1..).zip(text.lines()) {
        let run = serde_json::from_str(line)
            .with_context(|| format!("{}:{number} is not JSON", path.display()))?;
        check_run(&run, bpf).with_context(|| format!("{}:{number}", path.display()))?;
    }
    match text.lines().count() {
        0 => bail!("{} holds no run", path.display()),
        runs => Ok(runs),
    }
}

fn check_run(run: &Value, bpf: bool) -> anyhow::Result<()> {
    let cell = |field: &str| run["key"][field].as_str().unwrap_or("?").to_owned();
    let name = format!("{} under {} on {}", cell("workload"), cell("policy"), cell("engine"));
    if let Some(error) = run["error"].as_str() {
        bail!("{name} failed: {error}");
    }
    if run["ops"]["done"].as_u64().is_none_or(|done| done == 0) {
        bail!("{name} finished no operation");
    }
    let failed = &run["ops"]["failed"];
    if failed.as_u64() != Some(0) {
        bail!("{name}: ops.failed is {failed}, 0 is expected");
    }
    if !bpf {
        return Ok(());
    }
    let probe = &run["probe"];
    if probe["tier"] != "bpf" {
        bail!(
            "{name}: probe.tier is {}, \"bpf\" is expected as root; reason: {}",
            probe["tier"],
            probe["reason"]
        );
    }
    if probe["events_lost"].as_u64() != Some(0) {
        bail!("{name}: probe.events_lost is {}, 0 is expected", probe["events_lost"]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Value {
        json!({
            "key": {"workload": "dsync", "engine": "pool", "policy": "6.12"},
            "ops": {"done": 5, "failed": 0},
            "probe": {"tier": "bpf", "reason": "", "events_lost": 0},
        })
    }

    fn complaint(field: &str, value: Value, bpf: bool) -> String {
        let mut run = run();
        match run.pointer_mut(field) {
            Some(place) => *place = value,
            None => run["error"] = value,
        }
        check_run(&run, bpf).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn a_good_run_passes() {
        assert!(check_run(&run(), true).is_ok());
    }

    #[test]
    fn a_run_with_an_error_or_a_failed_operation_or_none_at_all_is_refused() {
        assert_eq!(
            complaint("/error", json!("EIO"), false),
            "dsync under 6.12 on pool failed: EIO"
        );
        assert!(complaint("/ops/failed", json!(1), false).contains("ops.failed is 1"));
        assert!(complaint("/ops/done", json!(0), false).contains("no operation"));
    }

    #[test]
    fn a_lesser_tier_and_lost_events_are_refused_only_where_bpf_is_expected() {
        assert!(complaint("/probe/tier", json!("proc"), true).contains("\"bpf\" is expected"));
        assert!(complaint("/probe/events_lost", json!(2), true).contains("events_lost is 2"));
        assert_eq!(complaint("/probe/tier", json!("proc"), false), "fine");
    }

    #[test]
    fn an_empty_record_is_refused() -> anyhow::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        assert!(check(file.path(), false).is_err());
        Ok(())
    }
}
