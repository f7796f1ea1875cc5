//! The job of a boot: which benches the guest runs, with which flags, and which files these name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::guest::{Bench, FILES_PATH};

use crate::options::Options;
use crate::stop::Stop;
use crate::{child, sha256};

/// The presets that the pool runs under, in the order of kernels.
const PRESETS: [&str; 7] =
    ["6.1", "6.12.0", "6.12", "6.16", "6.17", "6.17-as-posted", "exit-on-idle"];
/// What warms a guest up: file system, caches and, under emulation, the translation of the code.
const WARM_UP: &str = "--engine uring --workload fsync-mix --pairs 1 --seconds 0.5 --probes auto";
/// Largest spec or job file: `iowq` takes none that is larger.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What all boots run.
#[derive(Clone, Debug)]
pub struct Workloads {
    /// What `--workload` says in the guest.
    names: Vec<String>,
    /// Files that the guest needs: path there, and content.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

impl Workloads {
    /// Takes names as they are, and reads files.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or two of the same name.
    pub fn read(wanted: &[String]) -> anyhow::Result<Self> {
        let mut workloads = Self { names: Vec::new(), files: Vec::new() };
        for name in wanted {
            let in_guest = if is_path(name) { workloads.file(name)? } else { name.clone() };
            if !workloads.names.contains(&in_guest) {
                workloads.names.push(in_guest);
            }
        }
        Ok(workloads)
    }

    fn file(&mut self, path: &str) -> anyhow::Result<String> {
        let size = fs::metadata(path).with_context(|| format!("--workload {path}"))?.len();
        if size > FILE_BYTES_MAX {
            bail!("--workload {path}: found {size} bytes, allowed {FILE_BYTES_MAX}");
        }
        let bytes = fs::read(path).with_context(|| format!("--workload {path}"))?;
        let name = Path::new(path).file_name().unwrap_or_default();
        let in_guest = Path::new(FILES_PATH).join(name);
        match self.files.iter().find(|(other, _)| *other == in_guest) {
            Some((_, other)) if *other == bytes => {}
            Some(_) => bail!("--workload {path}: another file has that name too; rename one"),
            None => self.files.push((in_guest.clone(), bytes)),
        }
        Ok(in_guest.display().to_string())
    }

    /// Has the guest's program look at workloads and flags here, before anything is booted.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in its words.
    pub fn check(&self, options: &Options, stop: &Stop) -> anyhow::Result<()> {
        // A name alone would be looked for where programs are, and not in the current folder.
        let mut command = child::tool(std::path::absolute(&options.guest)?);
        command.args(["bench", "--check", "--engine", "uring"]);
        for name in &options.workload {
            command.args(["--workload", name]);
        }
        command.args(options.seconds.map(|seconds| format!("--seconds={seconds}")));
        let output = child::output(&mut command, stop);
        stop.check()?;
        let output = output.with_context(|| format!("--guest {}", options.guest.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.trim().trim_start_matches("error: "))
    }

    /// Digests of the files, by their names.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<String, String> {
        let digest = |(path, bytes): &(PathBuf, Vec<u8>)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (format!("workload {name}"), sha256::of_bytes(bytes))
        };
        self.files.iter().map(digest).collect()
    }

    /// Names as a reader knows them.
    pub fn shown(&self) -> Vec<String> {
        let stem = |name: &String| match Path::new(name).file_stem() {
            Some(stem) if is_path(name) => stem.to_string_lossy().into_owned(),
            _ => name.clone(),
        };
        self.names.iter().map(stem).collect()
    }

    /// The benches of a boot: one that warms up, the kernel's own io-wq, and the pool under every
    /// preset if this boot is one that tells what the presets do.
    pub fn benches(&self, options: &Options, round: u32, with_presets: bool) -> Vec<Bench> {
        let bench = |flags: Vec<String>, warm_up| Bench { flags, warm_up };
        let mut benches = vec![bench(words(WARM_UP), true)];
        let mut flags = words("--engine uring");
        flags.extend(self.flags(options, round, options.repeats));
        benches.push(bench(flags, false));
        if with_presets {
            // The pool's idle workers wait as long as the kernel's do, or nothing could be alike.
            let mut flags = words("--engine pool --idle-timeout kernel");
            flags.extend(
                PRESETS.iter().flat_map(|preset| ["--policy".to_owned(), (*preset).into()]),
            );
            flags.extend(self.flags(options, round, 1));
            benches.push(bench(flags, false));
        }
        benches
    }

    fn flags(&self, options: &Options, round: u32, pairs: u32) -> Vec<String> {
        let mut flags = Vec::new();
        let mut add = |flag: &str, value: String| flags.extend([flag.to_owned(), value]);
        for name in &self.names {
            add("--workload", name.clone());
        }
        if let Some(seconds) = options.seconds {
            add("--seconds", seconds.to_string());
        }
        add("--pairs", pairs.to_string());
        add("--seed", options.seed.wrapping_add(u64::from(round)).to_string());
        flags
    }
}

/// Whether `--workload` names a file, by the same signs as `iowq` has for it.
fn is_path(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("toml" | "fio")) || name.contains('/')
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn options(flags: &[&str]) -> Options {
        let given = ["kernels", "--base", "a", "--test", "b", "--out", "o", "--guest", "g"];
        Options::try_parse_from([&given, flags].concat()).expect("valid flags")
    }

    fn benches(flags: &[&str], round: u32, with_presets: bool) -> Vec<String> {
        let options = options(flags);
        let workloads = Workloads::read(&options.workload).expect("there are such workloads");
        let benches = workloads.benches(&options, round, with_presets);
        benches.into_iter().map(|bench| bench.flags.join(" ")).collect()
    }

    #[test]
    fn a_boot_warms_up_and_then_runs_all_workloads_on_the_kernel() {
        let benches =
            benches(&["--workload", "dsync", "--seconds", "1.5", "--repeats", "2"], 3, false);
        assert_eq!(benches.len(), 2);
        assert_eq!(benches[0], WARM_UP);
        assert_eq!(benches[1], "--engine uring --workload dsync --seconds 1.5 --pairs 2 --seed 4");
    }

    #[test]
    fn presets_come_last_and_each_once() {
        let benches = benches(&["--repeats", "5"], 0, true);
        assert_eq!(benches.len(), 3);
        assert!(benches[2].starts_with("--engine pool --idle-timeout kernel --policy 6.1 "));
        assert!(benches[2].ends_with("--workload fsync-mix --workload dsync --pairs 1 --seed 1"));
    }

    #[test]
    fn a_spec_goes_along_under_its_name() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("mine.toml");
        fs::write(&path, "x = 1").expect("it is written");
        let path = path.display().to_string();
        let workloads = Workloads::read(&[path.clone(), path]).expect("it can be read");
        assert_eq!(workloads.files, [(Path::new(FILES_PATH).join("mine.toml"), b"x = 1".to_vec())]);
        assert_eq!(workloads.shown(), ["mine"]);
        assert!(Workloads::read(&["no/such.toml".to_owned()]).is_err());
    }

    #[test]
    fn two_files_of_one_name_are_refused_unless_they_are_the_same() {
        let (one, other) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
        let write = |folder: &tempfile::TempDir, text: &str| {
            let path = folder.path().join("a.fio");
            fs::write(&path, text).expect("it is written");
            path.display().to_string()
        };
        assert!(Workloads::read(&[write(&one, "x"), write(&other, "x")]).is_ok());
        let error = Workloads::read(&[write(&one, "x"), write(&other, "y")]).expect_err("unlike");
        assert!(error.to_string().contains("rename one"), "{error}");
    }
}
