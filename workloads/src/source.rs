//! Sources: a workload as it was written, which makes a plan as it is, or with fields in place of
//! its own.

use std::collections::BTreeMap;

use toml::Table;

use crate::check::Check;
use crate::error::SpecError;
use crate::fio::Engines;
use crate::limits;
use crate::plan::{Length, Mix, OpSize, Order, Plan, Task};
use crate::set::{named, spec_with};
use crate::spec::{self, Spec};
use crate::task;

/// Fields of a fio job that it says in words of its own, with these.
const OF_JOBS: [(&str, &str); 3] =
    [("files.count", "nrfiles"), ("files.size_mib", "size"), ("files.block_bytes", "bs")];

/// A workload as it was written: a spec, or a fio job.
#[derive(Clone, Debug)]
pub struct Source {
    /// The plan as it is.
    pub plan: Plan,
    /// The spec, whose fields can be replaced.
    table: Table,
    /// Whether it is a fio job, which may be longer or shorter than a spec can say.
    is_job: bool,
}

impl Source {
    /// Of a spec: its name, what errors call its file, and its text.
    ///
    /// # Errors
    ///
    /// As of [`Plan::parse`].
    pub fn spec(name: &str, file: &str, text: &str) -> Result<Source, SpecError> {
        let plan = Plan::parse(name, file, text)?;
        // It was parsed just before.
        Ok(Source { plan, table: text.parse().unwrap_or_default(), is_job: false })
    }

    /// The same of a fio job file, for each of its stages.
    ///
    /// # Errors
    ///
    /// As of [`Plan::parse_fio`].
    pub fn jobs(
        name: &str,
        file: &str,
        text: &str,
        engines: Engines,
    ) -> Result<Vec<Source>, SpecError> {
        let plans = Plan::parse_fio(name, file, text, engines)?.into_iter();
        Ok(plans
            .map(|plan| Source { table: table(&Spec::of(&plan)), plan, is_job: true })
            .collect())
    }

    /// Of a spec that was made and not written.
    pub(crate) fn made(spec: &Spec, name: &str) -> Result<Source, SpecError> {
        Ok(Source { plan: task::plan(spec, name, name)?, table: table(spec), is_job: false })
    }

    /// The spec as it is changed here, under another name.
    pub(crate) fn changed(
        mut self,
        name: &str,
        change: impl FnOnce(&mut Spec),
    ) -> Result<Source, SpecError> {
        let mut spec = spec_with(self.table, &BTreeMap::new(), name)?;
        change(&mut spec);
        self.plan = task::plan(&spec, name, name)?;
        self.table = table(&spec);
        Ok(self)
    }

    /// The plan with these fields in place of its own; a key is a field with its table, a value as
    /// it stands in a spec. What a spec without them would have by default is taken anew.
    ///
    /// # Errors
    ///
    /// A value that the field cannot have, that contradicts another field, or that changes nothing
    /// of a fio job, because it says it in words of its own.
    pub fn with(&self, set: &BTreeMap<String, String>) -> Result<Plan, SpecError> {
        if set.is_empty() {
            return Ok(self.plan.clone());
        }
        let name = &self.plan.name;
        let says_itself = OF_JOBS.iter().find(|(key, _)| set.contains_key(*key));
        if let Some((key, option)) = says_itself.filter(|_| self.is_job) {
            return Err(SpecError::Set {
                set: (*key).to_owned(),
                found: format!("{name}, a fio job"),
                advice: format!("give the job file another `{option}`"),
            });
        }
        let spec = spec_with(self.table.clone(), set, name)?;
        let plan = task::plan(&spec, name, &named(set, name))?;
        if !self.is_job {
            return Ok(plan);
        }
        let of_task = |task: &Task| -> Result<Task, SpecError> {
            let plan = Source::job(task.plan.clone()).with(set)?;
            Ok(Task { plan, ..task.clone() })
        };
        let tasks = self.plan.tasks.iter().map(of_task).collect::<Result<_, _>>()?;
        let plan = Plan { tasks, ..self.as_long(plan, set) };
        let file = named(set, name);
        let check = Check { file: &file };
        // The sizes are the job's again.
        check.order(plan.mix.order, &plan.sizes)?;
        check.of_all_tasks(&plan)?;
        Ok(plan)
    }

    fn job(plan: Plan) -> Source {
        Source { table: table(&Spec::of(&plan)), plan, is_job: true }
    }

