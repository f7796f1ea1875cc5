//! fio's JSON+ as records: a run per reporting group, on the engine `fio`.
//!
//! The policy is `kernel` where fio used io_uring, whose workers follow the running kernel's rules,
//! and `fio` where fio's own threads made the calls. Service time is fio's `lat_ns` where that has
//! bins (`lat_percentiles=1`), else `clat_ns` with the mean of `slat_ns` added to every bin.
//! Response time is the same in a closed loop and absent where fio was given a rate, because fio
//! does not write down when an op was meant to start. Workers were not watched: their counts are
//! null. fio's processor time leaves io-wq's workers out, so that it is null too.
//!
//! Fields: HOWTO of fio 3, "JSON output",
//! <https://fio.readthedocs.io/en/latest/fio_doc.html#json-output>.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use iowq_contract::{
    Blocking, Caveat, Churn, Code, Host, Kinds, Latency, NAME_BYTES_MAX, Ops, Probe, Quantiles,
    Record, Role, RunKey, SCHEMA, Settings, Tier, Workers,
};

use crate::format::clip;
use crate::import::fio_json::{Direction, Job, Output, Times};

/// The value of a field that fio does not write.
const UNKNOWN: &str = "unknown";

/// The longest name that is taken from a job: whatever characters are in it, records may have it.
const NAME_CHARS_MAX: usize = NAME_BYTES_MAX / 4;

/// Digits of a histogram, as in runs of ours.
const SIGNIFICANT_DIGITS: u8 = 3;

/// The runs in a text that fio wrote, each the first of its workload. `workload` is what to call
/// it instead of the job's name.
///
/// # Errors
///
/// A text that is not JSON of fio, jobs that ran side by side and are not reported as a group,
/// several jobs where one name was given, or latencies without bins. The text says what to do.
pub fn records(text: &[u8], workload: Option<&str>) -> Result<Vec<Record>, String> {
    let output: Output = parse(text)?;
    if output.jobs.is_empty() {
        return Err("jobs is empty: fio ran none".to_owned());
    }
    if let (Some(name), true) = (workload, output.jobs.len() > 1) {
        return Err(format!(
            "{} jobs cannot all be the workload {:?}: leave --workload out, and each is called by \
             its own name",
            output.jobs.len(),
            clip(name, NAME_CHARS_MAX)
        ));
    }
    let mut groups = BTreeSet::new();
    let mut records = Vec::new();
    for (at, job) in output.jobs.iter().enumerate() {
        if !groups.insert(job.groupid) {
            return Err(format!(
                "jobs[{at}] ran beside another job of group {}, and a part of a run is not a run: \
                 run fio with --group_reporting, or with stonewall in each job",
                job.groupid
            ));
        }
        let position = u32::try_from(at).unwrap_or(u32::MAX);
        let record = record(&output, job, workload.unwrap_or(&job.jobname), position);
        records.push(record.map_err(|problem| format!("jobs[{at}]: {problem}"))?);
    }
    Ok(records)
}

fn parse(text: &[u8]) -> Result<Output, String> {
    let mut input = serde_json::Deserializer::from_slice(text);
    let output = serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        let hint = "write it with fio --output-format=json+ --output=FILE";
        match (inner.is_syntax() || inner.is_eof(), path.as_str()) {
            (true, _) => format!("not JSON: {inner}: {hint}"),
            (false, ".") => format!("not of fio: {inner}: {hint}"),
            (false, _) => format!("{path}: {inner}"),
        }
    })?;
    let rest = "more follows the first report: run fio without --status-interval";
    input.end().map_err(|_| rest.to_owned())?;
    Ok(output)
}

