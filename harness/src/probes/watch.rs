//! The watch over a run: the best tier of probes there is, and who reports that a worker sleeps.

use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::{Blocking, Tier, WantBlocking, WantProbes};
use iowq_ebpf::{ACCOUNTS, LOST_BLOCKS, LOST_SWITCHES, LOST_THREADS, LOST_UNREADABLE};

use super::first_steps;
use super::lives::{self, Lives};
use crate::clock;
use crate::probes::procfs::ProcCensus;
use crate::probes::{Bpf, BpfOptions, Requests, SchedPart};
use crate::sync::Arc;

/// How long the last exits may take to be seen, after their threads were joined.
const EXIT_WAIT: Duration = Duration::from_secs(2);

/// What is to be watched, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WatchOptions {
    pub(crate) probes: WantProbes,
    /// Who reports to the pool; `None` for the kernel's own io-wq, which knows.
    pub(crate) blocking: Option<WantBlocking>,
    /// Requests of io_uring in flight at most; 0 if the pool runs.
    pub(crate) requests: u32,
    pub(crate) idle_timeout: Duration,
}

impl WatchOptions {
    fn requires_scheduler(&self) -> bool {
        self.blocking == Some(WantBlocking::Sched)
    }

    fn bpf_options(&self) -> BpfOptions {
        let declared = matches!(self.blocking, None | Some(WantBlocking::Declared));
        BpfOptions { sched: !declared, requests: self.requests, ..BpfOptions::default() }
    }
}

/// The probes of a run.
pub(crate) struct Watch {
    bpf: Option<Bpf>,
    census: Option<ProcCensus>,
    tier: Tier,
    reason: String,
    blocking: Blocking,
}

/// What the probes report at the end.
pub(crate) struct ProbeReport {
    pub(crate) tier: Tier,
    pub(crate) reason: String,
    pub(crate) probe: Option<Lives>,
    pub(crate) proc: Option<Lives>,
    pub(crate) events_seen: u64,
    /// From the creation of a worker to its first instruction, median of all.
    pub(crate) start_ns: Option<u64>,
    /// Losses by cause, without those of no event.
    pub(crate) lost: Vec<(&'static str, u64)>,
    /// Times that a worker was back on a processor and no event said so; made good at its next
    /// switch.
    pub(crate) switches_missed: u64,
    /// Requests that were queued for workers of the kernel's, bounded and unbounded.
    pub(crate) queued: [u64; ACCOUNTS],
    /// What cannot be observed here, each with the reason.
    pub(crate) unseen: Vec<String>,
}

impl Watch {
    /// Starts the probes, before any worker is born.
    pub(crate) fn start(options: &WatchOptions) -> anyhow::Result<Watch> {
        let probes = options.probes;
        let may_bpf = matches!(probes, WantProbes::Auto | WantProbes::Bpf);
        if options.requires_scheduler() && !may_bpf {
            anyhow::bail!(
                "--blocking sched needs --probes bpf or auto: the scheduler reports through eBPF; \
                 or take --blocking declared"
            );
        }
        let bpf_options = options.bpf_options();
        let bpf = may_bpf.then(|| Bpf::start(&bpf_options)).transpose();
        let (bpf, reason) = match bpf {
            Ok(Some(bpf)) => (Some(bpf), String::new()),
            Ok(None) => (None, "requested by --probes".to_owned()),
            Err(error) if probes == WantProbes::Bpf => return Err(error).context("--probes bpf"),
            Err(error) if options.requires_scheduler() => {
                return Err(error).context("--blocking sched");
            }
            Err(error) => (None, error.to_string()),
        };
        let mut watch = Watch {
            blocking: match options.blocking {
                None => Blocking::Kernel,
                Some(_) if bpf.is_some() && bpf_options.sched => Blocking::Sched,
                Some(_) => Blocking::Declared,
            },
            bpf,
            census: None,
            tier: Tier::Off,
            reason,
        };
        if probes != WantProbes::Off {
            match ProcCensus::start(options.idle_timeout) {
                Ok(census) => watch.census = Some(census),
                Err(error) if probes == WantProbes::Proc => anyhow::bail!("--probes proc: {error}"),
                Err(error) => watch.reason = format!("{} {error}", watch.reason).trim().to_owned(),
            }
        }
        watch.tier = match (&watch.bpf, &watch.census) {
            (Some(_), _) => Tier::Bpf,
            (None, Some(_)) => Tier::Proc,
            (None, None) => Tier::Off,
        };
        Ok(watch)
    }

    /// Who reports that a worker sleeps.
    pub(crate) fn blocking(&self) -> Blocking {
        self.blocking
    }

    /// What each of `pools` pools shares with the scheduler's probe, if it runs; once.
    pub(crate) fn take_sched(&mut self, pools: usize) -> anyhow::Result<Option<Vec<SchedPart>>> {
        let parts = self.bpf.as_mut().and_then(|bpf| bpf.take_parts(pools)).transpose();
        parts.context("the readers of the scheduler's probe")
    }

    /// What is seen of requests of io_uring, if there are any.
    pub(crate) fn requests(&self) -> Option<Arc<Requests>> {
        self.bpf.as_ref()?.requests()
    }

    /// The source that samples.
    pub(crate) fn census(&self) -> Option<&ProcCensus> {
        self.census.as_ref()
    }

    /// Waits for the last exits and ends.
    pub(crate) fn finish(self) -> anyhow::Result<ProbeReport> {
        let proc = self.census.map(|census| Lives::of_census(&census.finish()));
        let mut seen = ProbeReport {
            tier: self.tier,
            reason: self.reason,
            probe: None,
            proc,
            events_seen: 0,
            start_ns: None,
            lost: Vec::new(),
            switches_missed: 0,
            queued: [0; ACCOUNTS],
            unseen: Vec::new(),
        };
        if let Some(bpf) = self.bpf {
            seen.unseen = bpf.unseen().to_vec();
            bpf.drain_until(clock::now().after(EXIT_WAIT), |events| {
                let lives = lives::of_events(events);
                lives.created() == lives.exited()
            });
            let census = bpf.finish()?;
            seen.events_seen = census.events.len() as u64;
            seen.probe = Some(lives::of_events(&census.events));
            seen.start_ns = first_steps::start_ns(&census.events);
            seen.switches_missed = census.lost[LOST_SWITCHES as usize];
            seen.queued = census.queued;
            for (name, cause) in [
                ("threads-ring-full", LOST_THREADS),
                ("blocks-ring-full", LOST_BLOCKS),
                ("unreadable", LOST_UNREADABLE),
            ] {
                let lost = census.lost[cause as usize];
                if lost > 0 {
                    seen.lost.push((name, lost));
                }
            }
        } else if let Some(proc) = &seen.proc {
            seen.events_seen = proc.created() + proc.exited();
        }
        Ok(seen)
    }
}
