//! The steps of CI, in order: cheap ones first, so that a mistake shows early.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Context as _;

use crate::{process, record};

/// One step.
pub(super) struct Step {
    /// As `--only` takes it.
    pub name: &'static str,
    /// What it checks.
    pub about: &'static str,
    /// What is run.
    pub command: fn() -> Command,
    /// What is looked at when the command ended well.
    pub after: fn() -> anyhow::Result<()>,
}

/// All of them.
pub(super) const STEPS: [Step; 7] = [
    Step {
        name: "fmt",
        about: "the code is formatted",
        command: || cargo(&["fmt", "--all", "--check"]),
        ..PLAIN
    },
    Step {
        name: "clippy",
        about: "no lint has anything to say",
        command: || {
            cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
        },
        ..PLAIN
    },
    Step {
        name: "docs",
        about: "the documentation builds, and its links lead somewhere",
        command: || {
            let mut command = cargo(&["doc", "--locked", "--no-deps", "--workspace"]);
            command.env("RUSTDOCFLAGS", "-D warnings");
            command
        },
        ..PLAIN
    },
    Step {
        name: "test",
        about: "all tests, the tidy rules among them",
        // Without --show-output a passing test cannot say that it skipped.
        command: || {
            cargo(&["test", "--locked", "--workspace", "--no-fail-fast", "--", "--show-output"])
        },
        ..PLAIN
    },
    Step {
        name: "shuttle",
        about: "the pool under explored interleavings",
        command: || {
            let mut command = cargo(&["test", "--locked", "--package", "iowq-harness"]);
            command.args(["--features", "shuttle", "--test", "shuttle", "--", "--show-output"]);
            command
        },
        ..PLAIN
    },
    Step {
        name: "probes",
        // Where it lacks its toolchain, it says `skipped:` as a test does.
        about: "the committed BPF object is what its source builds",
        command: || cargo(&["xtask", "probes", "--check"]),
        ..PLAIN
    },
    Step {
        name: "bench",
        about: "a quick bench end to end, and its record",
        command: || {
            let mut command = cargo(&["xtask", "bench", "--quick", "--out"]);
            command.arg(bench_out());
            command
        },
        after: check_bench,
    },
];

/// Needs nothing, leaves nothing to look at; never run as it is.
const PLAIN: Step = Step { name: "", about: "", command: process::cargo, after: || Ok(()) };

fn cargo(args: &[&str]) -> Command {
    let mut command = process::cargo();
    command.args(args);
    command
}

/// A fresh folder for each process, because `bench` refuses one that was used.
fn bench_out() -> PathBuf {
    process::workspace().join(format!("target/ci/bench-{}", std::process::id()))
}

fn check_bench() -> anyhow::Result<()> {
    let out = bench_out();
    record::check(&out.join("record.jsonl"), may_load_bpf())?;
    for name in ["report.html", "summary.txt"] {
        let path = out.join(name);
        fs::metadata(&path).with_context(|| format!("bench left no {}", path.display()))?;
    }
    fs::remove_dir_all(&out).with_context(|| format!("cannot remove {}", out.display()))
}

/// Whether this process has what loading a tracing program takes, so that there is no excuse for
/// a lesser tier.
fn may_load_bpf() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    const CAP_PERFMON_AND_BPF: u64 = 1 << 38 | 1 << 39;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & CAP_SYS_ADMIN != 0 || mask & CAP_PERFMON_AND_BPF == CAP_PERFMON_AND_BPF
}