fn record(output: &Output, job: &Job, workload: &str, position: u32) -> Result<Record, String> {
    let runtime_ms = [&job.read, &job.write, &job.trim].map(|one| one.runtime).into_iter().max();
    let duration_ns = runtime_ms.unwrap_or(0).saturating_mul(1_000_000);
    if duration_ns == 0 {
        return Err("runtime is 0: it read, wrote and trimmed nothing".to_owned());
    }
    let ios = [job.read.total_ios, job.write.total_ios, job.trim.total_ios, job.sync.total_ios];
    let done = ios.into_iter().fold(0, u64::saturating_add);
    let option =
        |name: &str| job.options.get(name).or_else(|| output.global.get(name)).map(String::as_str);
    let rated = RATES.iter().any(|name| option(name).is_some());
    let ioengine = option("ioengine").unwrap_or("psync");
    let service = service(job)?;
    let timed = service.get("all").map_or(0, |all| all.count);
    let ended = done.saturating_add(job.total_err);
    if timed > ended {
        return Err(format!(
            "bins hold {timed} operations, and total_ios and total_err add up to {ended}: import \
             the file as fio wrote it"
        ));
    }
    let name = clip(workload, NAME_CHARS_MAX);
    let failure = || format!("fio ended with error {}", job.error);
    Ok(Record {
        schema: SCHEMA.to_owned(),
        started: started(output, job, duration_ns),
        since_boot: None,
        duration_ns,
        key: RunKey {
            workload: if name.is_empty() { UNKNOWN.to_owned() } else { name },
            engine: "fio".to_owned(),
            policy: if ioengine == "io_uring" { "kernel" } else { "fio" }.to_owned(),
            round: 0,
            position,
            seed: option("randseed").and_then(|seed| seed.parse().ok()).unwrap_or(0),
            role: Role::Measured,
            boot: None,
        },
        settings: settings(output, ioengine, rated, &option).into(),
        asked: None,
        ops: Ops {
            done,
            failed: job.total_err,
            per_s: done as f64 * 1e9 / duration_ns as f64,
            ..Ops::default()
        },
        latency: Latency {
            response: if rated { Kinds::default() } else { service.clone() },
            service,
            queue: Kinds::default(),
        },
        dispatch: Kinds::default(),
        workers: Workers::default(),
        timeline: Vec::new(),
        churn: Churn::default(),
        probe: unwatched(),
        blocking: Blocking::Kernel,
        files: None,
        host: host(output).into(),
        load: None,
        caveats: caveats(job, rated),
        error: (job.error != 0).then(failure),
    })
}

fn unwatched() -> Probe {
    Probe {
        tier: Tier::Off,
        reason: "fio does not watch workers".to_owned(),
        events_seen: 0,
        events_lost: 0,
        lost: BTreeMap::new(),
        switches_missed: 0,
        switches: None,
        unseen: Vec::new(),
    }
}

/// Options with which fio hands ops over at set times, whether or not earlier ones are done.
const RATES: [&str; 4] = ["rate", "rate_iops", "rate_min", "rate_iops_min"];

/// fio writes when a job began since 3.36. Before, it says when the report was written, which is
/// right after the end of the last job.
fn started(output: &Output, job: &Job, duration_ns: u64) -> String {
    let ended = output.timestamp_ms.map(|ms| ms.saturating_sub(duration_ns / 1_000_000));
    let ms = job.job_start.or(ended).and_then(|ms| i64::try_from(ms).ok());
    let at = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| UNKNOWN.to_owned(), |at| at.to_string())
}

fn settings<'a>(
    output: &Output,
    ioengine: &str,
    rated: bool,
    option: &impl Fn(&str) -> Option<&'a str>,
) -> Settings {
    let number = |name: &str| option(name).and_then(|value| value.parse().ok());
    let pattern = option("rw").or_else(|| option("readwrite")).unwrap_or("read");
    let arrival = if rated { "at the rate that fio was given" } else { "closed loop" };
    let version = clip(&output.version, NAME_CHARS_MAX);
    let pattern = clip(pattern, NAME_CHARS_MAX);
    Settings {
        summary: format!("{version}: {pattern} through {}", clip(ioengine, NAME_CHARS_MAX)),
        patches: Vec::new(),
        files: number("nrfiles").unwrap_or(1),
        block_bytes: option("bs").or_else(|| option("blocksize")).and_then(bytes).unwrap_or(4_096),
        depth: number("iodepth").unwrap_or(1),
        limit_bounded: 0,
        limit_unbounded: 0,
        idle_timeout_ms: 0,
        arrival: arrival.to_owned(),
        watched_ms: Some(0),
        cpus: None,
        injected_delay_ns: None,
        injected_delay_percent: None,
        plan: None,
    }
}

