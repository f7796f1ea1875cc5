//! What only io_uring has, and limits that change: the checks of these fields.

use super::Check;
use crate::error::SpecError;
use crate::limits;
use crate::plan::{Later, Only, Open};
use crate::spec::{Pattern, Spec, Workers};

/// All of it, as a spec has it.
pub(super) fn of(check: &Check<'_>, spec: &Spec) -> Result<Only, SpecError> {
    let ring = &spec.ring;
    if ring.iopoll {
        check_iopoll(check, spec)?;
    }
    if ring.registered_files && spec.mix.splice > 0 {
        let allowed = "false beside mix.splice, which names two files";
        return Err(check.refuse("ring.registered_files", true, allowed));
    }
    let highest = limits::CPUS.end() - 1;
    let cpu = |&cpu: &i64| check.range("workers.cpus", cpu, 0..=highest).map(|cpu| cpu as u32);
    Ok(Only {
        sqpoll: ring.sqpoll,
        iopoll: ring.iopoll,
        registered_files: ring.registered_files,
        registered_buffers: ring.registered_buffers,
        worker_cpus: spec.workers.cpus.iter().map(cpu).collect::<Result<_, _>>()?,
    })
}

/// Limits that change.
pub(super) fn later(check: &Check<'_>, workers: &Workers) -> Result<Option<Later>, SpecError> {
    let Some(later) = &workers.later else { return Ok(None) };
    let after = check.milliseconds("workers.later.after_ms", later.after_ms, limits::WAIT_MS)?;
    let limit = |field, found: Option<i64>| {
        let checked = found.map(|found| check.range(field, found, limits::WORKERS));
        checked.transpose().map(|found| found.map(|found| found as u32))
    };
    let bounded = limit("workers.later.bounded", later.bounded)?;
    let unbounded = limit("workers.later.unbounded", later.unbounded)?;
    if bounded.is_none() && unbounded.is_none() {
        let allowed = "`bounded`, `unbounded` or both, to change something";
        return Err(check.refuse("workers.later", "no limit", allowed));
    }
    Ok(Some(Later { after, limits: [bounded, unbounded] }))
}

/// Polling is for direct reads and writes, and the kernel polls until one is done.
fn check_iopoll(check: &Check<'_>, spec: &Spec) -> Result<(), SpecError> {
    let refuse = |allowed| Err(check.refuse("ring.iopoll", true, allowed));
    let (mix, arrival) = (&spec.mix, &spec.arrival);
    if spec.sockets.is_some() || spec.files.open.0.iter().any(|open| *open != Open::Direct) {
        return refuse("false unless all files are opened direct; add `files.open = \"direct\"`");
    }
    if mix.fallocate + mix.nop + mix.writes_per_fsync > 0 || spec.log.is_some() {
        return refuse("false beside fsyncs, fallocates, no-ops and a log, which cannot be polled");
    }
    let pauses = arrival.pause_ms.is_some_and(|pause_ms| pause_ms > 0.0);
    if arrival.pattern != Pattern::Closed || pauses {
        return refuse("false unless ops arrive in a closed loop without pauses");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;

    fn parse(text: &str) -> Result<Plan, String> {
        Plan::parse("own", "own.toml", text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_only_io_uring_has_is_named_by_its_fields() {
        let plan = parse("[ring]\nsqpoll = true\nregistered_files = true\n[workers]\ncpus = [1]");
        let only = plan.expect("it is valid").only;
        let fields: Vec<_> = only.fields().collect();
        assert_eq!(fields, ["ring.sqpoll", "ring.registered_files", "workers.cpus"]);
        assert!(parse("").expect("it is valid").only.is_nothing());
    }

    #[test]
    fn limits_that_change_have_a_moment_and_at_least_one_limit() {
        let plan = parse("[workers]\nbounded = 2\n[workers.later]\nafter_ms = 5\nbounded = 8");
        let plan = plan.expect("it is valid");
        assert_eq!((plan.limit_max(0), plan.limit_max(1)), (8, 64));
        for (text, part) in [
            ("[workers.later]\nafter_ms = 5", "workers.later: found no limit"),
            ("[workers.later]\nbounded = 5", "missing field `after_ms`"),
            ("[workers.later]\nafter_ms = 5\nbounded = 0", "later.bounded: found 0, allowed 1 to"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_cannot_be_polled_is_refused() {
        let splice =
            "[sockets]\nkind = \"pipe\"\n[mix]\nsplice = 1\n[ring]\nregistered_files = true";
        let error = parse(splice).expect_err("a splice has two files");
        assert!(error.contains("ring.registered_files: found true"), "{error}");
        let direct = "[files]\nopen = \"direct\"\n[ring]\niopoll = true\n";
        assert!(parse(direct).is_ok());
        for (text, part) in [
            ("[ring]\niopoll = true", "opened direct"),
            (&format!("{direct}[mix]\nwrites_per_fsync = 1")[..], "fsyncs"),
            (&format!("{direct}[log]"), "a log"),
            (&format!("{direct}[arrival]\npause_ms = 1"), "without pauses"),
            (&format!("{direct}[arrival]\npattern = \"rate\"\nper_s = 10"), "closed loop"),
            ("[workers]\ncpus = [-1]", "workers.cpus: found -1, allowed 0 to"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
