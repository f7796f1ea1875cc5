//! A fidelity bench: the grid on io_uring and under every preset, as its records say.

use std::collections::BTreeSet;

use iowq_contract::{WantBlocking, WantProbes};
use iowq_harness::engine::uring;
use iowq_harness::machine::kernel_idle_timeout;
use iowq_harness::run::check_probes;
use iowq_pool::policy::PRESETS;
use iowq_workloads::builtin;
use serde_json::Value;

use crate::support::{Place, skipped, stderr};

#[test]
fn every_arm_of_a_workload_of_the_grid_runs_once_with_the_kernels_idle_timeout() {
    const NAME: &str = "grid-f1-d8-s1-l2-buffered";
    let test = "every_arm_of_a_workload_of_the_grid_runs_once_with_the_kernels_idle_timeout";
    let ring = uring::check(&builtin(NAME).expect("a cell of the grid"));
    let probes = check_probes(WantProbes::Bpf, Some(WantBlocking::Auto));
    let lacks = ring.err().map(|error| error.to_string());
    if let Some(reason) = lacks.or(probes.err().map(|error| format!("{error:#}"))) {
        skipped(test, format_args!("{reason}"));
        return;
    }
    let place = Place::new();
    let arguments = ["--fidelity", "--grid", NAME, "--seconds", "0.1"];
    let output = place.bench(&arguments).output().expect("it runs");
    let said = stderr(&output);
    let records = place.records();
    assert_eq!(records.len(), 1 + PRESETS.len(), "{said}");
    let idle_timeout_ms = u64::try_from(kernel_idle_timeout().as_millis()).expect("milliseconds");
    for record in &records {
        assert_eq!(record["key"]["workload"], NAME);
        assert_eq!(record["settings"]["idle_timeout_ms"], idle_timeout_ms);
        assert_eq!(record["asked"], Value::Null, "no bench can be asked for that timeout");
    }
    let (kernel, pool): (Vec<&Value>, Vec<&Value>) =
        records.iter().partition(|record| record["key"]["engine"] == "uring");
    assert_eq!(kernel.len(), 1);
    assert_eq!((kernel[0].get("error"), &kernel[0]["ops"]["failed"]), (None, &0.into()));
    assert!(kernel[0]["ops"]["verified_blocks"].as_u64() > Some(0), "{}", kernel[0]["ops"]);
    assert!(
        matches!(kernel[0]["workers"]["peak"].as_u64(), Some(1..=2)),
        "{}",
        kernel[0]["workers"]
    );
    assert_eq!(
        (&kernel[0]["key"]["policy"], &kernel[0]["blocking"]),
        (&"kernel".into(), &"kernel".into())
    );
    assert!(said.contains(&format!("{NAME} on io_uring: ")), "{said}");
    let policies: BTreeSet<_> = pool.iter().map(|it| it["key"]["policy"].as_str()).collect();
    assert_eq!(policies, PRESETS.iter().map(|preset| Some(preset.name)).collect());
    for record in pool {
        assert_eq!(record.get("error"), None);
        assert_eq!(record["settings"]["limit_bounded"], 2);
    }
    assert!(said.contains(&format!("{NAME} under 6.17: ")), "{said}");
    place.assert_dir_is_empty();
}

#[test]
fn a_cell_on_one_processor_says_so_and_leaves_the_machine_as_it_is() {
    const NAME: &str = "grid-cpu1-writes-f4-d8-s4-l64-buffered";
    let place = Place::new();
    let mut engines = vec!["--engine", "pool"];
    match uring::check(&builtin(NAME).expect("a cell of the grid")) {
        Ok(()) => engines.extend(["--engine", "uring"]),
        Err(reason) => skipped("the half of it on io_uring", format_args!("{reason}")),
    }
    let run = ["--workload", NAME, "--policy", "6.17", "--seconds", "0.1", "--pairs", "1"];
    let output = place.bench(&[&run[..], &engines].concat()).output().expect("it runs");
    let records = place.records();
    assert_eq!(records.len(), engines.len() / 2, "{}", stderr(&output));
    let before = iowq_harness::machine::cpus();
    for record in records {
        assert_eq!(record.get("error"), None);
        assert_eq!(
            (&record["settings"]["cpus"], &record["host"]["cpus"]),
            (&1.into(), &before.into())
        );
        let (cpu_ns, wall_ns) = (&record["ops"]["cpu_ns"], &record["duration_ns"]);
        let busy = cpu_ns.as_f64().zip(wall_ns.as_f64()).map(|(cpu, wall)| cpu / wall);
        assert!(busy.is_some_and(|busy| busy < 1.1), "more than one processor: {busy:?}");
    }
}
