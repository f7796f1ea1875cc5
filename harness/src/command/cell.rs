//! `iowq cell`: one cell in a process of its own, its record on standard output. Where what was
//! written is read back the record comes twice, and the second holds.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use iowq_contract::{Asked, Record, Role};
use iowq_pool::policy::Registry;
use iowq_workloads::Plan;

use super::said::{Saying, say_ops};
use crate::cell::{self, EngineName, InjectedDelay, Probes, Request, Told, WantBlocking};
use crate::workload;

/// Flags of `cell`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Name of a built-in workload, or path of a spec (.toml) or of a fio job file (.fio)
    #[arg(long)]
    pub workload: String,
    /// What carries out the ops
    #[arg(long, value_enum, default_value_t = EngineName::Pool)]
    pub engine: EngineName,
    /// Name of the policy; with --engine uring: kernel
    #[arg(long)]
    pub policy: String,
    /// Length of the run, instead of the workload's own
    #[arg(long)]
    pub seconds: Option<f64>,
    /// How long idle workers of the pool wait before they leave, instead of the workload's own time
    #[arg(long)]
    pub idle_timeout_ms: Option<f64>,
    /// Seed of the stream of ops
    #[arg(long)]
    pub seed: u64,
    /// Round of runs that this one belongs to
    #[arg(long, default_value_t = 0)]
    pub pair: u32,
    /// Place in the order of all runs
    #[arg(long, default_value_t = 0)]
    pub position: u32,
    /// What the run is for: measured, noise or control
    #[arg(long, value_parser = role, default_value = "measured")]
    pub role: Role,
    /// How much later ops are handed over than they could
    #[arg(long, requires = "delay_percent")]
    pub delay_ns: Option<u64>,
    /// How much that is of the median response time without it
    #[arg(long, requires = "delay_ns")]
    pub delay_percent: Option<f64>,
    /// Folder for the files under test
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The process that starts this one, which must not outlive it
    #[arg(long)]
    pub parent: Option<u32>,
    /// What watches the workers
    #[arg(long, value_enum, default_value_t = Probes::Auto)]
    pub probes: Probes,
    /// Who tells that a worker sleeps
    #[arg(long, value_enum, default_value_t = WantBlocking::Auto)]
    pub blocking: WantBlocking,
    /// Take the workload as a plan from standard input, as a bench that has read and checked it hands
    /// it on; --workload, --seconds and --idle-timeout-ms then only say what was asked for
    #[arg(long, hide = true)]
    pub plan_on_stdin: bool,
    /// Count ops and time none, to find out what recording costs
    #[arg(long, hide = true)]
    pub no_latency: bool,
}

/// Runs the cell.
///
/// # Errors
/// Where it cannot be run, in words for a person.
pub fn run(options: &Options) -> anyhow::Result<()> {
    end_with_parent(options.parent)?;
    let request = Request {
        plan: plan(options)?,
        engine: options.engine,
        policy: cell::parse_policy(&Registry::builtin(), options.engine, &options.policy)?,
        seed: options.seed,
        pair: options.pair,
        position: options.position,
        role: options.role,
        delay: options
            .delay_ns
            .zip(options.delay_percent)
            .map(|(ns, percent)| InjectedDelay { ns, percent }),
        dir: options.dir.clone(),
        probes: options.probes,
        blocking: options.blocking,
        records_latency: !options.no_latency,
        // A person who starts it wants its record alone.
        tell: if options.parent.is_some() { say_ops } else { |_| () },
    };
    let mut saying = Saying::new(options.parent.is_some());
    cell::run(&request, &mut |told| match told {
        Told::Record(record) => {
            saying.say(&Told::Record(&Record { asked: asked(options), ..record.clone() }))
        }
        told => saying.say(&told),
    })
}

/// What is run. A bench hands on what it has checked, so that a spec which is edited meanwhile
/// changes none of its runs.
fn plan(options: &Options) -> anyhow::Result<Plan> {
    if options.plan_on_stdin {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).context("the plan on standard input")?;
        return serde_json::from_slice(&text).context("the plan on standard input");
    }
    let mut plan = workload::load(&options.workload)?;
    if let Some(seconds) = options.seconds {
        plan = plan.with_seconds(seconds)?;
    }
    if let Some(idle_timeout_ms) = options.idle_timeout_ms {
        plan = plan.with_idle_timeout_ms(idle_timeout_ms)?;
    }
    Ok(plan)
}

/// What a bench would have to be asked for to run this again. None can be asked for another idle
/// timeout.
fn asked(options: &Options) -> Option<Asked> {
    let asked = Asked { workload: options.workload.clone(), seconds: options.seconds };
    options.idle_timeout_ms.is_none().then_some(asked)
}

/// A role by the name that records have for it.
fn role(name: &str) -> Result<Role, serde_json::Error> {
    serde_json::from_value(name.into())
}

/// Makes this process end when the bench that started it does, however that happens.
pub(super) fn end_with_parent(parent: Option<u32>) -> anyhow::Result<()> {
    // Where it is refused the bench still ends its runs itself, unless it is killed.
    let _ = crate::io::die_with_parent();
    // It may have ended before that was said, and then nobody would end this process.
    if parent.is_some() && parent != crate::io::parent_id() {
        anyhow::bail!("the process that started this one has ended");
    }
    Ok(())
}
