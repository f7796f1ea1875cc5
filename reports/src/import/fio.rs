//! fio's JSON and JSON+ as records: a run per job or reporting group, on the engine `fio`.
//!
//! The policy is `kernel` if fio used io_uring, whose workers follow the running kernel's rules,
//! and `fio` if fio's own threads made the calls. Service time is fio's `lat_ns` if that has
//! bins or percentiles (`lat_percentiles=1`), else `clat_ns` with the mean of `slat_ns` added to
//! every value. Plain JSON has percentiles alone, of which there are none over several kinds of
//! operations. Response time is the same in a closed loop and absent if fio was given a rate, because
//! fio does not write down when an op was meant to start. Workers were not watched, and fio's
//! processor time leaves io-wq's workers out: both are absent.
//!
//! Fields: HOWTO of fio 3, "JSON output",
//! <https://fio.readthedocs.io/en/latest/fio_doc.html#json-output>; what 3.28 to 3.42 write is taken.

mod around;
mod caveats;
mod json;
mod latency;
mod options;

use std::collections::BTreeMap;

use iowq_contract::{Host, Kinds, Latency, Ops, Record, RunKey};

use crate::format::clip;
use crate::import::fio::around::Found;
use crate::import::fio::caveats::Circumstances;
use crate::import::fio::json::{Job, Output};
use crate::import::fio::options::Options;
use crate::import::{Import, blank, names};

/// The releases before this one write µs under other names.
const MAJOR_MIN: u64 = 3;

/// The runs in a text that fio wrote, each the first of its workload. `workload` is what to call
/// it instead of the job's name.
///
/// # Errors
///
/// A text without a report of fio or with several, a report of which no job did anything, or several
/// jobs if one name was given. The text says what to do.
pub fn records(text: &[u8], workload: Option<&str>) -> Result<Import, String> {
    let found = around::find(text)?;
    let jobs = jobs(&found.output)?;
    if let (Some(name), true) = (workload, jobs.len() > 1) {
        return Err(format!(
            "{} jobs cannot all be the workload {:?}: leave --workload out, and each is called by \
             its own name",
            jobs.len(),
            blank::name(name)
        ));
    }
    let mut groups: BTreeMap<u64, usize> = BTreeMap::new();
    jobs.iter().for_each(|job| *groups.entry(job.groupid).or_default() += 1);
    let (names, notes) = names::of(jobs.iter().map(|job| workload.unwrap_or(&job.jobname)), "jobs");
    let mut import = Import { records: Vec::new(), notes: Vec::new() };
    import.notes.extend(found.note.clone().into_iter().chain(notes));
    for ((at, job), name) in (0_u32..).zip(jobs).zip(names) {
        let beside = groups.get(&job.groupid).map_or(0, |count| count - 1);
        let record = record(&found, job, beside).map_err(|it| format!("jobs[{at}]: {it}"))?;
        let key = RunKey { workload: name, position: at, ..record.key };
        import.records.push(Record { key, ..record });
    }
    if import.records.iter().all(|record| record.duration_ns == 0) {
        let why = import.records.iter().find_map(|record| record.error.as_deref());
        return Err(format!("jobs[0]: {}", why.unwrap_or(IDLE)));
    }
    Ok(import)
}

fn jobs(output: &Output) -> Result<&[Job], String> {
    let major = output.version.strip_prefix("fio-").and_then(|it| it.split('.').next());
    if major.and_then(|major| major.parse().ok()).is_some_and(|major: u64| major < MAJOR_MIN) {
        let version = clip(&output.version, blank::NAME_CHARS_MAX);
        return Err(format!("{version} writes other fields than fio 3: run fio 3"));
    }
    match (&output.jobs, output.client_stats.is_some()) {
        (Some(jobs), _) if !jobs.is_empty() => Ok(jobs),
        (Some(_), _) => Err("jobs is empty: fio ran none".to_owned()),
        (None, true) => Err("fio measured on other machines, and client_stats has no host that a \
                             record could name: run fio without --client"
            .to_owned()),
        (None, false) => Err("not of fio: missing field `jobs`: write it with fio \
                              --output-format=json+ --output=FILE"
            .to_owned()),
    }
}

