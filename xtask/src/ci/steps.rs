//! The steps of CI, in order: cheap ones first, so that a mistake shows early.

use std::process::Command;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, ensure};

use super::record;
use crate::process;

/// One step.
pub(super) struct Step {
    /// As `--only` takes it.
    pub name: &'static str,
    /// What it checks.
    pub about: &'static str,
    /// What is run.
    pub command: fn() -> Command,
    /// Exit codes with which the command ends well.
    pub exits: &'static [i32],
    /// What is looked at when the command ended well.
    pub after: fn() -> anyhow::Result<()>,
}

/// All of them.
pub(super) const STEPS: [Step; 12] = [
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
            let mut command = cargo(&["test", "--locked", "--package", "iowq-pool"]);
            command.args(["--features", "shuttle", "--test", "shuttle", "--", "--show-output"]);
            command
        },
        ..PLAIN
    },
    Step {
        name: "fuzz",
        // Its build takes five minutes of processor time on a busy machine, the rest one. Where it
        // lacks a C++ compiler, it says `skipped:`.
        about: "parsers under mutated input, guided by coverage",
        command: || cargo(&["xtask", "fuzz", "--seconds", "4"]),
        ..PLAIN
    },
    Step {
        name: "package",
        about: "crates that others use build from what would be published",
        command: package,
        after: || {
            fs::remove_dir_all(&*PACKAGE_OUT)
                .with_context(|| format!("cannot remove {}", PACKAGE_OUT.display()))
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
        ..PLAIN
    },
    Step {
        name: "speed",
        about: "the pool beside the kernel's and beside rayon's, which it is not to be slower than",
        command: peers,
        after: check_peers,
        ..PLAIN
    },
    Step {
        name: "cost",
        about: "the kernel's io-wq with probes and without, which are not to slow it down",
        command: probed,
        after: check_probed,
        ..PLAIN
    },
    Step {
        name: "kernels",
        about: "a stock kernel, booted twice and compared with itself, and its record",
        command: kernels,
        // One pair shows nothing, and the verdict has to say so.
        exits: &[0, 3],
        after: check_kernels,
    },
];

/// Needs nothing, leaves nothing to look at; never run as it is.
const PLAIN: Step =
    Step { name: "", about: "", command: process::cargo, exits: &[0], after: || Ok(()) };

fn cargo(args: &[&str]) -> Command {
    let mut command = process::cargo();
    command.args(args);
    command
}

/// A folder whose path was never used. Cargo keeps the packages that it unpacks in its home, by the
/// path of this folder and by version, and does not look whether their content has changed since.
static PACKAGE_OUT: LazyLock<PathBuf> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    process::workspace().join(format!("target/ci/package-{}", now.as_nanos()))
});

