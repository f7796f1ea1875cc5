//! A run: one workload under one variant, once, from probes to record.

mod assemble;
mod caveats;
mod creation_cost;
mod measure;
mod outcome;
mod plan_settings;
mod settle;
mod start;
mod streams;

use std::path::Path;
use std::time::Duration;

use iowq_contract::{
    Birth, Blocking, Code, EngineName, Host, KERNEL, Load, NO_RING, Phases, Record, RunMessage,
    RunRequest, Settled, Step, Variant, WantBlocking, WantProbes,
};
use iowq_workloads::{Ledger, Plan, Rounds, seed_of_stream};

use crate::clock::{self, Nanos};
use crate::engine;
use crate::files::{self, Scratch, Verified};
use crate::io;
use crate::machine::threads::{ThreadLimits, ThreadsRefused};
use crate::machine::{self, load::LoadSample};
use crate::pulse::{Pulse, Stillness};
use iowq_pool::policy::{PolicySpec, Registry};

use crate::probes::median;
use crate::probes::watch::{Watch, WatchOptions};
pub(crate) use assemble::failed;
pub(crate) use caveats::files::not_verified;
use outcome::Outcome;
pub use plan_settings::digest;
use settle::Settling;
use streams::AllMeasured;

/// The census's interval in a check, which ends before the first one is over.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// What takes the messages of a run.
pub type Say<'a> = &'a mut dyn FnMut(RunMessage) -> anyhow::Result<()>;

