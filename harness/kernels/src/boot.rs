//! One boot: a virtual machine from its start to its end, with a deadline for each step.

mod limits;
mod progress;

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use iowq_contract::{BOOT_SCHEMA, Boot, Ended, Record, Role, guest::Message};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::{
    console::{Console, ConsoleEvent},
    disk,
    lines::Lines,
    machine::{Event, Machine, Parts},
    stop::Stop,
};
pub use limits::Limits;
use progress::Progress;

/// A message may be a record with all its histograms; this is far more than any.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of an invalid message that are shown.
const SHOWN_CHARS_MAX: usize = 120;

/// What to boot, and where to keep what comes of it.
pub struct Request {
    /// QEMU, as [`crate::machine::find_qemu`] found it.
    pub qemu: PathBuf,
    /// The kernel.
    pub kernel: PathBuf,
    /// Its initramfs, with guest, job and modules.
    pub initramfs: PathBuf,
    /// The whole command line of the kernel.
    pub append: String,
    /// The virtual machine.
    pub machine: iowq_contract::Machine,
    /// Label of the kernel.
    pub label: String,
    /// What the boot is for.
    pub role: Role,
    /// Place in the order of all boots.
    pub number: u32,
    /// Its round.
    pub round: u32,
    /// Folder of `boots.jsonl`.
    pub folder: PathBuf,
    /// The console's log, seen from that folder.
    pub console: String,
    /// Folder in which the boot makes a folder of its own for its disk; it must have room for it.
    pub scratch: PathBuf,
    /// How long each step may take.
    pub limits: Limits,
}

/// Boots a kernel and waits for its end. Each record goes to `keep` as soon as it is there.
///
/// Whatever the kernel does, the boot ends in time, with no process and no file left behind but
/// the log of the console.
///
/// # Errors
///
/// [`Stopped`](crate::stop::Stopped) if a stop was requested; else the host cannot start a machine,
/// or `keep` failed.
pub fn boot(
    request: &Request,
    stop: &Stop,
    keep: &mut dyn FnMut(Record) -> anyhow::Result<()>,
) -> anyhow::Result<Boot> {
    stop.check()?;
    let started = Timestamp::now();
    let log = request.folder.join(&request.console);
    let console = Console::create(&log)
        .with_context(|| format!("cannot create the console's log {}", log.display()))?;
    let scratch = scratch(&request.scratch)?;
    let image = disk::make(&scratch.path().join("disk.raw"), &request.machine.disk, stop);
    // If a stop was requested meanwhile, that is the reason.
    stop.check()?;
    let mut machine = Machine::start(&parts(request, image?.as_deref()))?;
    let began = Instant::now();
    let mut monitor = Monitor {
        now: Duration::ZERO,
        console,
        messages: Lines::new(MESSAGE_BYTES_MAX),
        progress: Progress::new(request.limits),
        keep,
    };
    monitor.listen(&mut machine, stop)?;
    let wall = began.elapsed();
    drop(machine);
    let mut boot = monitor.boot(request, started, wall);
    if boot.ended != Ended::Finished {
        boot.reason.extend(disk::full(scratch.path()));
    }
    scratch.close().context("cannot remove the boot's folder")?;
    Ok(boot)
}

fn scratch(folder: &Path) -> anyhow::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("iowq-boot-")
        .tempdir_in(folder)
        .with_context(|| format!("cannot create a folder for the disk in {}", folder.display()))
}

fn parts<'a>(request: &'a Request, disk: Option<&'a Path>) -> Parts<'a> {
    let machine = &request.machine;
    Parts {
        qemu: &request.qemu,
        accelerator: &machine.accelerator,
        cpus: machine.cpus,
        memory_mib: machine.memory_mib,
        kernel: &request.kernel,
        initramfs: Some(&request.initramfs),
        append: &request.append,
        disk,
        iops_max: machine.disk.iops_max,
    }
}

/// The messages of a boot, and its progress by them.
struct Monitor<'a> {
    /// The machine's time at its last event.
    now: Duration,
    console: Console,
    messages: Lines,
    progress: Progress,
    keep: &'a mut dyn FnMut(Record) -> anyhow::Result<()>,
}

impl Monitor<'_> {
    fn listen(&mut self, machine: &mut Machine, stop: &Stop) -> anyhow::Result<()> {
        while !self.progress.is_over() {
            let event = machine.next(self.progress.deadline(), stop)?;
            self.now = machine.time();
            match event {
                Event::Console(bytes) => {
                    let events =
                        self.console.push(&bytes).context("cannot write the log of the console")?;
                    events.into_iter().try_for_each(|event| self.console_event(event))?;
                }
                Event::Port(bytes) => {
                    for line in self.messages.push(&bytes) {
                        self.message(&String::from_utf8_lossy(&line.bytes), line.cut)?;
                    }
                }
                Event::Late => self.progress.late(self.console.said_anything()),
                Event::Gone(status) => self.gone(&how(status, &machine.errors().join("; ")))?,
            }
        }
        Ok(())
    }

    fn gone(&mut self, how: &str) -> anyhow::Result<()> {
        if let Some(event) = self.console.end() {
            self.console_event(event)?;
        }
        self.progress.gone(how, self.messages.rest().len());
        Ok(())
    }

    fn console_event(&mut self, event: ConsoleEvent) -> anyhow::Result<()> {
        match event {
            ConsoleEvent::Panic(line) => self.progress.panicked(self.now, &line),
            ConsoleEvent::Message(json, cut) => self.message(&json, cut)?,
        }
        Ok(())
    }

    fn message(&mut self, json: &str, cut: bool) -> anyhow::Result<()> {
        if self.progress.is_over() || json.trim().is_empty() {
            return Ok(());
        }
        if cut {
            self.progress.broken(&format!("a message is too long or was cut off: {}", shown(json)));
            return Ok(());
        }
        match serde_json::from_str::<Message>(json) {
            Ok(message) => match self.progress.message(self.now, message) {
                Some(record) => (self.keep)(record),
                None => Ok(()),
            },
            Err(error) => {
                let shown = shown(json);
                self.progress.broken(&format!("invalid message: {error}: {shown}"));
                Ok(())
            }
        }
    }

    fn boot(mut self, request: &Request, started: Timestamp, wall: Duration) -> Boot {
        let dump = self.progress.take_dump();
        let (release, runs, (ended, reason)) = self.progress.finish();
        let complaints = self.console.complaints();
        let quiet = ended == Ended::Finished && complaints.is_empty();
        Boot {
            schema: BOOT_SCHEMA.to_owned(),
            kernel: request.label.clone(),
            role: request.role,
            number: request.number,
            round: request.round,
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            release: release.or_else(|| self.console.release().map(str::to_owned)),
            ended,
            reason,
            complaints,
            runs,
            dump,
            console: request.console.clone(),
            console_tail: if quiet { Vec::new() } else { self.console.tail() },
        }
    }
}

fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(SHOWN_CHARS_MAX).collect();
    if chars.next().is_some() { format!("{short}…") } else { short }
}

/// How QEMU ended, for a reader.
fn how(status: ExitStatus, errors: &str) -> String {
    let words = if errors.is_empty() { String::new() } else { format!(": {errors}") };
    if status.success() {
        return format!("the machine powered off or restarted{words}");
    }
    format!("QEMU ended with {status}{words}")
}
