//! `fuzz`: feeds parsers with mutated input, guided by the code that it reaches, and keeps what
//! makes one panic, hang or exhaust memory.

mod outcome;

use std::{
    env, fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context as _, bail};

use crate::exit::Exit;
use crate::process::{self, say};
use outcome::Outcome;

/// The package, from the root of the workspace.
const PACKAGE: &str = "xtask/fuzz";

/// What has a stable compiler count which code runs, as libFuzzer wants it.
const FLAGS: [&str; 7] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Seconds that a single input may take; those of the corpora take milliseconds.
const INPUT_SECONDS_MAX: u32 = 10;
/// What a guest has for all that it does.
const MEMORY_MIB_MAX: u32 = 1024;

/// Flags of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to fuzz: names of folders in xtask/fuzz/corpus; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long for each target; as many run at a time as there are processors
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    seconds: u32,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let targets = chosen(&options.targets)?;
    if env::var_os("CXX").is_none() && !has_cxx() {
        say("skipped: fuzz: no C++ compiler, which libFuzzer takes: sudo apt-get install g++");
        return Ok(Exit::Fine);
    }
    let status = process::run(&mut cargo("build"))?;
    if !status.success() {
        bail!("{PACKAGE} does not build ({status})");
    }
    // Of a run that was killed, too.
    let scratch = folder().join("tmp");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let next = Mutex::new(targets.iter());
    let outcomes = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let Some(target) = next.lock().ok().and_then(|mut next| next.next()) else {
                return Ok(());
            };
            let outcome = fuzz(target, options.seconds, &scratch)?;
            say(&outcome);
            outcomes.lock().into_iter().for_each(|mut all| all.push(outcome.failed));
        }
    };
    let at_a_time = thread::available_parallelism().map_or(1, NonZero::get).min(targets.len());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..at_a_time).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| bail!("a bug here")))
    })?;
    let outcomes = outcomes.into_inner().unwrap_or_default();
    let failed = outcomes.iter().filter(|failed| **failed).count();
    // As a test program ends, so that `ci` counts targets as it counts tests.
    let (word, passed) = (if failed == 0 { "ok" } else { "FAILED" }, outcomes.len() - failed);
    say(format_args!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored"));
    Ok(if failed == 0 { Exit::Fine } else { Exit::Trouble })
}

/// The targets by name.
fn chosen(names: &[String]) -> anyhow::Result<Vec<String>> {
    let known = known()?;
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        bail!("found target {name:?}; known are {}", known.join(", "));
    }
    Ok(if names.is_empty() { known } else { names.to_vec() })
}

/// All targets, by their committed inputs.
fn known() -> anyhow::Result<Vec<String>> {
    let folder = process::workspace().join(PACKAGE).join("corpus");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.collect();
    names.sort();
    Ok(names)
}

fn has_cxx() -> bool {
    let mut cxx = Command::new("c++");
    cxx.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    cxx.status().is_ok_and(|status| status.success())
}

/// Cargo for that package: for a named target, so that its flags are not those of build scripts.
fn cargo(verb: &str) -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(process::workspace()).args([verb, "--quiet", "--release", "--locked"]);
    cargo.arg("--manifest-path").arg(Path::new(PACKAGE).join("Cargo.toml"));
    cargo.args(["--target", "host-tuple", "--target-dir"]).arg(folder());
    cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    cargo
}

/// Where all that is built and found lies.
fn folder() -> PathBuf {
    process::target().join("fuzz")
}

/// Fuzzes one target, its output in a file.
fn fuzz(target: &str, seconds: u32, scratch: &Path) -> anyhow::Result<Outcome> {
    let made = |name: &str| {
        let path = folder().join(name).join(target);
        fs::create_dir_all(&path)
            .with_context(|| format!("cannot create {}", path.display()))
            .map(|()| path)
    };
    // libFuzzer puts what reaches more code into the first folder, and reads both.
    let (corpus, found) = (made("corpus")?, made("found")?);
    let log_path = found.join("log");
    let log = fs::File::create(&log_path)
        .with_context(|| format!("cannot create {}", log_path.display()))?;
    let both = log.try_clone().with_context(|| format!("cannot write {}", log_path.display()))?;
    let mut command = cargo("run");
    command.arg("--").arg(&corpus).arg(Path::new(PACKAGE).join("corpus").join(target));
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-artifact_prefix={}/", found.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    command.env("IOWQ_FUZZ_TARGET", target).env("TMPDIR", scratch);
    let status = process::run(command.stdin(Stdio::null()).stdout(log).stderr(both))?;
    let log = String::from_utf8_lossy(&process::read(&log_path)?).into_owned();
    Ok(Outcome { target: target.to_owned(), failed: !status.success(), log })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_a_corpus_and_each_corpus_a_target() -> anyhow::Result<()> {
        let main = process::workspace().join(PACKAGE).join("src/main.rs");
        let main = String::from_utf8(process::read(&main)?)?;
        let names =
            main.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split_once('"'));
        let names: Vec<_> = names.map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, known()?);
        Ok(())
    }

    #[test]
    fn a_target_that_does_not_exist_is_answered_with_those_that_do() {
        let error = chosen(&["sepc".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("found target \"sepc\"; known are boots, "), "{error}");
    }
}