    /// What a spec cannot say of a fio job.
    fn as_long(&self, plan: Plan, set: &BTreeMap<String, String>) -> Plan {
        let own = ["run.seconds", "run.ops"].iter().any(|key| set.contains_key(*key));
        Plan {
            file_blocks: self.plan.file_blocks,
            block_bytes: self.plan.block_bytes,
            sizes: self.plan.sizes.clone(),
            align_blocks: self.plan.align_blocks,
            is_cut: self.plan.is_cut && plan.mix.order == Order::Random,
            length: if own { plan.length } else { self.plan.length },
            io_blocks: if own { 0 } else { self.plan.io_blocks },
            begins_after: self.plan.begins_after,
            group: self.plan.group,
            ends_groups: self.plan.ends_groups,
            ..plan
        }
    }
}

fn block_sizes(plan: &Plan) -> spec::BlockSizes {
    let one = [OpSize { blocks: 1, weight: 1 }];
    let sizes = if plan.sizes.is_empty() { &one[..] } else { &plan.sizes };
    let bytes = i64::from(plan.block_bytes);
    let size = |size: &OpSize| spec::BlockSize {
        bytes: bytes * i64::from(size.blocks),
        weight: size.weight.into(),
    };
    spec::BlockSizes(sizes.iter().map(size).collect())
}

fn of_mix(mix: &Mix) -> spec::Mix {
    spec::Mix {
        write: Some(mix.write.into()),
        read: mix.read.into(),
        fallocate: mix.fallocate.into(),
        nop: mix.nop.into(),
        receive: mix.receive.into(),
        send: mix.send.into(),
        splice: mix.splice.into(),
        writes_per_fsync: mix.writes_per_fsync.into(),
        data_only: mix.data_only,
        linked: mix.linked,
        // No job of fio has others.
        ..spec::Mix::default()
    }
}

/// The size of a file, as near as a spec can say it; a fio job keeps its own.
fn size_mib(plan: &Plan) -> f64 {
    let bytes = plan.file_blocks as f64 * f64::from(plan.block_bytes);
    let (least, most) = (*limits::FILE_SIZE_MIB.start(), *limits::FILE_SIZE_MIB.end());
    (bytes / f64::from(1 << 20)).clamp(least, most)
}

fn table(spec: &Spec) -> Table {
    // A spec has nothing that TOML has not.
    Table::try_from(spec).unwrap_or_default()
}

impl Spec {
    /// The spec of a plan without a log, as far as a spec can say it.
    fn of(plan: &Plan) -> Spec {
        use crate::plan::Arrival;
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
        let mix = plan.mix;
        let mut arrival = spec::Arrival::default();
        match plan.arrival {
            Arrival::Closed { pause, min_complete } => {
                arrival.pause_ms = Some(ms(pause));
                arrival.min_complete = Some(min_complete.into());
            }
            Arrival::Rate { per_s } => {
                (arrival.pattern, arrival.per_s) = (spec::Pattern::Rate, Some(per_s));
            }
            Arrival::Poisson { per_s } => {
                (arrival.pattern, arrival.per_s) = (spec::Pattern::Poisson, Some(per_s));
            }
            Arrival::Bursts { ops, gap } => {
                arrival.pattern = spec::Pattern::Bursts;
                (arrival.burst_ops, arrival.gap_ms) = (Some(ops.into()), Some(ms(gap)));
            }
        }
        let (seconds, ops) = match plan.length {
            Length::Time(time) | Length::Either { time, .. } => (Some(time.as_secs_f64()), None),
            Length::Ops(ops) => (None, i64::try_from(ops).ok()),
        };
        Spec {
            summary: plan.summary.clone(),
            origin: plan.origin.clone(),
            files: spec::Files {
                count: plan.files.into(),
                size_mib: size_mib(plan),
                open: spec::OneOrMore(plan.open.clone()),
                block_bytes: block_sizes(plan),
                order: mix.order,
                state: plan.state.first().copied(),
                cached: plan.cached,
                ..spec::Files::default()
            },
            mix: of_mix(&plan.mix),
            arrival,
            ring: spec::Ring {
                depth: plan.depth.into(),
                reopen_after_ops: i64::try_from(plan.life.reopen_after_ops).unwrap_or(i64::MAX),
                closed_ms: ms(plan.life.closed),
                linger_ms: ms(plan.life.linger),
                force_async: plan.force_async,
                ..spec::Ring::default()
            },
            workers: spec::Workers {
                bounded: None,
                unbounded: None,
                kernel_limits: plan.kernel_limits,
                idle_timeout_ms: ms(plan.idle_timeout),
                ..spec::Workers::default()
            },
            run: spec::Run {
                seconds,
                ops,
                warmup_seconds: plan.warmup.as_secs_f64(),
                seed: i64::try_from(plan.seed).unwrap_or(i64::MAX),
                verify: plan.verify,
                cpus: plan.cpus.map(Into::into),
            },
            ..Spec::default()
        }
    }
}
