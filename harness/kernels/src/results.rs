//! The results: what was booted, a line per boot and a line per run, on the device before the next
//! boot starts. A folder that holds some boots already is gone on with.

mod lock;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use iowq_contract::jsonl::{self, Limits, Lines};
use iowq_contract::{
    BOOTS_NAME, Boot, Ended, KERNELS_NAME, Kernels, NewFolders, Record, Role, write_whole,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use lock::Lock;
use lock::RECORD_NAME;

/// Runs of boots that were not seen to their end.
const INTERRUPTED_NAME: &str = "interrupted.jsonl";
/// Boots that failed through no fault of their kernel, or of which runs are missing, and were made
/// again.
const BOOTS_ASIDE_NAME: &str = "boots-again.jsonl";
/// Name of the folder with the logs of consoles.
const CONSOLE_NAME: &str = "console";

/// An open folder.
#[derive(Debug)]
pub struct Results {
    out: PathBuf,
    done: BTreeSet<u32>,
    boots: File,
    records: File,
    _lock: Lock,
}

impl Results {
    /// Opens a folder that is new, empty, or holds boots of the same comparison.
    ///
    /// # Errors
    ///
    /// A folder that holds something else, or that cannot be written.
    pub fn open(out: &Path, kernels: &Kernels, lock: Lock) -> anyhow::Result<Self> {
        let path = out.join(KERNELS_NAME);
        match fs::read(&path) {
            Ok(bytes) => same(&path, &bytes, kernels)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                write_whole(&path, &serde_json::to_vec_pretty(kernels)?)
                    .with_context(|| cannot_write(&path))?;
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
        let runs: Vec<Record> = read(&out.join(RECORD_NAME))?;
        let is_whole = |boot: &Boot| {
            let of = |run: &&Record| of_boot(run) == Some(boot.number);
            runs.iter().filter(of).count() == boot.runs as usize
        };
        let (kept, again): (Vec<Boot>, Vec<Boot>) = read::<Boot>(&out.join(BOOTS_NAME))?
            .into_iter()
            .partition(|boot| says_something(boot) && is_whole(boot));
        if !again.is_empty() {
            let aside = open(&out.join(BOOTS_ASIDE_NAME))?;
            move_lines(&out.join(BOOTS_NAME), &kept, aside, &again)?;
        }
        let done: BTreeSet<u32> = kept.iter().map(|boot| boot.number).collect();
        set_aside(out, runs, &done)?;
        let console = out.join(CONSOLE_NAME);
        NewFolders::make(&console).with_context(|| cannot_write(&console))?.keep();
        let (boots, records) = (open(&out.join(BOOTS_NAME))?, open(&out.join(RECORD_NAME))?);
        Ok(Self { out: out.to_owned(), done, boots, records, _lock: lock })
    }

    /// Whether a boot is recorded.
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        self.done.contains(&number)
    }

    /// Boots that are recorded.
    #[must_use]
    pub fn boots_done(&self) -> usize {
        self.done.len()
    }

    /// Where the log of a boot's console goes, seen from the folder.
    #[must_use]
    pub fn console(number: u32, label: &str, role: Role) -> String {
        let role = if role == Role::Measured { String::new() } else { format!("-{}", role.name()) };
        format!("{CONSOLE_NAME}/{number:03}-{label}{role}.log")
    }

    /// Keeps a run.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn run(&mut self, record: &Record) -> anyhow::Result<()> {
        jsonl::append(&mut self.records, record)
            .with_context(|| cannot_write(&self.out.join(RECORD_NAME)))
    }

    /// Keeps a boot, whose runs are kept already.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn boot(&mut self, boot: &Boot) -> anyhow::Result<()> {
        self.done.insert(boot.number);
        jsonl::append(&mut self.boots, boot)
            .with_context(|| cannot_write(&self.out.join(BOOTS_NAME)))
    }
}

/// Refuses to go on with another comparison.
fn same(path: &Path, bytes: &[u8], kernels: &Kernels) -> anyhow::Result<()> {
    let before: Kernels = serde_json::from_slice(bytes).with_context(|| {
        format!("{}: is not what this command writes; name another --out", path.display())
    })?;
    // A command may be spelt otherwise, and KVM may fail in other words.
    let compared = |kernels: &Kernels| {
        let mut compared = kernels.clone();
        compared.command.clear();
        compared.machine.accelerator_reason.clear();
        compared
    };
    let (before_compared, compared) = (compared(&before), compared(kernels));
    if before_compared == compared {
        return Ok(());
    }
    let differs = [
        (before.kernels != kernels.kernels, "the kernels"),
        (before_compared.machine != compared.machine, "the virtual machine"),
        (before.boots != kernels.boots, "the number of boots"),
        (before.noise != kernels.noise, "--noise"),
        (before.seed != kernels.seed, "the seed"),
        (before.benches != kernels.benches, "what each boot runs"),
        (
            before.inputs != kernels.inputs,
            "the guest, a file of a workload, --presets, --criu or criu itself",
        ),
    ];
    let differs: Vec<&str> =
        differs.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect();
    bail!(
        "{}: holds another comparison; what differs is {}. It was made by `{}`. Name another --out, \
         or the same flags to go on with it",
        path.display(),
        if differs.is_empty() { "in the details".to_owned() } else { differs.join(", ") },
        before.command
    )
}

