//! A target for `iowq trace` that knows what it did: `trace_actor MODE FOLDER [NUMBER…]`.
//!
//! It does what [`MODES`] say, writes that as JSON to `FOLDER/report.json`, and stays as it is until
//! its standard input ends, so that it can be compared with what a trace saw.

mod churn;
mod done;
mod processes;
mod report;
mod ring;
mod rings;

use std::env;
use std::io::{self, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// Where it works, and its numbers.
struct Task {
    folder: PathBuf,
    numbers: Vec<u64>,
}

impl Task {
    fn number(&self, nth: usize) -> anyhow::Result<u64> {
        self.numbers.get(nth).copied().with_context(|| format!("number {} is missing", nth + 1))
    }
}

/// Does what a mode says.
type Mode = fn(&Task) -> anyhow::Result<()>;

/// The modes: name, numbers, what it does.
const MODES: [(&str, &str, Mode); 10] = [
    ("writes", "FILES WRITES: forced writes, eight in flight", rings::writes),
    (
        "rings",
        "RINGS OPENS: one ring after the other, each with forced opens that wait",
        rings::rings,
    ),
    ("sockets", "SOCKETS: a forced receive on each, answered when all wait", rings::sockets),
    ("processes", "PROCESSES RINGS NOPS: all rings open at one time", processes::many),
    ("exec", "OPENS: becomes another program while they wait", processes::exec),
    ("exec-done", "NOPS: the other program", processes::exec_done),
    ("fork", "NOPS: a child submits through the ring of its parent", processes::fork),
    ("exit", "OPENS: a child ends while they wait", processes::exit),
    ("reuse", "NOPS: two processes of one number, one after the other", processes::reuse),
    ("churn", "SECONDS RINGS: processes that open and close rings, as many as go", churn::churn),
];

fn main() -> anyhow::Result<()> {
    let mut words = env::args().skip(1);
    let (mode, folder) = (words.next().unwrap_or_default(), words.next());
    let known = MODES.iter().find(|(name, ..)| *name == mode);
    let (Some((.., mode)), Some(folder)) = (known, folder) else {
        let modes = MODES.iter().map(|(name, says, _)| format!("  {name} FOLDER {says}\n"));
        bail!("usage: trace_actor MODE FOLDER [NUMBER…]\n{}", modes.collect::<String>());
    };
    let numbers = words.map(|word| word.parse().context(format!("{word} is no number")));
    mode(&Task { folder: folder.into(), numbers: numbers.collect::<anyhow::Result<_>>()? })
}

/// Returns when standard input has ended.
fn stay() -> anyhow::Result<()> {
    io::stdin().lock().read_to_end(&mut Vec::new()).context("standard input")?;
    Ok(())
}
