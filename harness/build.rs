//! The build script: writes down the commit and the compiler, which every record carries.

use std::{env, path::Path, process::Command};

/// What a run's figures depend on, from this package's folder. The commit counts as dirty, and
/// this script runs again, when something of it changes; a new README or a new test is neither.
const MEASURED: [&str; 9] = [
    "src",
    "build.rs",
    "Cargo.toml",
    "../ebpf",
    "../workloads",
    "contract",
    "pool",
    "../Cargo.toml",
    "../Cargo.lock",
];

fn main() {
    for path in MEASURED {
        println!("cargo::rerun-if-changed={path}");
    }
    // A commit moves one of these; cargo would run the script every time for one that is not there.
    for file in ["HEAD", "logs/HEAD", "packed-refs"] {
        let path = output("git", &["rev-parse", "--git-path", file]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let unknown = || "unknown".to_owned();
    println!("cargo::rustc-env=IOWQ_COMMIT={}", commit().unwrap_or_else(unknown));
    let rustc = env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"]));
    println!("cargo::rustc-env=IOWQ_RUSTC={}", rustc.unwrap_or_else(unknown));
}

/// The commit, with `-dirty` if what is measured has changes; none without git or a clone.
fn commit() -> Option<String> {
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    // Without the locks: a build must not block a commit that runs meanwhile.
    let mut status = vec!["--no-optional-locks", "status", "--porcelain", "--"];
    status.extend(MEASURED);
    let changes = output("git", &status)?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

/// What a command printed, trimmed; none if it failed or is not there.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