/// Moves runs of boots that did not end while we watched to a file of their own: these boots are
/// made again, and two halves are no whole.
fn set_aside(out: &Path, runs: Vec<Record>, done: &BTreeSet<u32>) -> anyhow::Result<()> {
    let path = out.join(RECORD_NAME);
    let is_done = |run: &Record| of_boot(run).is_some_and(|number| done.contains(&number));
    let (kept, aside): (Vec<Record>, Vec<Record>) = runs.into_iter().partition(is_done);
    if aside.is_empty() {
        return Ok(());
    }
    move_lines(&path, &kept, open(&out.join(INTERRUPTED_NAME))?, &aside)
}

/// The number of the boot that a run was made in.
fn of_boot(run: &Record) -> Option<u32> {
    run.key.boot.as_ref().map(|boot| boot.number)
}

/// Whether a boot says something about its kernel. One that failed, or whose virtual machine was
/// gone, is made again.
fn says_something(boot: &Boot) -> bool {
    !matches!(boot.ended, Ended::Failed | Ended::Died)
}

/// Leaves these lines in a file, and appends the others to another one first.
fn move_lines<T: Serialize>(
    path: &Path,
    kept: &[T],
    mut aside: File,
    moved: &[T],
) -> anyhow::Result<()> {
    for value in moved {
        jsonl::append(&mut aside, value)
            .with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    let lines: Vec<Vec<u8>> = kept.iter().map(jsonl::line).collect::<Result<_, _>>()?;
    write_whole(path, &lines.concat()).with_context(|| cannot_write(path))
}

/// The lines of a file, none if it is absent. A last line that a kill cut off is omitted.
fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut values = Vec::new();
    for line in Lines::new(BufReader::new(file), Limits::default()) {
        let line = line.with_context(|| format!("{}: cannot be read", path.display()))?;
        if line.is_ended {
            let value = serde_json::from_slice(&line.bytes);
            let place = || format!("{}, line {}", path.display(), line.number);
            values.push(value.with_context(place)?);
        }
    }
    Ok(values)
}

fn open(path: &Path) -> anyhow::Result<File> {
    jsonl::open(path).with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot be written", path.display())
}

#[cfg(test)]
mod tests {
    use iowq_contract::{BOOT_SCHEMA, Disk, KERNELS_SCHEMA, Machine};

    use super::*;

    fn kernels(boots: u32) -> Kernels {
        let disk =
            Disk { filesystem: "ext4".to_owned(), size_mib: 1024, delay_us: 0, iops_max: None };
        Kernels {
            schema: KERNELS_SCHEMA.to_owned(),
            machine: Machine {
                accelerator: "tcg".to_owned(),
                accelerator_reason: "no /dev/kvm".to_owned(),
                qemu: "QEMU emulator version 7.2".to_owned(),
                cpus: 2,
                memory_mib: 1024,
                disk,
            },
            kernels: Vec::new(),
            boots,
            noise: false,
            repeats: 1,
            seed: 1,
            workloads: vec!["dsync".to_owned()],
            benches: Vec::new(),
            inputs: Default::default(),
            command: "iowq kernels".to_owned(),
        }
    }

    fn boot(number: u32) -> Boot {
        Boot {
            schema: BOOT_SCHEMA.to_owned(),
            kernel: "base".to_owned(),
            role: Role::Measured,
            number,
            round: number,
            started: "2026-11-21T00:00:00Z".to_owned(),
            wall_ms: 5_000,
            release: None,
            ended: Ended::Finished,
            reason: String::new(),
            complaints: Vec::new(),
            runs: 0,
            dump: None,
            console: String::new(),
            console_tail: Vec::new(),
        }
    }

    fn open_for(out: &Path, boots: u32) -> anyhow::Result<Results> {
        Results::open(out, &kernels(boots), Lock::take(out)?)
    }

    fn text(out: &Path, name: &str) -> String {
        fs::read_to_string(out.join(name)).unwrap_or_default()
    }

    /// A line of a run in a boot, with no more in it than is read here.
    fn run(number: u32) -> String {
        let record = include_str!("../tests/run-in-boot.json");
        record.replace("\"number\": 0", &format!("\"number\": {number}")).replace('\n', " ")
    }

