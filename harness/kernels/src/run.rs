//! The whole: opens or builds the kernels, then boots them in turn until every boot is recorded.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use iowq_contract::guest::{ControlFailure, Criu, Dump, JOB_PATH, Job, MODULES_PATH};
use iowq_contract::{Boot, Ended, KERNELS_SCHEMA, Kernels, Machine, Record, Role};

use crate::boot::{self, Limits};
use crate::initramfs::{self, Entry};
use crate::job::{self, Workloads};
use crate::kernel::{self, ComparedKernel};
use crate::note::note;
use crate::options::Options;
use crate::order::{self, ScheduledBoot};
use crate::results::{Lock, Results};
use crate::stop::{Stop, Stopped};
use crate::{accelerator, host_tool, machine, sha256};

/// Boots in a row of one kernel that brought no run, before any did: then none will.
const FRUITLESS_MAX: u32 = 2;
/// How the names of folders begin that are gone with the call.
const SCRATCH: &str = "scratch-";
/// Package that brings criu.
const CRIU_PACKAGES: &str = "criu (Debian and Fedora)";

/// What the flags do not say as it is needed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What each boot runs.
    pub workloads: Workloads,
    /// The program that is the first process of a guest.
    pub guest: PathBuf,
    /// Folder for the results.
    pub out: PathBuf,
    /// Folder for kernels that are built.
    pub cache: PathBuf,
    /// The command line that repeats it.
    pub command: String,
}

/// How the boots went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Boots that are recorded, those of earlier calls too.
    pub done: usize,
    /// Boots of this call in which something failed that is not the kernel's doing.
    pub failed: usize,
}

/// What the boots of one kernel brought so far.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    fruitless: u32,
    brought_a_run: bool,
}

impl Tries {
    fn add(&mut self, brought: u32) {
        self.brought_a_run |= brought > 0;
        self.fruitless += 1;
    }

    /// Once a kernel brought a run, a boot that brings none is a finding about it.
    fn given_up(self) -> bool {
        !self.brought_a_run && self.fruitless >= FRUITLESS_MAX
    }
}

/// All that stays the same from boot to boot.
struct Comparison<'a> {
    options: &'a Options,
    kernels: Vec<ComparedKernel>,
    setup: &'a Setup,
    /// The guest as it was at the start: a build may replace its file meanwhile.
    guest: PathBuf,
    machine: Machine,
    qemu: PathBuf,
    criu: Option<PathBuf>,
    scratch: &'a Path,
    stop: &'a Stop,
}

/// Runs all boots that are not recorded yet.
///
/// # Errors
///
/// Nothing can be booted, a request to stop, or results that cannot be written. Boots that
/// finished stay recorded.
pub fn run(options: &Options, setup: &Setup) -> anyhow::Result<Tally> {
    // Checks of files come before what takes time.
    options.check()?;
    let stop = Stop::on_signals().context("cannot install the signal handlers")?;
    let qemu = machine::find_qemu()?;
    let criu = options.criu.map(|_| host_tool::find("criu", CRIU_PACKAGES)).transpose()?;
    let lock = Lock::take(&setup.out)?;
    let scratch = scratch(&setup.out)?;
    let kernels = kernel::kernels(options, &setup.cache, scratch.path(), &stop)?;
    stop.check()?;
    let Some(base) = kernels.first() else { bail!("there is no kernel to boot") };
    let choice = accelerator::choose(options.accel, &qemu, &base.image.boot, &stop)?;
    if !choice.reason.is_empty() {
        note(format_args!("Emulating the processor: {}.", choice.reason));
    }
    let machine = Machine {
        accelerator: choice.name.to_owned(),
        accelerator_reason: choice.reason,
        qemu: machine::version(&qemu, &stop)?,
        cpus: options.cpus,
        memory_mib: options.memory_mib(),
        disk: options.disk(),
    };
    let place = scratch.path();
    let guest = place.join("guest");
    fs::copy(&setup.guest, &guest)
        .and_then(|_| fs::write(&guest, initramfs::loaded(fs::read(&guest)?)))
        .with_context(|| format!("cannot copy {}", setup.guest.display()))?;
    let comparison = Comparison {
        options,
        kernels,
        setup,
        guest,
        machine,
        qemu,
        criu,
        scratch: place,
        stop: &stop,
    };
    let mut results = Results::open(&setup.out, &comparison.kernels()?, lock)?;
    let tally = comparison.run_all(&mut results);
    // While the lock is still held: the next call clears what it finds there.
    drop(scratch);
    tally
}

