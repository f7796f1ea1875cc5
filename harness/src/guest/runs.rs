//! The benches of a job, each record sent to the host as it comes.

use std::path::Path;

use anyhow::Context as _;
use iowq_contract::guest::{Bench, Message};
use iowq_contract::{BenchRequest, InjectedDelay, Record, Step, Variant};

use iowq_pool::policy::Registry;

use super::say::Say;
use super::stamp::Stamp;
use crate::bench::{self, Observer, Program, Site};
use crate::sync::SignalFlag;

/// A bench that has passed all checks that need no run.
pub(super) struct Checked<'a> {
    number: u32,
    bench: &'a Bench,
    request: BenchRequest,
}

impl<'a> Checked<'a> {
    /// The bench of that number, with its limits and idle timeouts as this machine has them.
    ///
    /// # Errors
    /// What this machine cannot do.
    pub(super) fn new(number: u32, bench: &'a Bench) -> anyhow::Result<Checked<'a>> {
        let request = bench::resolved(&bench.request)
            .with_context(|| format!("bench {number} of the job"))?;
        Ok(Checked { number, bench, request })
    }

    /// Runs it, with its files under test in this folder, and sends its records.
    ///
    /// How long it takes is for the host to watch: a kernel that hangs cannot be killed in here.
    ///
    /// # Errors
    /// If it could not be run, or left no record at all.
    pub(super) fn run(&self, files: &Path, stamp: &Stamp, say: &mut Say) -> anyhow::Result<()> {
        let Checked { number, bench, request } = self;
        let time_max_s = bench::whole_time_max(request).as_secs();
        say.say(&Message::Bench { number: *number, time_max_s });
        let program = Program::open("/proc/self/exe".into())
            .context("cannot open this program's own file")?;
        let (out, stop) = (format!("/run/out-{number}"), SignalFlag::new(false));
        let site = Site {
            registry: &Registry::builtin(),
            program: &program,
            dir: Some(files),
            out: Path::new(&out),
            stop: &stop,
        };
        let mut sender = Sender { stamp, say, keeps: !bench.warm_up };
        // A run that failed has a record that says so.
        bench::run(request, &site, &mut sender).with_context(|| format!("bench {number}"))?;
        Ok(())
    }
}

/// Sends records to the host.
struct Sender<'a> {
    stamp: &'a Stamp,
    say: &'a mut Say,
    keeps: bool,
}

impl Observer for Sender<'_> {
    fn pilot(&mut self, _: &str, _: u64, _: InjectedDelay) {}

    fn start(&mut self, _: &str, _: &Variant) {}

    fn step(&mut self, _: Step, _: u64, _: u64) {}

    fn look(&mut self) {}

    fn done(&mut self, record: &Record, _: &str, _: &Variant) -> anyhow::Result<()> {
        if self.keeps {
            let mut record = Box::new(record.clone());
            self.stamp.put(&mut record);
            self.say.say(&Message::Run { record });
        }
        Ok(())
    }
}
