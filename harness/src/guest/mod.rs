//! The first process of a virtual machine that measures one kernel: there is nothing else in it.
//!
//! It finds its job in the initramfs, says on a virtio port what it finds and what comes of each
//! run, and switches the machine off. See [`iowq_contract::guest`] for what is said.

mod block;
pub mod criu;
mod delay;
mod disk;
mod features;
mod missing;
mod modules;
mod power;
mod runs;
mod say;
mod settle;
mod setup;
mod stamp;
mod wait;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::Context as _;
use iowq_contract::guest::{JOB_PATH, Job, MODULES_PATH, Message, MissingFeature};
use rustix::system::uname;

use iowq_contract::WantProbes;

use crate::io;
use crate::run::check_probes;
use features::Features;
use runs::Checked;
use say::Say;
use stamp::Stamp;

/// The word on the kernel's command line that requests it.
pub(crate) const WORD: &str = "guest";

/// Whether this process is the first of a machine and was asked to be the guest. The kernel may
/// hand over words of its own command line, too, so no other argument is checked.
#[must_use]
pub fn is_wanted() -> bool {
    std::process::id() == 1 && std::env::args_os().any(|word| word == WORD)
}

/// The error of a guest that is not the first process.
#[must_use]
pub fn not_wanted() -> anyhow::Error {
    anyhow::anyhow!(
        "guest: only the first process of a virtual machine is one, because it ends by switching \
         the machine off; `kernels` starts such machines"
    )
}

/// Does the job, says how it ended, and switches the machine off.
pub fn run() -> ! {
    let mut say = Say::on_console();
    // The end of this process would be a panic of the kernel, which is not at fault.
    let ended = catch_unwind(AssertUnwindSafe(|| work(&mut say)));
    let reason = match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(_) => Some("the guest panicked; see the console".to_owned()),
    };
    if let Some(reason) = reason {
        say.say(&Message::Failed { reason });
    }
    disk::unmount();
    power::off()
}

fn work(say: &mut Say) -> anyhow::Result<()> {
    // The first process of a container, say, must not have file systems mounted over its own.
    anyhow::ensure!(Path::new(JOB_PATH).exists(), "there is no {JOB_PATH} in this initramfs");
    let mut missing = setup::mount_all();
    // A kernel without a network has no connections of tcp, and says so when they are made.
    let _ = io::loopback_up();
    let job = read_job(Path::new(JOB_PATH));
    let loaded = match &job {
        Ok(job) => modules::load(Path::new(MODULES_PATH), &job.modules),
        Err(_) => Ok(()),
    };
    say.open_port();
    let job = job?;
    say.say(&up());
    loaded?;
    modules::load_for_criu(Path::new(MODULES_PATH), &job.modules_for_criu);
    if !setup::is_blind(&missing) {
        missing.extend(missing::find(&job, &Features::detect(&job, say.has_port())));
    }
    if !missing.is_empty() {
        say.say(&Message::Missing { features: missing });
        return Ok(());
    }
    // What no list of options foresees.
    check_probes(WantProbes::Bpf, None).context("the probes do not work on this kernel")?;
    measure(&job, say)?;
    if let Some(criu) = &job.criu {
        say.say(&Message::Criu { dump: criu::dump(criu, Path::new(disk::PLACE)) });
    }
    rustix::fs::sync();
    say.say(&Message::Done);
    Ok(())
}

fn read_job(path: &Path) -> anyhow::Result<Job> {
    let text = fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| {
        format!("{}: not a job of this version; build guest and host together", path.display())
    })
}

fn up() -> Message {
    let name = uname();
    let text = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
    Message::Up { release: text(name.release()), version: text(name.version()) }
}

fn measure(job: &Job, say: &mut Say) -> anyhow::Result<()> {
    let device = disk::mount_it(&job.disk)?;
    let files = Path::new(disk::PLACE);
    let checked = (0u32..).zip(&job.benches).map(|(number, bench)| Checked::new(number, bench));
    // A mistake in the last one is found before the first one runs.
    let checked: Vec<Checked<'_>> = checked.collect::<anyhow::Result<_>>()?;
    let stamp = Stamp::new(job, device);
    checked.iter().try_for_each(|bench| bench.run(files, &stamp, say))
}

/// A missing feature, with what was seen.
fn feature(option: &str, saw: impl Into<String>) -> MissingFeature {
    MissingFeature { option: option.to_owned(), saw: saw.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_missing_or_not_one_is_named_by_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("job.json");
        let error = read_job(&path).expect_err("no file");
        assert!(format!("{error:#}").contains("job.json"), "{error:#}");
        fs::write(&path, "{\"kernel\": \"base\"}").expect("a file");
        let text = format!("{:#}", read_job(&path).expect_err("no job"));
        assert!(text.contains("job.json") && text.contains("missing field"), "{text}");
    }

    #[test]
    fn only_the_first_process_is_the_guest() {
        assert!(!is_wanted());
    }
}
