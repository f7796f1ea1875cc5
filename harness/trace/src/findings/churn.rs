//! Rule: workers are born in place of others that left, for work that idle ones could have done.

use iowq_contract::trace::TraceProcess;

use super::{Context, Said};

/// Fewer births than this beyond the most that were alive at one time are no pattern.
const REPLACED_MIN: u64 = 20;
/// And fewer than this for each thousand requests. Kernels without the commits make 80 to 150, those
/// with them 1 to 2.
const PER_1000_MIN: f64 = 5.0;
/// A share of requests from which on one kind is what the process does.
const MOST: f64 = 0.9;

pub(super) fn rule(process: &TraceProcess, context: &Context) -> Option<Said> {
    let replaced = process.born.saturating_sub(process.peak.into());
    let queued: u64 = process.ops.iter().map(|op| op.queued).sum();
    let per_1000 = process.born as f64 * 1000.0 / queued.max(1) as f64;
    // What comes and goes with rings is another rule's.
    let by_rings = process.rings_opened > 1 && process.born <= process.rings_opened * 16;
    if replaced < REPLACED_MIN || per_1000 < PER_1000_MIN || by_rings {
        return None;
    }
    let hashed: u64 = process.ops.iter().map(|op| op.hashed).sum();
    if context.is_lower_bound {
        return Some(polled(process, context));
    }
    let idle = match process.samples {
        0 => String::new(),
        samples => format!(
            " while {:.0} % of the workers' time was idle",
            100.0 * process.samples_idle as f64 / samples as f64
        ),
    };
    let statement = format!(
        "{} workers were born in {:.1} s, {per_1000:.0} for each 1,000 requests, and at most {} were \
         alive at one time{idle}",
        process.born,
        context.seconds(),
        process.peak
    );
    let (cause, remedy) = advice(context.release, hashed as f64 >= MOST * queued as f64);
    Some(Said { statement, cause, remedy })
}

/// What can be said if requests are not seen.
fn polled(process: &TraceProcess, context: &Context) -> Said {
    Said {
        statement: format!(
            "at least {} workers were born in {:.1} s, and {} were seen at one time",
            process.born,
            context.seconds(),
            process.peak
        ),
        cause: "for which requests /proc does not tell: workers come and go with rings that are opened \
                and closed, with pauses longer than the idle timeout of 5 s, and before Linux 6.17 \
                (9d83e1f05c98) in place of others that idle",
        remedy: "trace it by BPF programs, or by tracepoints at least, for the requests and a remedy",
    }
}

/// By what the kernel lacks. A kernel may have commits of later releases, and then does not churn.
fn advice(release: [u32; 3], only_hashed: bool) -> (&'static str, &'static str) {
    if release >= [6, 16, 9] {
        return (
            "this kernel has all commits that are known to help, so the load itself comes and goes, \
             with pauses as long as the idle timeout of 5 s",
            "a lower limit by IORING_REGISTER_IOWQ_MAX_WORKERS bounds what can come and go",
        );
    }
    if only_hashed {
        return (
            "nearly all requests are hashed writes, and a worker that goes to sleep over one makes \
             another although it could not run; this kernel lacks 8343cae362e1 and 0b2b066f8a85, and \
             9d83e1f05c98",
            "Linux 6.16 has the first two, 6.17 all; until then a limit by \
             IORING_REGISTER_IOWQ_MAX_WORKERS bounds it",
        );
    }
    (
        "a worker is created when one goes to sleep, without a look for a free one; this kernel lacks \
         9d83e1f05c98 (with cd4ea81be3eb)",
        "Linux 6.17 and 6.16.9 have it; until then a limit by IORING_REGISTER_IOWQ_MAX_WORKERS bounds \
         it",
    )
}

#[cfg(test)]
mod tests {
    use iowq_contract::trace::TraceOp;

    use super::*;

    fn process(born: u64, peak: u32, queued: u64, hashed: u64) -> TraceProcess {
        let op = TraceOp { op: "WRITE".into(), queued, hashed, ..TraceOp::default() };
        TraceProcess { born, peak, ops: vec![op], ..TraceProcess::default() }
    }

    fn cause(process: &TraceProcess, release: [u32; 3]) -> Option<&'static str> {
        let said = rule(process, &Context { at_ns: 3_000_000_000, release, ..Context::default() });
        said.map(|said| said.cause)
    }

    #[test]
    fn births_in_place_of_idle_workers_name_the_commit_that_is_missing() {
        let mixed = process(400, 64, 4000, 3000);
        assert!(cause(&mixed, [6, 12, 117]).is_some_and(|it| it.contains("lacks 9d83e1f05c98")));
        let hashed = process(400, 64, 4000, 4000);
        assert!(cause(&hashed, [6, 12, 117]).is_some_and(|it| it.contains("8343cae362e1")));
        assert!(cause(&mixed, [6, 18, 44]).is_some_and(|it| it.contains("has all commits")));
    }

    #[test]
    fn a_first_fill_and_few_births_are_no_churn() {
        assert_eq!(cause(&process(64, 64, 4000, 0), [6, 12, 0]), None);
        assert_eq!(cause(&process(90, 64, 100_000, 0), [6, 12, 0]), None);
    }

    #[test]
    fn births_that_were_polled_are_told_as_at_least_so_many_and_blame_no_commit() {
        let context = Context { is_lower_bound: true, ..Context::default() };
        let process = TraceProcess { born: 400, peak: 64, ..TraceProcess::default() };
        let said = rule(&process, &context).expect("they come and go");
        assert!(said.statement.starts_with("at least 400 workers"), "{}", said.statement);
        assert!(!said.statement.contains("1,000 requests") && !said.cause.contains("lacks"));
    }

    #[test]
    fn births_for_new_rings_are_no_churn() {
        let rings = TraceProcess { rings_opened: 60, ..process(120, 2, 480, 0) };
        assert_eq!(cause(&rings, [6, 18, 44]), None);
    }
}
