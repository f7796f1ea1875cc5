//! The record file: a line per run, on the device before the next run starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use iowq_contract::{
    Blocking, Cell, Churn, Latency, Ops, Probe, Record, SCHEMA, Tier, UNVERIFIED_NAME, Workers,
};
use iowq_workloads::Plan;

use super::arm::Arm;
use super::order::Place;
use super::unverified::Unverified;
use crate::cell::{self, EngineName, InjectedDelay};
use crate::{clock, machine};

/// `record.jsonl`, open for appending. Without a line in it, it is gone again on drop.
pub(super) struct Output {
    path: PathBuf,
    file: File,
    empty: bool,
    unverified: Unverified,
    _folders: NewFolders,
}

impl Output {
    /// Makes the folder and the file, which must not be there yet.
    pub(super) fn create(out: &Path) -> anyhow::Result<Output> {
        let folders = NewFolders::make(out).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => anyhow::anyhow!(
                "--out {}: found a file where a folder is needed; name a folder",
                out.display()
            ),
            _ => anyhow::anyhow!("--out {}: the folder cannot be made: {error}", out.display()),
        })?;
        let path = out.join("record.jsonl");
        let unverified = Unverified::new(out);
        if unverified.exists() {
            anyhow::bail!(
                "--out {}: there is a {UNVERIFIED_NAME} already, with a run of a bench that was \
                 killed; name another folder, because results are never written over",
                out.display()
            );
        }
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => Ok(Output { path, file, empty: true, unverified, _folders: folders }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => anyhow::bail!(
                "--out {}: there is a record.jsonl already; name another folder, because results \
                 are never written over",
                out.display()
            ),
            Err(error) => {
                anyhow::bail!("--out {}: record.jsonl cannot be made in it: {error}", out.display())
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings a run to the device whose data is still to be read back; none but the last is kept.
    pub(super) fn keep_unverified(&mut self, record: &Record) -> anyhow::Result<()> {
        self.unverified.keep(&line(record)?)
    }

    /// Appends a line and brings it to the device.
    pub(super) fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        let line = line(record)?;
        self.empty = false;
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_all());
        written.with_context(|| {
            format!("{}: the record of a run cannot be written", self.path.display())
        })?;
        self.unverified.drop_kept()
    }
}

fn line(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.empty {
            // Nobody misses it; and it is empty, so nothing is lost where it stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Folders that were made for the results, the deepest first. Those still empty go on drop.
struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    fn make(out: &Path) -> io::Result<NewFolders> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made = NewFolders(out.ancestors().take_while(missing).map(Path::to_owned).collect());
        fs::create_dir_all(out)?;
        Ok(made)
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // What holds something, or was removed meanwhile, is left as it is.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The record of a run that failed: what was to be run, and why there is nothing else.
pub(super) fn failed(
    plan: &Plan,
    arm: &Arm,
    place: &Place,
    seed: u64,
    delay: Option<InjectedDelay>,
    folder: &Path,
    error: String,
) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        started: clock::wall_clock(),
        duration_ns: 0,
        cell: Cell {
            workload: plan.name.clone(),
            engine: arm.engine.name().to_owned(),
            policy: cell::policy_name(arm.policy.as_ref()).to_owned(),
            pair: place.pair,
            position: place.position,
            seed,
            role: arm.role,
            boot: None,
        },
        settings: cell::settings(plan, arm.engine, arm.policy.as_ref(), delay),
        asked: None,
        ops: Ops::default(),
        latency: Latency::default(),
        punts: Default::default(),
        workers: Workers::default(),
        timeline: Vec::new(),
        churn: Churn::default(),
        probe: Probe {
            tier: Tier::Off,
            reason: "the run failed".to_owned(),
            events_seen: 0,
            events_lost: 0,
            lost: Default::default(),
            switches_missed: 0,
            switches: None,
            unseen: Vec::new(),
        },
        blocking: match arm.engine {
            EngineName::Pool => Blocking::Declared,
            EngineName::Uring => Blocking::Kernel,
        },
        files: None,
        host: machine::describe(folder),
        load: None,
        caveats: Vec::new(),
        error: Some(error),
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::Role;
    use iowq_pool::policy::Registry;

    use super::*;
    use crate::cell::KERNEL;

    #[test]
    fn a_failed_run_names_its_engine_and_who_would_have_told_of_sleeps() {
        let plan = iowq_workloads::builtin("dsync").expect("a built-in workload");
        let place = Place { workload: 0, arm: 0, pair: 0, position: 0 };
        for (engine, policy, blocking) in [
            (EngineName::Pool, "6.17", Blocking::Declared),
            (EngineName::Uring, KERNEL, Blocking::Kernel),
        ] {
            let spec = cell::parse_policy(&Registry::builtin(), engine, policy).expect(policy);
            let arm = Arm { engine, policy: spec, role: Role::Control };
            let delay = Some(InjectedDelay { ns: 7, percent: 5.0 });
            let error = "broken".to_owned();
            let record = failed(&plan, &arm, &place, 1, delay, Path::new("."), error);
            assert_eq!((record.cell.role, record.settings.injected_delay_ns), (arm.role, Some(7)));
            assert_eq!(record.cell.engine, engine.name());
            assert_eq!((record.cell.policy.as_str(), record.blocking), (policy, blocking));
            assert_eq!(record.error.as_deref(), Some("broken"));
        }
    }
}