/// Why a run without a length is invalid, if fio has no error for it.
const IDLE: &str = "runtime is 0: it read, wrote and trimmed nothing";

fn record(found: &Found, job: &Job, beside: usize) -> Result<Record, String> {
    let (output, options) = (&found.output, Options::of(&found.output, job));
    let unified = latency::is_unified(job);
    let mixed = job.mixed.as_ref().filter(|_| unified);
    let data = [&job.read, &job.write, &job.trim].into_iter().chain(mixed);
    let duration_ns = job.runtime_ms().saturating_mul(1_000_000);
    let ios = data.map(|one| one.total_ios).chain([job.sync.total_ios]);
    // Those that failed are among them.
    let (ended, failed) = (ios.fold(0, u64::saturating_add), job.total_err.unwrap_or(0));
    let (done, failed) = (ended.saturating_sub(failed), failed.min(ended));
    let service = latency::service(job)?;
    if service.timed > ended {
        return Err(format!(
            "{} operations were timed, and total_ios add up to {ended}: import the file as fio \
             wrote it",
            service.timed
        ));
    }
    let circumstances = Circumstances {
        rated: options.is_rated(),
        group: options.is_group(),
        unified,
        beside,
        signal: found.signal,
    };
    let policy = if options.engine() == "io_uring" { "kernel" } else { "fio" };
    let blank = blank::record("fio", policy);
    let seconds = duration_ns as f64 / 1e9;
    Ok(Record {
        started: started(output, job, duration_ns),
        duration_ns,
        key: RunKey { seed: options.seed().unwrap_or(0), ..blank.key },
        settings: options.settings().into(),
        ops: Ops {
            done,
            failed,
            per_s: if duration_ns == 0 { 0.0 } else { done as f64 / seconds },
            ..Ops::default()
        },
        caveats: caveats::of(&service, &circumstances),
        latency: Latency {
            response: if circumstances.rated { Kinds::default() } else { service.kinds.clone() },
            service: service.kinds,
            queue: Kinds::default(),
        },
        host: Host {
            device: device(output),
            commit: clip(&output.version, blank::NAME_CHARS_MAX),
            ..blank::host()
        }
        .into(),
        error: error(job, found.signal),
        ..blank
    })
}

/// Why a job failed. With `continue_on_error` the number is that of operations which did not end it.
fn error(job: &Job, signal: Option<u32>) -> Option<String> {
    let idle = job.runtime_ms() == 0;
    let went_on =
        job.total_err.is_some_and(|count| count > 0) && job.first_error == Some(job.error);
    if job.error != 0 && (idle || !went_on) {
        let number = i32::try_from(job.error.unsigned_abs()).unwrap_or(i32::MAX);
        let said = std::io::Error::from_raw_os_error(number);
        return Some(format!("fio ended with error {}: {said}", job.error));
    }
    let early = signal.map(|signal| format!("signal {signal} ended fio before it did anything"));
    idle.then(|| early.unwrap_or_else(|| IDLE.to_owned()))
}

/// fio writes when a job began since 3.36. Before, it says when the report was written, which is
/// right after the end of the last group of jobs.
fn started(output: &Output, job: &Job, duration_ns: u64) -> String {
    let last = output.jobs.iter().flatten().map(|job| job.groupid).max();
    let written = output.timestamp_ms.or(output.timestamp.and_then(|s| s.checked_mul(1_000)));
    let written = written.filter(|_| last == Some(job.groupid) && duration_ns > 0);
    let began = written.map(|ms| ms.saturating_sub(duration_ns / 1_000_000));
    let ms = job.job_start.filter(|ms| *ms > 0).or(began).and_then(|ms| i64::try_from(ms).ok());
    let at = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| blank::UNKNOWN.to_owned(), |at| at.to_string())
}

/// Of several disks fio does not say which one held the files.
fn device(output: &Output) -> String {
    match output.disk_util.as_slice() {
        [only] => clip(&only.name, blank::NAME_CHARS_MAX),
        _ => blank::UNKNOWN.to_owned(),
    }
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
        assert!(error.contains("total_ios add up to"), "{error}");
    }
}
