//! One run of one job by one of the two tools, and what it counted.

use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use iowq_contract::{RunMessage, RunRequest, Variant, WantProbes};
use iowq_harness::workload;
use serde_json::{Value, json};

/// What runs a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Fio,
    Iowq,
}

/// A job at a depth.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub name: &'static str,
    pub text: &'static str,
    pub depth: u32,
}

/// What a run counted.
#[derive(Debug)]
pub struct Run {
    pub tool: Tool,
    pub job: &'static str,
    pub depth: u32,
    pub round: u32,
    pub position: usize,
    /// Reads and writes per second; fio counts fsyncs apart, so they are left out of both.
    pub iops: f64,
    /// Fsyncs for each write; zero where nothing is written.
    pub fsyncs_per_write: f64,
    /// All that the tool said.
    pub raw: Value,
}

impl Run {
    /// The run for the file of all runs.
    pub fn json(&self) -> Value {
        json!({
            "tool": format!("{:?}", self.tool).to_lowercase(),
            "job": self.job,
            "depth": self.depth,
            "round": self.round,
            "position": self.position,
            "iops": self.iops,
            "fsyncs_per_write": self.fsyncs_per_write,
            "raw": self.raw,
        })
    }
}

/// The version of fio, where it is installed.
pub fn fio_version() -> Option<String> {
    let output = Command::new("fio").arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a job in a folder that is made for it in `dir` and removed after it.
pub fn run(
    dir: &Path,
    job: &Job,
    tool: Tool,
    round: u32,
    position: usize,
    seconds: u32,
) -> anyhow::Result<Run> {
    let folder = tempfile::Builder::new().prefix("fio-").tempdir_in(dir)?;
    let seed = round + 1;
    let text = format!(
        "{}iodepth={}\nruntime={seconds}\nrandseed={seed}\ndirectory={}\n",
        job.text,
        job.depth,
        folder.path().display()
    );
    let path = folder.path().join(format!("{}.fio", job.name));
    std::fs::write(&path, text)?;
    let mut command = match tool {
        Tool::Fio => fio(&path),
        Tool::Iowq => iowq(&path, folder.path(), seed)?,
    };
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let (iops, fsyncs_per_write, raw) = match tool {
        Tool::Fio => of_fio(&output.stdout),
        Tool::Iowq => of_iowq(&output.stdout),
    }
    .with_context(|| format!("{command:?}"))?;
    let (job, depth) = (job.name, job.depth);
    Ok(Run { tool, job, depth, round, position, iops, fsyncs_per_write, raw })
}

fn fio(job: &Path) -> Command {
    let mut command = Command::new("fio");
    command.arg("--output-format=json").arg(job);
    command
}

fn iowq(job: &Path, dir: &Path, seed: u32) -> anyhow::Result<Command> {
    let path = job.display().to_string();
    let request = RunRequest {
        seed: seed.into(),
        dir: Some(dir.to_owned()),
        // Nothing watches, because nothing watches fio either.
        probes: WantProbes::Off,
        ..RunRequest::new(workload::load(&path)?, Variant::kernel())
    };
    let mut file = tempfile::tempfile()?;
    file.write_all(&serde_json::to_vec(&request)?)?;
    file.rewind()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_iowq-measure"));
    command.arg("run").stdin(file);
    Ok(command)
}

fn of_fio(output: &[u8]) -> anyhow::Result<(f64, f64, Value)> {
    // Notes may come before the JSON.
    let start = output.iter().position(|byte| *byte == b'{').context("no JSON")?;
    let raw: Value = serde_json::from_slice(&output[start..])?;
    let number = |path: &str| raw.pointer(path).and_then(Value::as_f64);
    let errors = number("/jobs/0/error").context("no /jobs/0/error")?;
    if errors != 0.0 {
        bail!("fio had error {errors}");
    }
    let iops = |kind: &str| {
        let path = format!("/jobs/0/{kind}/iops");
        number(&path).with_context(|| format!("no {path}"))
    };
    let iops = iops("read")? + iops("write")?;
    let writes = number("/jobs/0/write/total_ios").unwrap_or_default();
    let fsyncs = number("/jobs/0/sync/total_ios").unwrap_or_default();
    Ok((iops, per(fsyncs, writes), raw))
}

fn of_iowq(output: &[u8]) -> anyhow::Result<(f64, f64, Value)> {
    let messages = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut last = None;
    for line in messages {
        // It comes once more when what was written has been read back; the last one holds.
        if let RunMessage::Record { record } = serde_json::from_slice(line)? {
            last = Some(record);
        }
    }
    let record = last.context("no record")?;
    if record.ops.failed > 0 {
        bail!("{} ops failed: {:?}", record.ops.failed, record.ops.failures);
    }
    let count = |kind: &str| record.latency.service.get(kind).map_or(0.0, |of| of.count as f64);
    let seconds = record.duration_ns as f64 / 1e9;
    let iops = per(count("read") + count("write"), seconds);
    Ok((iops, per(count("fsync"), count("write")), serde_json::to_value(record)?))
}

fn per(number: f64, whole: f64) -> f64 {
    if whole > 0.0 { number / whole } else { 0.0 }
}