/// Offline: the steps before have downloaded all that it needs, and asking the registry for its
/// index again only adds a way to fail.
fn package() -> Command {
    let mut command = cargo(&["package", "--locked", "--offline", "--allow-dirty", "--target-dir"]);
    command.arg(&*PACKAGE_OUT);
    for name in ["iowq-workloads", "iowq-contract", "iowq-pool"] {
        command.args(["--package", name]);
    }
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

/// Pools that the pool is held against.
const PEERS: [&str; 2] = ["kernel", "rayon"];

fn peers_out() -> PathBuf {
    process::workspace().join(format!("target/ci/peers-{}", std::process::id()))
}

fn peers() -> Command {
    let mut command = bench_peers(&["pool-6.17", PEERS[0], PEERS[1]]);
    command.args(["--rounds", "8", "--millis", "50", "--depth", "1", "--depth", "32"]);
    command
}

/// The benchmark of pools, with these contenders in turn.
fn bench_peers(contenders: &[&str]) -> Command {
    let mut command =
        cargo(&["bench", "--locked", "--package", "iowq-harness", "--bench", "peers"]);
    command.args(["--", "--workers", "8", "--wait", "sleeping", "--out"]).arg(peers_out());
    for contender in contenders {
        command.args(["--contender", contender]);
    }
    command
}

/// That no comparison has a regression. Short runs lack quantiles, so that a verdict on all metrics
/// is not to be expected.
fn check_peers() -> anyhow::Result<()> {
    for peer in PEERS {
        no_regression(peer, "pool-6.17", "5")?;
    }
    remove_peers()
}

/// That no metric of one contender is worse than that of another by more than `percent`.
fn no_regression(base: &str, test: &str, percent: &str) -> anyhow::Result<()> {
    let runs = |contender: &str| {
        let mut runs = peers_out().into_os_string();
        runs.push(format!("@{contender} on peers"));
        runs
    };
    let mut command = cargo(&["xtask", "compare", "--quiet", "--threshold", percent]);
    command.arg(runs(base)).arg(runs(test));
    let code = process::run(&mut command)?.code();
    ensure!(matches!(code, Some(0 | 3)), "{test} beside {base}: {}", process::shown(&command));
    Ok(())
}

fn remove_peers() -> anyhow::Result<()> {
    let out = peers_out();
    fs::remove_dir_all(&out).with_context(|| format!("cannot remove {}", out.display()))
}

/// The kernel's io-wq without and with probes.
const PROBED: [&str; 2] = ["kernel", "kernel-probed"];
/// By how much probes may make a metric worse at most, in percent: more than they do, so that only a
/// mistake fails.
const PROBED_PERCENT: &str = "25";

fn probed() -> Command {
    if !may_load_bpf() {
        let mut command = Command::new("echo");
        command.arg("skipped: cost: loading the probes takes root, or CAP_BPF and CAP_PERFMON");
        return command;
    }
    let mut command = bench_peers(&PROBED);
    command.args(["--rounds", "10", "--millis", "100", "--depth", "32"]);
    command.args(["--work", "nop", "--work", "mix", "--dir"]);
    command.arg(process::workspace().join("target"));
    command
}

fn check_probed() -> anyhow::Result<()> {
    if !may_load_bpf() {
        return Ok(());
    }
    no_regression(PROBED[0], PROBED[1], PROBED_PERCENT)?;
    remove_peers()
}

/// Names the folder of kernels that tests boot.
const KERNELS: &str = "IOWQ_TEST_KERNELS";

/// The package of a stock kernel.
fn stock_kernel() -> Option<PathBuf> {
    let folder = fs::read_dir(env::var_os(KERNELS)?).ok()?;
    let mut paths = folder.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|extension| extension == "deb"))
}

fn kernels() -> Command {
    let Some(kernel) = stock_kernel() else {
        let mut command = Command::new("echo");
        command.arg(format!(
            "skipped: kernels: {KERNELS} names no folder with a kernel package; `apt-get download` \
             brings one, such as linux-image-6.12.117+deb12-cloud-amd64"
        ));
        return command;
    };
    let mut command = cargo(&["xtask", "kernels", "--boots", "1", "--presets", "0", "--seconds"]);
    command.args(["0.5", "--workload", "dsync-1", "--base"]).arg(&kernel);
    command.arg("--test").arg(kernel).arg("--out").arg(kernels_out());
    command
}

fn kernels_out() -> PathBuf {
    process::workspace().join(format!("target/ci/kernels-{}", std::process::id()))
}

fn check_kernels() -> anyhow::Result<()> {
    if stock_kernel().is_none() {
        return Ok(());
    }
    let out = kernels_out();
    // In the guest everybody is root.
    let runs = record::check(&out.join("record.jsonl"), true)?;
    ensure!(runs == 2, "kernels left {runs} runs, 2 are expected");
    for name in ["boots.jsonl", "kernels.json", "report.html", "summary.txt"] {
        let path = out.join(name);
        fs::metadata(&path).with_context(|| format!("kernels left no {}", path.display()))?;
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
