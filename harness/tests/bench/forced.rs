//! Forced: ops that go to a worker at once, and what their workers wait for.

use crate::support::{Place, skipped};

/// Births of each engine with sixteen forced ops in flight, by name of the mix's kind of op.
fn created(test: &str, kind: &str) -> Option<[u64; 2]> {
    let place = Place::new();
    let other = if kind == "read" { "write = 0\n" } else { "" };
    place.write(
        "forced.toml",
        &format!(
            "[files]\ncount = 2\nsize_mib = 4\nopen = \"direct\"\nstate = \"written\"\n\
             [mix]\n{other}{kind} = 1\n[ring]\ndepth = 16\nforce_async = true\n[run]\nops = 2000"
        ),
    );
    let here = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).ok()?;
    let dir = ["--dir", here.path().to_str()?];
    let engines = ["--workload", "./forced.toml", "--engine", "pool", "--engine", "uring"];
    let output = place
        .bench(&[&engines[..], &["--policy", "exit-on-idle", "--pairs", "1"], &dir].concat())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("direct") && !output.status.success() {
        skipped(test, "this file system takes no direct I/O");
        return None;
    }
    assert!(output.status.success(), "{said}");
    let records = place.records();
    let of = |engine: &str| {
        let record = records.iter().find(|record| record["cell"]["engine"] == engine)?;
        assert_eq!(record["ops"]["done"], 2000, "{record}");
        (record["probe"]["tier"] == "bpf" && record["blocking"] != "declared")
            .then(|| record["workers"]["created"]["probe"].as_u64())?
    };
    let both = of("pool").zip(of("uring"));
    if both.is_none() {
        skipped(test, "no eBPF: nobody says when a worker waits");
    }
    both.map(|(pool, kernel)| [pool, kernel])
}

/// A worker that waited for the device would need one of its own for each op in flight.
#[test]
fn a_worker_that_hands_a_direct_op_to_the_device_is_free_for_the_next_as_in_the_kernel() {
    let test = "a_worker_that_hands_a_direct_op_to_the_device_is_free_for_the_next";
    for kind in ["read", "write"] {
        let Some([pool, kernel]) = created(test, kind) else { return };
        assert!(pool <= kernel + 3, "{kind}: {pool} workers, the kernel {kernel}");
    }
}