/// A size such as `4096`, `4k` or `1M`; `None` for what is not one size, such as a range.
fn bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn host(output: &Output) -> Host {
    let unknown = || UNKNOWN.to_owned();
    // Of several disks fio does not say which one held the files.
    let device = match output.disk_util.as_slice() {
        [only] => clip(&only.name, NAME_CHARS_MAX),
        _ => unknown(),
    };
    Host {
        kernel: unknown(),
        cpu: unknown(),
        cpus: 0,
        memory_bytes: 0,
        filesystem: unknown(),
        mount_options: unknown(),
        device,
        governor: unknown(),
        accelerator: unknown(),
        commit: clip(&output.version, NAME_CHARS_MAX),
        rustc: unknown(),
        profile: unknown(),
    }
}

fn caveats(job: &Job, rated: bool) -> Vec<Caveat> {
    let response = if rated {
        "fio was given a rate and does not write down when an op was meant to start, so that there \
         is no response time"
    } else {
        "response time is service time, as in any closed loop"
    };
    let imported = format!(
        "imported from fio: workers were not watched, the host is as good as unknown, latencies \
         are middles of fio's bins, and {response}"
    );
    let mut caveats = vec![Caveat::new(Code::Imported, imported)];
    let moved = |one: &Direction| one.slat_ns.count > 0 && one.lat_ns.bins.is_empty();
    if [&job.read, &job.write, &job.trim].into_iter().any(moved) {
        let text = "service time is fio's completion latency with the mean of its submission \
                    latency added, so that its quantiles are near and not exact: run fio with \
                    lat_percentiles=1";
        caveats.push(Caveat::new(Code::SlatAdded, text));
    }
    caveats
}

/// Service time by kind of operation, and over all of them.
fn service(job: &Job) -> Result<Kinds<Quantiles>, String> {
    let mut service = Kinds::default();
    let mut all = empty();
    let kinds = [("read", &job.read), ("write", &job.write), ("trim", &job.trim)];
    let mut add = |kind: &str, total: u64, times: &Times, later_ns: u64| {
        if total == 0 {
            return Ok(());
        }
        let histogram =
            histogram(times, later_ns).map_err(|problem| format!("{kind}: {problem}"))?;
        all.add(&histogram).map_err(|error| format!("{kind}: {error}"))?;
        service.insert(kind.to_owned(), Quantiles::of(&histogram));
        Ok::<(), String>(())
    };
    for (kind, one) in kinds {
        if one.lat_ns.bins.is_empty() {
            add(kind, one.total_ios, &one.clat_ns, one.slat_ns.mean.max(0.0) as u64)?;
        } else {
            add(kind, one.total_ios, &one.lat_ns, 0)?;
        }
    }
    add("fsync", job.sync.total_ios, &job.sync.lat_ns, 0)?;
    service.insert("all".to_owned(), Quantiles::of(&all));
    Ok(service)
}

fn empty() -> Histogram<u64> {
    let mut histogram =
        Histogram::new(SIGNIFICANT_DIGITS).expect("3 significant digits are allowed");
    histogram.auto(true);
    histogram
}

/// The bins as a histogram, each value `later_ns` later.
fn histogram(times: &Times, later_ns: u64) -> Result<Histogram<u64>, String> {
    let total = times.bins.values().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    if total.ok_or("bins hold more than can be counted")? == 0 {
        let problem = "no bins of latency: run fio with --output-format=json+ and without \
                       disable_clat or disable_lat";
        return Err(problem.to_owned());
    }
    let mut histogram = empty();
    for (value_ns, count) in &times.bins {
        let value_ns = value_ns.saturating_add(later_ns);
        let recorded = histogram.record_n(value_ns, *count);
        recorded.map_err(|_| format!("bins has {value_ns} ns, which is no latency"))?;
    }
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_latencies_than_operations_are_refused_as_the_loader_would_refuse_them() {
        let text = include_str!("../../tests/fio/fsync.json");
        let mut whole: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        assert!(records(text.as_bytes(), None).is_ok());
        whole["jobs"][0]["write"]["total_ios"] = 1.into();
        let error = records(whole.to_string().as_bytes(), None).expect_err("it was changed");
        assert!(error.contains("total_ios and total_err add up to"), "{error}");
    }
}
