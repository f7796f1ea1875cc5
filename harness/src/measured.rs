//! The measured child: a run, the first process of a guest, or what a guest has criu dump.
//!
//! A program whose first argument is none of [`crate::child_commands::COMMANDS`] is not one.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::{RunMessage, RunRequest, WantBlocking, WantProbes};
use iowq_pool::policy::Registry;

use crate::child_commands::{CHECK_PROBES, CLOSED_RING, RUN, end_with_parent};
use crate::clock::{self, Nanos};
use crate::sync::{Arc, SignalFlag};
use crate::{closed_ring, guest, run};

/// How often progress is reported, so that the run does not look stuck.
const PROGRESS_PERIOD: Duration = Duration::from_millis(250);

/// Runs the command of these arguments, without the program's name, with these policies available.
pub fn main(arguments: &[OsString], registry: &Registry) -> ExitCode {
    outlive_file_size_limit();
    if guest::is_wanted() {
        guest::run();
    }
    let done = match arguments.first().and_then(|word| word.to_str()) {
        Some(RUN) => run_as_asked(registry),
        Some(CLOSED_RING) => {
            closed_ring::Options::of(&arguments[1..]).and_then(|it| closed_ring::run(&it))
        }
        Some(CHECK_PROBES) => check_probes(&arguments[1..]),
        Some(guest::WORD) => Err(guest::not_wanted()),
        _ => Err(anyhow::anyhow!(
            "this program measures for `iowq`, which starts it: run `iowq bench` instead"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The reader may be gone; the code still says it.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Has a write beyond `ulimit -f` fail with `EFBIG`, as any other failure does: without a handler
/// the signal that comes with it ends the process, and its files stay.
pub fn outlive_file_size_limit() {
    // If no handler can be set, all is as it was.
    let _ =
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(SignalFlag::new(false)));
}

fn check_probes(arguments: &[OsString]) -> anyhow::Result<()> {
    let [text] = arguments else { anyhow::bail!("check-probes takes one argument, as JSON") };
    let (probes, blocking, parent): (WantProbes, Option<WantBlocking>, u32) =
        serde_json::from_slice(text.as_encoded_bytes()).context("the argument of check-probes")?;
    end_with_parent(Some(parent))?;
    run::check_probes(probes, blocking)
}

fn run_as_asked(registry: &Registry) -> anyhow::Result<()> {
    // Started by its descriptor, it has that number for a name.
    let _ = crate::io::name_thread(c"iowq-measure");
    let request: RunRequest =
        serde_json::from_reader(io::stdin().lock()).context("the request on standard input")?;
    end_with_parent(request.parent)?;
    let mut said = Nanos::default();
    run::run(&request, registry, say_ops, &mut |message| {
        if let RunMessage::Progress { .. } = message {
            let now = clock::now();
            if now < said.after(PROGRESS_PERIOD) {
                return Ok(());
            }
            said = now;
        }
        Ok(say(&message)?)
    })
}

/// Says a message as one line, in one write, so that it does not mix with others.
fn say(message: &RunMessage) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

fn say_ops(ops_done: u64) {
    // A closed pipe is no failure of the run.
    let _ = say(&RunMessage::Ops { ops_done });
}