/// Makes a run in this process. The files under test are gone on return. `tell_ops` is called now and
/// then with the number of ops done, for as long as any are.
///
/// # Errors
/// If it cannot be made at all, what was written is not what is there, or the files cannot be
/// removed. The record was said before the latter two.
pub fn run(
    request: &RunRequest,
    registry: &Registry,
    tell_ops: fn(u64),
    say: Say<'_>,
) -> anyhow::Result<()> {
    let began = clock::now();
    let started_at = (clock::wall_clock(), machine::since_boot(began.0));
    let policy = policy_of(registry, &request.variant)?;
    engine::check(request.variant.engine, &request.plan)?;
    let cpus = confine(&request.plan)?;
    let birth = creation_cost::before();
    let born = clock::now();
    files::allow_all(request.dir.as_deref(), &request.plan)?;
    let lay_out = |plan| Scratch::new_telling(request.dir.as_deref(), plan, &mut progress(say));
    let scratches: Vec<Scratch> = request.plan.streams().map(lay_out).collect::<Result<_, _>>()?;
    let folder = scratches.first().map_or(Path::new("."), Scratch::folder);
    let host = Host { cpus, ..machine::describe(folder) };
    let laid_out = clock::now();
    let settling = Settling::start(folder);
    let mut watch = Watch::start(&wanted(request))?;
    let attached = clock::now();
    let settled = settling.finish();
    let (pulse, load_before) = (Pulse::start(), LoadSample::now());
    let limits = ThreadLimits::here();
    let outcome = streams::measure_all(request, policy.as_ref(), tell_ops, &mut watch, &scratches);
    let engine = request.variant.engine;
    let (still, load) = (pulse.finish(), LoadSample::now().since(&load_before));
    let refused = limits.met();
    let outcome = outcome.and_then(|measured| {
        finish(engine, measured, (birth, still, load, refused), watch, settled)
    });
    let times = [began, born, laid_out, attached];
    let outcome = outcome.and_then(|(mut outcome, ledgers)| {
        outcome.phases = phases(times, &outcome);
        let record = assemble::record(request, policy.as_ref(), &outcome, host, started_at);
        verify(record, request, &scratches, &ledgers, say)
    });
    // Removed also after a failure, and a failure to remove does not hide the other one.
    let remove = |scratch: Scratch| scratch.remove_telling(&mut progress(say));
    let removed: Vec<_> = scratches.into_iter().map(remove).collect();
    outcome?;
    removed.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

/// Says how far a step is. A message that cannot be sent is no failure of the run.
fn progress(say: Say<'_>) -> impl FnMut(Step, u64, u64) {
    |step, done_bytes, all_bytes| {
        let _ = say(RunMessage::Progress { step, done_bytes, all_bytes });
    }
}

/// Says the record, reads back what was written, and says the record again.
fn verify(
    mut record: Record,
    request: &RunRequest,
    scratches: &[Scratch],
    ledgers: &[Ledger],
    say: Say<'_>,
) -> anyhow::Result<()> {
    let plan = &request.plan;
    // There is nothing to read back from connections.
    if !plan.verify || plan.streams().all(|stream| stream.sockets.is_some()) {
        return say(RunMessage::Record { record: Box::new(record) });
    }
    record.caveats.push(not_verified("the run was ended before that was done"));
    say(RunMessage::Record { record: Box::new(record.clone()) })?;
    let began = clock::now();
    let mut verified: Option<Verified> = None;
    for (number, stream) in (0..).zip(plan.streams().zip(scratches).zip(ledgers)) {
        let ((plan, scratch), ledger) = stream;
        let seed = seed_of_stream(request.seed, number);
        let one = scratch.verify(plan, seed, ledger, &mut progress(say))?;
        verified = Some(verified.map_or(one, |all| all.and(one)));
    }
    let Some(verified) = verified else { return Ok(()) };
    if let Some(phases) = &mut record.phases {
        phases.verify_ns = clock::now().since(began);
    }
    record.caveats.retain(|caveat| caveat.code != Code::NotVerified);
    let from = (verified.blocks > 0).then_some(verified.from);
    record.caveats.extend(from.and_then(caveats::files::of_verifying));
    record.ops.verified_blocks = Some(verified.blocks);
    record.ops.verified_from = from.map(|from| from.name().to_owned());
    record.ops.verified_written_back_bytes = verified.written_back_bytes;
    say(RunMessage::Record { record: Box::new(record) })
}

/// Whether the files of a run can be made in `dir`, by making and removing them, with space for all
/// blocks but without their data.
///
/// # Errors
/// The obstacle, and what helps.
pub fn check_files(dir: Option<&Path>, plan: &Plan) -> anyhow::Result<()> {
    files::allow_all(dir, plan)?;
    // All at once: they share the space.
    let check = |plan| Scratch::check(dir, plan);
    let made: Vec<Scratch> = plan.streams().map(check).collect::<Result<_, _>>()?;
    Ok(made.into_iter().try_for_each(Scratch::remove)?)
}

/// Whether what is to watch a run works, if the run would not be made without it. `blocking` is
/// none if only the kernel's io-wq runs, which knows by itself that a worker sleeps.
///
/// # Errors
/// The obstacle, and what helps.
pub fn check_probes(probes: WantProbes, blocking: Option<WantBlocking>) -> anyhow::Result<()> {
    if does_without(probes, blocking) {
        return Ok(());
    }
    let requests = u32::from(blocking.is_none());
    let wanted = WatchOptions { probes, blocking, requests, idle_timeout: CHECK_TIMEOUT };
    Watch::start(&wanted)?.finish().map(drop)
}

/// Whether a run is made whatever can watch it.
pub(crate) fn does_without(probes: WantProbes, blocking: Option<WantBlocking>) -> bool {
    probes == WantProbes::Auto && blocking != Some(WantBlocking::Sched)
}

/// The policy of a variant; none for the kernel's own rules.
///
/// # Errors
/// If the engine has no policy of that name; says which there are.
pub fn policy_of(registry: &Registry, variant: &Variant) -> anyhow::Result<Option<PolicySpec>> {
    match (variant.engine, variant.policy.as_str()) {
        (EngineName::Pool, name) => Ok(Some(registry.parse(name)?)),
        (EngineName::Uring, KERNEL) => Ok(None),
        (EngineName::Uring, name) => anyhow::bail!(
            "--engine uring: found policy {name}; the kernel has its own rules, named {KERNEL}"
        ),
        (EngineName::Sync, NO_RING) => Ok(None),
        (EngineName::Sync, name) => anyhow::bail!(
            "--engine sync: found policy {name}; no policy applies without a ring: name it {NO_RING}"
        ),
    }
}

/// Confines this thread, and with it all threads that a run will have, the probes' too, to the
/// processors of its plan; returns how many it could use before, which is the machine's to say.
fn confine(plan: &Plan) -> anyhow::Result<u32> {
    let before = machine::cpus();
    if let Some(cpus) = plan.cpus {
        io::confine(cpus).map_err(|errno| {
            anyhow::anyhow!(
                "run.cpus: found {cpus}, and this process may use {before} ({errno}); lower it"
            )
        })?;
    }
    Ok(before)
}

fn wanted(request: &RunRequest) -> WatchOptions {
    let engine = request.variant.engine;
    WatchOptions {
        probes: request.probes,
        blocking: (engine == EngineName::Pool).then_some(request.blocking),
        requests: if engine == EngineName::Uring {
            request.plan.streams().map(|plan| plan.depth).sum()
        } else {
            0
        },
        idle_timeout: request
            .plan
            .streams()
            .map(|plan| plan.idle_timeout)
            .min()
            .unwrap_or_default(),
    }
}

/// Lets the probes see the last exits.
fn finish(
    engine: EngineName,
    measured: AllMeasured,
    (birth, stillness, load, threads_refused): (Birth, Stillness, Load, ThreadsRefused),
    watch: Watch,
    settled: Settled,
) -> anyhow::Result<(Outcome, Vec<Ledger>)> {
    let blocking = match engine {
        EngineName::Sync => Blocking::None,
        EngineName::Pool | EngineName::Uring => watch.blocking(),
    };
    let seen = watch.finish()?;
    let birth = Birth {
        creator_ns_p50: median(measured.remains.creation_ns.clone()),
        start_ns_p50: seen.start_ns,
        ..birth
    };
    let rounds = measured.ledgers.iter().map(Ledger::rounds).fold(Rounds::default(), Rounds::and);
    let outcome = Outcome {
        driven: measured.driven,
        remains: measured.remains,
        seen,
        blocking,
        sleeps: measured.sleeps,
        started: measured.started,
        ended: measured.ended,
        birth,
        no_attempts: measured.no_attempts,
        no_begun: measured.no_begun,
        stillness,
        load,
        threads_refused,
        time_namespace: caveats::timing::in_time_namespace(),
        settled,
        rounds,
        tasks: measured.tasks,
        phases: Phases::default(),
    };
    Ok((outcome, measured.ledgers))
}

/// The phases of a run whose workers are gone and whose probes are detached, from when it began, knew
/// the cost of a worker, had its files, and had its probes.
fn phases([began, born, laid_out, attached]: [Nanos; 4], outcome: &Outcome) -> Phases {
    Phases {
        attach_ns: born.since(began) + attached.since(laid_out),
        layout_ns: laid_out.since(born),
        settle_ns: outcome.started.since(attached),
        drive_ns: outcome.ended.since(outcome.started),
        detach_ns: clock::now().since(outcome.ended),
        verify_ns: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::thread;

    fn plan(cpus: &str) -> Plan {
        Plan::parse("confined", "confined.toml", &format!("[run]\n{cpus}")).expect("a valid spec")
    }

    #[test]
    fn a_run_on_one_processor_confines_its_thread_and_those_that_it_makes() {
        let before = machine::cpus();
        // On a thread of its own, because it stays confined.
        let confined = thread::spawn(move || {
            let found = confine(&plan("cpus = 1")).map_err(|error| error.to_string());
            let later = thread::spawn(machine::cpus).join().expect("it ends");
            (found, machine::cpus(), later)
        });
        assert_eq!(confined.join().expect("it ends"), (Ok(before), 1, 1));
        assert_eq!(confine(&plan("")).map_err(|error| error.to_string()), Ok(before));
        assert_eq!(machine::cpus(), before, "nothing is requested");
    }

    #[test]
    fn more_processors_than_there_are_is_an_error_that_names_both() {
        let error =
            confine(&plan("cpus = 1024")).expect_err("more than this machine has").to_string();
        let before = machine::cpus();
        assert!(
            error.starts_with(&format!("run.cpus: found 1024, and this process may use {before} ")),
            "{error}"
        );
    }
}