/// A folder for what is unpacked and for disks, beside the results, which has room for them.
/// Those that a killed call left there are removed: no other call is running.
fn scratch(out: &Path) -> anyhow::Result<tempfile::TempDir> {
    let cannot = || format!("--out {}: no folder can be made in it", out.display());
    for entry in fs::read_dir(out).with_context(cannot)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
            fs::remove_dir_all(entry.path()).with_context(|| entry.path().display().to_string())?;
        }
    }
    tempfile::Builder::new().prefix(SCRATCH).tempdir_in(out).with_context(cannot)
}

impl Comparison<'_> {
    fn kernels(&self) -> anyhow::Result<Kernels> {
        let options = self.options;
        let benches = self.setup.workloads.benches(options, 0, options.presets > 0);
        let mut inputs = self.setup.workloads.digests()?;
        inputs.insert("guest".to_owned(), digest(&self.guest)?);
        inputs.insert("presets".to_owned(), options.presets.to_string());
        inputs.extend(options.criu.map(|seconds| ("criu".to_owned(), seconds.to_string())));
        if let Some(path) = &self.criu {
            // Versions of criu may fail in different ways.
            inputs.insert("criu-program".to_owned(), digest(path)?);
        }
        Ok(Kernels {
            schema: KERNELS_SCHEMA.to_owned(),
            machine: self.machine.clone(),
            kernels: self.kernels.iter().map(|kernel| kernel.described.clone()).collect(),
            boots: options.boots,
            noise: options.noise,
            repeats: options.repeats,
            seed: options.seed,
            workloads: self.setup.workloads.shown(),
            benches: benches.iter().map(job::in_words).collect(),
            inputs,
            command: self.setup.command.clone(),
        })
    }

    fn run_all(&self, results: &mut Results) -> anyhow::Result<Tally> {
        let Options { noise, boots, seed, .. } = *self.options;
        let all = order::boots(self.kernels.len(), noise, boots, seed);
        let mut tally = Tally { done: results.boots_done(), failed: 0 };
        if tally.done > 0 {
            note(format_args!("{} of {} boots are recorded already", tally.done, all.len()));
        }
        let mut tries = vec![Tries::default(); self.kernels.len()];
        for scheduled in
            all.iter().filter(|scheduled| !results.has(scheduled.number)).collect::<Vec<_>>()
        {
            if tries[scheduled.kernel].given_up() {
                continue;
            }
            let (boot, brought) = self.boot(scheduled, all.len(), results)?;
            if boot.ended == Ended::MissingFeature {
                bail!("kernel {}: {}", boot.kernel, boot.reason);
            }
            results.boot(&boot)?;
            tally.done += 1;
            tally.failed += usize::from(matches!(boot.ended, Ended::Failed | Ended::Died));
            let tries = &mut tries[scheduled.kernel];
            tries.add(brought);
            if tries.given_up() {
                self.give_up(&boot, scheduled.kernel == 0)?;
            }
        }
        Ok(tally)
    }

    /// A kernel that brought no run will bring none. That it panics or hangs is a finding about it,
    /// unless nothing is left to compare with.
    fn give_up(&self, boot: &Boot, is_base: bool) -> anyhow::Result<()> {
        let text = format!(
            "kernel {} brought no run in {FRUITLESS_MAX} boots: {}. Its console is in {}",
            boot.kernel,
            boot.reason,
            self.setup.out.join(&boot.console).display()
        );
        if is_base || !matches!(boot.ended, Ended::Panicked | Ended::Hung) {
            bail!(text);
        }
        note(format_args!("      {text}; it is not booted again"));
        Ok(())
    }

    /// A boot, and how many of its runs went well.
    fn boot(
        &self,
        scheduled: &ScheduledBoot,
        boots: usize,
        results: &mut Results,
    ) -> anyhow::Result<(Boot, u32)> {
        let kernel = &self.kernels[scheduled.kernel];
        let label = &kernel.described.label;
        let again = if scheduled.role == Role::Noise { " again" } else { "" };
        note(format_args!(
            "{}/{boots}  {label}{again}, round {}",
            scheduled.number + 1,
            scheduled.round + 1
        ));
        let initramfs = self.scratch.join("initramfs.cpio");
        initramfs::write(&initramfs, &self.entries(kernel, scheduled)?)?;
        let request = boot::Request {
            qemu: self.qemu.clone(),
            kernel: kernel.image.boot.clone(),
            initramfs,
            append: append(&kernel.described.command_line),
            machine: self.machine.clone(),
            label: label.clone(),
            role: scheduled.role,
            number: scheduled.number,
            round: scheduled.round,
            folder: self.setup.out.clone(),
            console: Results::console(scheduled.number, label, scheduled.role),
            scratch: self.scratch.to_owned(),
            limits: self.limits(),
        };
        let mut brought = 0;
        let mut keep = |mut record: Record| {
            // The guest is the same in all boots, and does not know what its boot is for.
            record.key.role = scheduled.role;
            note(format_args!("      {}", line(&record)));
            brought += u32::from(record.error.is_none());
            results.run(&record)
        };
        let boot = boot::boot(&request, self.stop, &mut keep).map_err(|error| {
            let done = results.boots_done();
            match error.downcast::<Stopped>() {
                Ok(stopped) => anyhow!(
                    "{stopped}; {done} of {boots} boots are recorded, and the same command goes on"
                ),
                Err(error) => error,
            }
        })?;
        if boot.ended != Ended::Finished {
            note(format_args!("      {}: {}", ended(boot.ended), boot.reason));
        }
        if let Some(dump) = &boot.dump {
            note(format_args!("      {}", dumped(dump)));
        }
        for complaint in &boot.complaints {
            note(format_args!("      the kernel complained: {}", complaint.line));
        }
        Ok((boot, brought))
    }

    fn limits(&self) -> Limits {
        let limits = Limits::of(&self.machine.accelerator);
        self.options.criu.map_or(limits, |seconds| limits.with_criu(seconds))
    }

    /// What is in the initramfs: the guest, its job, files and modules, and criu if it is wanted.
    fn entries(
        &self,
        kernel: &ComparedKernel,
        scheduled: &ScheduledBoot,
    ) -> anyhow::Result<Vec<Entry>> {
        // A boot for noise has the runs that are compared, and nothing else.
        let measured = scheduled.role == Role::Measured;
        let with_presets =
            measured && scheduled.kernel == 0 && scheduled.round < self.options.presets;
        let mut entries = initramfs::host_program(&self.guest, "/init", self.stop)?;
        let mut criu = None;
        if let (true, Some(path), Some(time_max_s)) = (measured, &self.criu, self.options.criu) {
            let at = path.display().to_string();
            entries.extend(initramfs::host_program(path, &at, self.stop)?);
            criu = Some(Criu { path: at, time_max_s });
        }
        let job = Job {
            kernel: kernel.described.label.clone(),
            number: scheduled.number,
            round: scheduled.round,
            accelerator: self.machine.accelerator.clone(),
            disk: self.machine.disk.clone(),
            modules: kernel.files(false),
            modules_for_criu: kernel.files(true),
            benches: self.setup.workloads.benches(self.options, scheduled.round, with_presets),
            criu,
        };
        entries.push(Entry::data(JOB_PATH, serde_json::to_vec(&job)?));
        for module in &kernel.modules {
            let path = format!("{MODULES_PATH}/{}", module.file());
            entries.push(Entry::data(&path, module.bytes.clone()));
        }
        Ok(entries)
    }
}