    #[test]
    fn a_boot_that_is_recorded_is_known_the_next_time() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut results = open_for(folder.path(), 8)?;
        results.boot(&boot(0))?;
        results.boot(&boot(1))?;
        drop(results);
        let results = open_for(folder.path(), 8)?;
        assert_eq!((results.has(0), results.has(1), results.has(2)), (true, true, false));
        assert_eq!(results.boots_done(), 2);
        Ok(())
    }

    #[test]
    fn a_boot_that_failed_through_no_fault_of_its_kernel_is_made_again() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut results = open_for(folder.path(), 8)?;
        for (number, ended) in [(0, Ended::Died), (1, Ended::Failed), (2, Ended::Hung)] {
            results.boot(&Boot { ended, ..boot(number) })?;
        }
        drop(results);
        let results = open_for(folder.path(), 8)?;
        assert_eq!([0, 1, 2].map(|number| results.has(number)), [false, false, true]);
        assert_eq!(text(folder.path(), BOOTS_NAME).lines().count(), 1);
        assert_eq!(text(folder.path(), BOOTS_ASIDE_NAME).lines().count(), 2);
        Ok(())
    }

    #[test]
    fn a_boot_of_which_runs_are_missing_is_made_again() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let out = folder.path();
        let mut results = open_for(out, 8)?;
        results.boot(&Boot { runs: 1, ..boot(0) })?;
        results.boot(&Boot { runs: 2, ..boot(1) })?;
        drop(results);
        // A line was removed by hand.
        fs::write(out.join(RECORD_NAME), format!("{}\n{}\n", run(0), run(1)))?;
        let results = open_for(out, 8)?;
        assert_eq!([0, 1].map(|number| results.has(number)), [true, false]);
        assert_eq!(text(out, BOOTS_ASIDE_NAME).lines().count(), 1);
        assert!(text(out, INTERRUPTED_NAME).contains("\"number\":1"));
        assert_eq!(text(out, RECORD_NAME).lines().count(), 1);
        Ok(())
    }

    #[test]
    fn other_inputs_are_another_comparison() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        open_for(folder.path(), 8).expect("the first may");
        let mut other = kernels(8);
        other.inputs.insert("guest".to_owned(), "abc".to_owned());
        other.machine.accelerator_reason = "in other words".to_owned();
        let error = Lock::take(folder.path())
            .and_then(|lock| Results::open(folder.path(), &other, lock))
            .expect_err("another guest")
            .to_string();
        assert!(error.contains("what differs is the guest"), "{error}");
    }

    #[test]
    fn noise_is_neither_added_nor_dropped_afterwards() -> anyhow::Result<()> {
        for first in [false, true] {
            let folder = tempfile::tempdir()?;
            let with = |noise: bool| {
                let kernels = Kernels { noise, ..kernels(8) };
                Results::open(folder.path(), &kernels, Lock::take(folder.path())?)
            };
            with(first)?.boot(&boot(0))?;
            assert!(with(first)?.has(0));
            let error = with(!first).expect_err("the order of boots is another").to_string();
            assert!(error.contains("what differs is --noise"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn two_calls_do_not_share_a_folder() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let first = open_for(folder.path(), 8)?;
        let error = open_for(folder.path(), 8).expect_err("the first still runs").to_string();
        assert!(error.contains("another call still runs"), "{error}");
        drop(first);
        open_for(folder.path(), 8)?;
        Ok(())
    }

    #[test]
    fn another_comparison_in_the_same_folder_is_refused_and_what_differs_is_named() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        open_for(folder.path(), 8).expect("the first may");
        let error = open_for(folder.path(), 9).expect_err("nine are not eight").to_string();
        assert!(error.contains("what differs is the number of boots"), "{error}");
        assert!(error.contains("`iowq kernels`"), "{error}");
    }

    #[test]
    fn results_of_another_command_are_not_mixed_with() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join(RECORD_NAME), "").expect("it is written");
        let error = open_for(folder.path(), 8).expect_err("it is a bench's").to_string();
        assert!(error.contains("holds a record.jsonl"), "{error}");
    }

    #[test]
    fn runs_of_a_boot_that_was_cut_short_are_set_aside_and_kept() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let out = folder.path();
        let mut results = open_for(out, 8)?;
        results.boot(&Boot { runs: 1, ..boot(0) })?;
        drop(results);
        let lines = format!("{}\n{}\n{{\"schema", run(0), run(1));
        fs::write(out.join(RECORD_NAME), lines)?;
        open_for(out, 8)?;
        assert_eq!(text(out, RECORD_NAME).lines().count(), 1);
        assert!(text(out, RECORD_NAME).contains("\"number\":0"));
        assert_eq!(text(out, INTERRUPTED_NAME).lines().count(), 1);
        assert!(text(out, INTERRUPTED_NAME).contains("\"number\":1"));
        Ok(())
    }

    #[test]
    fn a_line_that_is_no_boot_is_named() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        open_for(folder.path(), 8).expect("the first may");
        fs::write(folder.path().join(BOOTS_NAME), "{}\n{}\n").expect("it is written");
        let error = open_for(folder.path(), 8).expect_err("they are none");
        assert!(format!("{error:#}").contains("boots.jsonl, line 1"), "{error:#}");
    }
}
