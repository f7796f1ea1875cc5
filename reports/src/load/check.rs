//! Values that are valid JSON and still cannot come from a run.

use iowq_contract::{Quantiles, Record, check_name};

/// Says which field is wrong, what was found and what is allowed.
pub(crate) fn check(record: &Record) -> Result<(), String> {
    let key = &record.key;
    name("key.workload", &key.workload)?;
    name("key.engine", &key.engine)?;
    name("key.policy", &key.policy)?;
    key.set.check().map_err(|problem| format!("key.set: found {problem}"))?;
    not_negative("ops.per_s", record.ops.per_s)?;
    let workers = &record.workers;
    if let Some(per_1000) = workers.created_per_1000_ops {
        not_negative("workers.created_per_1000_ops", per_1000)?;
    }
    if let (Some(born), Some(fill)) = (workers.born_measured, workers.fill_measured)
        && born < fill
    {
        return Err(format!(
            "workers.fill_measured is {fill}: it must not be above born_measured, {born}"
        ));
    }
    if let Some(linger_ms) = workers.linger_ms {
        not_negative("workers.linger_ms", linger_ms)?;
    }
    let latency = &record.latency;
    let clocks = [&latency.response, &latency.service, &latency.queue];
    for (clock, kinds) in ["response", "service", "queue"].iter().zip(clocks) {
        for (kind, quantiles) in kinds.iter() {
            rising(quantiles).map_err(|problem| format!("latency.{clock}.{kind}.{problem}"))?;
        }
    }
    let (births, deaths) = (record.churn.births.len(), record.churn.deaths.len());
    if births != deaths {
        return Err(format!(
            "churn has {births} slices of births and {deaths} of deaths: the numbers must be equal"
        ));
    }
    Ok(())
}

/// A quantile is never below one of a smaller share.
fn rising(quantiles: &Quantiles) -> Result<(), String> {
    let Quantiles { p50_ns, p90_ns, p99_ns, p999_ns, max_ns, .. } = *quantiles;
    let all = [
        ("p50_ns", p50_ns),
        ("p90_ns", p90_ns),
        ("p99_ns", p99_ns),
        ("p999_ns", p999_ns),
        ("max_ns", max_ns),
    ];
    for pair in all.windows(2) {
        if let [(lower, least), (higher, most)] = pair
            && least > most
        {
            return Err(format!("{higher} is {most}: it must not be below {lower}, {least}"));
        }
    }
    Ok(())
}

fn name(field: &str, value: &str) -> Result<(), String> {
    check_name(value).map_err(|problem| format!("{field}: found {problem}"))
}

fn not_negative(field: &str, value: f64) -> Result<(), String> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(format!("{field} is {value}: a number of 0 or more is allowed"))
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    fn complaint(spoil: impl FnOnce(&mut Record)) -> String {
        let mut record = sample::run("nop", "6.12", 0);
        spoil(&mut record);
        check(&record).expect_err("the record was accepted")
    }

    #[test]
    fn a_run_as_it_is_written_is_fine() {
        assert_eq!(check(&sample::run("nop", "6.12", 0)), Ok(()));
    }

    #[test]
    fn numbers_that_no_run_can_have_are_named() {
        assert_eq!(
            complaint(|record| record.ops.per_s = -1.0),
            "ops.per_s is -1: a number of 0 or more is allowed"
        );
        assert!(
            complaint(|record| record.workers.linger_ms = Some(f64::NAN)).contains("linger_ms")
        );
        let falls = complaint(|record| {
            let all = record.latency.response.get_mut("all").expect("all operations are there");
            (all.p90_ns, all.p99_ns) = (9, 5);
            all.p50_ns = 1;
        });
        assert_eq!(falls, "latency.response.all.p99_ns is 5: it must not be below p90_ns, 9");
        let fill = complaint(|record| record.workers.born_measured = Some(1));
        assert!(fill.ends_with("must not be above born_measured, 1"), "{fill}");
        assert!(complaint(|record| record.key.policy = "x".repeat(201)).contains("key.policy"));
        assert!(complaint(|record| record.churn.births.push(1)).contains("equal"));
    }
}