fn digest(path: &Path) -> anyhow::Result<String> {
    sha256::of_file(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The kernel's whole command line: its console, its end after a panic, and the guest as its first
/// process, whose argument comes last.
fn append(of_user: &str) -> String {
    ["console=ttyS0 panic=-1 rdinit=/init", of_user, "-- guest"]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The progress line of a finished run.
fn line(record: &Record) -> String {
    let key = &record.key;
    let variant = if key.engine == "uring" { "io_uring" } else { &key.policy };
    let set = key.set.parts().map(|part| format!(" {part}")).collect::<String>();
    match (&record.error, record.workers.created_per_1000_ops) {
        (Some(error), _) => format!("{} on {variant}{set} failed: {error}", key.workload),
        (None, created) => format!(
            "{} on {variant}{set}: {:.0} ops/s, {} workers per 1000 ops{}",
            key.workload,
            record.ops.per_s,
            created.map_or_else(|| "no count of".to_owned(), |created| format!("{created:.2}")),
            record.workers.peak.map_or_else(String::new, |peak| format!(", at most {peak}"))
        ),
    }
}

/// The same of the dumps of a boot.
fn dumped(dump: &Dump) -> String {
    let any = dump.dumped || dump.after_timeout.as_ref().is_some_and(|late| late.dumped);
    let control = dump.control.as_ref().filter(|control| !any && !control.dumped);
    match control {
        Some(control) if control.failure() == Some(ControlFailure::Criu) => {
            return format!("criu itself cannot work on this kernel: {}", control.reason);
        }
        Some(control) => {
            return format!(
                "nothing is known, for want of a process without a ring: {}",
                control.reason
            );
        }
        None => {}
    }
    let one = |dumped, took_ms: f64, workers, reason: &str| {
        let workers = format!("(workers left: {workers})");
        if dumped {
            format!("completed in {:.1} s {workers}", took_ms / 1e3)
        } else {
            format!("failed {workers}: {reason}")
        }
    };
    let just = one(dump.dumped, dump.took_ms, dump.workers, &dump.reason);
    let late = dump.after_timeout.as_ref().map_or_else(String::new, |late| {
        let late = one(late.dumped, late.took_ms, late.workers, &late.reason);
        format!("; after the idle timeout it {late}")
    });
    format!("criu dump {just}{late}")
}

fn ended(ended: Ended) -> &'static str {
    match ended {
        Ended::Finished => "finished",
        Ended::MissingFeature => "misses something",
        Ended::Failed => "failed",
        Ended::Panicked => "panicked",
        Ended::Hung => "hung",
        Ended::Died => "the virtual machine was gone",
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::AfterTimeout;
    use iowq_contract::guest::Control;

    use super::*;

    #[test]
    fn only_a_kernel_whose_first_boot_has_no_run_is_given_up() {
        let given_up = |brought: &[u32]| {
            let mut tries = Tries::default();
            brought.iter().for_each(|brought| tries.add(*brought));
            tries.given_up()
        };
        assert!(!given_up(&[]) && !given_up(&[0]));
        assert!(given_up(&[0, 0]));
        assert!(!given_up(&[0, 1]) && !given_up(&[1, 0, 0, 0]));
    }

    #[test]
    fn a_failed_dump_is_distinguished_from_a_criu_that_never_works() {
        let control = |dumped| Control { dumped, took_ms: 1.0, reason: "no memfd".to_owned() };
        let dump = |dumped, control| {
            let reason = if dumped { "" } else { "no signals" }.to_owned();
            let (after_timeout, criu) = (None, None);
            Dump { dumped, took_ms: 1_500.0, workers: 3, reason, control, after_timeout, criu }
        };
        let completed = "criu dump completed in 1.5 s (workers left: 3)";
        assert_eq!(super::dumped(&dump(true, None)), completed);
        let failed = "criu dump failed (workers left: 3): no signals";
        assert_eq!(super::dumped(&dump(false, Some(control(true)))), failed);
        let never = "criu itself cannot work on this kernel: no memfd";
        assert_eq!(super::dumped(&dump(false, Some(control(false)))), never);
    }

    #[test]
    fn a_dump_after_the_idle_timeout_is_told_beside_the_one_before_it() {
        let after_timeout = AfterTimeout {
            dumped: false,
            took_ms: 900.0,
            workers: 1,
            reason: "no signals".to_owned(),
            workers_at_close: 20,
            idle_timeout_ms: 5_000,
            waited_ms: 11_400.0,
            settled: true,
        };
        let dump = Dump {
            dumped: false,
            took_ms: 900.0,
            workers: 20,
            reason: "no signals".to_owned(),
            control: Some(Control { dumped: true, took_ms: 1.0, reason: String::new() }),
            after_timeout: Some(after_timeout),
            criu: Some("3.17.1".to_owned()),
        };
        assert_eq!(
            super::dumped(&dump),
            "criu dump failed (workers left: 20): no signals; after the idle timeout it failed \
             (workers left: 1): no signals"
        );
    }

    #[test]
    fn the_guests_argument_comes_last_on_the_command_line() {
        assert_eq!(append(""), "console=ttyS0 panic=-1 rdinit=/init -- guest");
        assert_eq!(
            append("io_wq.idle_ms=250"),
            "console=ttyS0 panic=-1 rdinit=/init io_wq.idle_ms=250 -- guest"
        );
    }
}
