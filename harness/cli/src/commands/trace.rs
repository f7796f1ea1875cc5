//! `trace`: who makes io-wq workers, of what is running on this machine.

mod outputs;

use std::fs::File;
use std::io::{BufWriter, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::Tier;
use iowq_contract::trace::{TraceLine, TraceStart};
use iowq_contract::{hand_over, is_stream, jsonl, write_new, write_whole};
use iowq_harness::{clock, sync::thread};
use iowq_trace::text::{Lines, summary};
use iowq_trace::{
    Limits, OpenMetrics, Perfetto, Reader, Run, Screen, Server, Sink, Story, Tracer, run as trace,
    to_spec,
};

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::trace::TraceFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::{note, print, print_json};
use crate::stop;

/// How often a command that is to end is looked at.
const END_STEP: Duration = Duration::from_millis(20);
/// How long it may take before that is said.
const END_QUIET: Duration = Duration::from_secs(2);

/// Runs the command.
pub(crate) fn run(flags: &TraceFlags, verbosity: Verbosity) -> anyhow::Result<Exit> {
    outputs::check(flags)?;
    flags.target().check()?;
    let stop = stop::flag()?;
    let mut tracer = Tracer::start_by(flags.tier(), flags.target(), flags.perfetto.is_some())?;
    let mut record = flags.record.is_some().then(Run::default);
    let mut timeline = flags.perfetto.as_deref().map(create).transpose()?.map(Perfetto::new);
    let mut metrics = flags.openmetrics().map(|address| serve(&address)).transpose()?;
    let mut printer: Box<dyn Sink> = match flags.format {
        Format::Json => Box::new(Json),
        Format::Text => Box::new(Text::new(shown(flags, verbosity)?, !verbosity.quiet)),
    };
    let mut command = start(flags, &mut tracer)?;
    let mut limits = Limits {
        interval: Duration::from_secs_f64(flags.interval),
        time_max: flags.seconds.map(Duration::from_secs_f64),
        stop: &stop,
        command_ended: &mut || {
            command.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
        },
    };
    let mut story = Keep::default();
    let mut reader = flags.is_only_printed().then(|| Reader::of(stdout())).transpose()?;
    let mut sinks: Vec<&mut dyn Sink> = vec![&mut *printer, &mut story];
    if let Some(reader) = &mut reader {
        sinks.push(reader);
    }
    if let Some(record) = &mut record {
        sinks.push(record);
    }
    if let Some(metrics) = &mut metrics {
        sinks.push(metrics);
    }
    if let Some(timeline) = &mut timeline {
        sinks.push(timeline);
    }
    let traced = trace(&mut tracer, &mut limits, &mut sinks);
    if let Some(mut child) = command {
        end(&mut child, &stop);
    }
    // What was seen is kept, also if it could not be printed.
    let written = write(flags, record.as_ref(), &story.0);
    traced.and(written)
}

/// Writes what is written at the end.
fn write(flags: &TraceFlags, record: Option<&Run>, story: &Story) -> anyhow::Result<Exit> {
    if let (Some(path), Some(record)) = (&flags.record, record.and_then(Run::record)) {
        write_new(path, &jsonl::line(&record)?)
            .with_context(|| format!("cannot write the run {}", path.display()))?;
    }
    match &flags.to_spec {
        Some(path) => write_spec(path, story),
        None => Ok(Exit::Fine),
    }
}

/// Serves counters, and says where.
fn serve(address: &str) -> anyhow::Result<OpenMetrics> {
    let server = Server::open(address)
        .with_context(|| format!("cannot serve counters at {address}, which is to be HOST:PORT"))?;
    note(&format!("counters at http://{}/metrics", server.address()));
    Ok(OpenMetrics::new(server))
}

/// Writes the workload that is nearest.
fn write_spec(path: &Path, story: &Story) -> anyhow::Result<Exit> {
    let Some(spec) = to_spec(&story.last) else {
        let polled = story.start.as_ref().is_some_and(|start| start.tier == Tier::Proc);
        note(if polled {
            "error: no workload can be told from /proc, which shows no requests: see --tier"
        } else {
            "error: no process wrote, read or synced anything that a workload can say"
        });
        return Ok(Exit::Trouble);
    };
    write_whole(path, spec.as_bytes())
        .with_context(|| format!("cannot write the workload {}", path.display()))?;
    Ok(Exit::Fine)
}

/// Keeps what the workload is drawn from.
#[derive(Default)]
struct Keep(Story);

impl Sink for Keep {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        self.0.take(line);
        Ok(())
    }
}

/// Says at the start by what less than BPF it is watched, and why.
fn say_tier(start: &TraceStart) {
    if start.tier != Tier::Bpf {
        let tier = match start.tier {
            Tier::Tracefs => "tracefs (a record for each event, no files)",
            _ => "proc (births at least, no requests)",
        };
        note(&format!("tier {tier} and not bpf: {}", start.reason));
    }
}

/// Starts the command, which is traced from its first instruction: it is a child of this process,
/// and children of what is traced are traced.
fn start(flags: &TraceFlags, tracer: &mut Tracer) -> anyhow::Result<Option<Child>> {
    let Some((program, arguments)) = flags.command.split_first() else { return Ok(None) };
    tracer.trace(std::process::id())?;
    let child = Command::new(program).args(arguments).spawn();
    tracer.leave(std::process::id());
    let child = child.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Some(child))
}

/// Ends a command that goes on when the trace does not. It may take its time, until another signal.
fn end(child: &mut Child, stop: &AtomicBool) {
    match child.try_wait() {
        Ok(None) => {}
        Ok(Some(status)) if !status.success() => {
            return note(&format!("the command ended with {status}"));
        }
        _ => return,
    }
    iowq_trace::terminate(child.id());
    stop.store(false, Ordering::Relaxed);
    let said_at = clock::now().after(END_QUIET);
    let mut said = false;
    while matches!(child.try_wait(), Ok(None)) {
        if stop.load(Ordering::Relaxed) {
            // It may be gone already.
            let _ = child.kill().and_then(|()| child.wait());
            return;
        }
        if !said && clock::now() >= said_at {
            said = true;
            let pid = child.id();
            note(&format!("the command, process {pid}, was asked to end and goes on: ^C kills it"));
        }
        thread::sleep(END_STEP);
    }
}

/// What is to be seen before the summary.
fn shown(flags: &TraceFlags, verbosity: Verbosity) -> anyhow::Result<Shown> {
    if flags.seconds.is_some() || verbosity.quiet {
        return Ok(Shown::Nothing);
    }
    // A command has the terminal to itself: it may print, and read keys.
    if flags.plain || !flags.command.is_empty() || !Screen::is_possible() {
        return Ok(Shown::Lines(Lines::default()));
    }
    Ok(Shown::Screen(Box::new(Screen::open()?)))
}

/// What is seen of a trace while it goes on.
enum Shown {
    Nothing,
    Lines(Lines),
    Screen(Box<Screen>),
}

/// Shows what happens, and prints a summary at the end.
struct Text {
    story: Story,
    shown: Shown,
    with_summary: bool,
}

impl Text {
    fn new(shown: Shown, with_summary: bool) -> Text {
        Text { story: Story::default(), shown, with_summary }
    }
}

impl Sink for Text {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        self.story.take(line);
        if let TraceLine::Start(start) = line {
            begin(start, &mut self.shown);
        }
        match (line, &mut self.shown) {
            (TraceLine::Snapshot(snapshot), Shown::Lines(lines)) => print(&lines.of(snapshot))?,
            (_, Shown::Screen(screen)) => screen.take(line)?,
            _ => {}
        }
        match line {
            TraceLine::End(end) if self.with_summary => print(&summary(&self.story, &end.findings)),
            _ => Ok(()),
        }
    }

    fn wait(&mut self, time: Duration) -> anyhow::Result<ControlFlow<()>> {
        match &mut self.shown {
            Shown::Screen(screen) => screen.wait(time),
            _ => Ok(ControlFlow::Continue(())),
        }
    }
}

/// How the trace is watched is said before anything else; the screen says it by itself.
fn begin(start: &TraceStart, shown: &mut Shown) {
    match shown {
        Shown::Screen(_) => return,
        Shown::Lines(lines) => lines.begin(start),
        Shown::Nothing => {}
    }
    say_tier(start);
}

/// Prints all lines as JSON.
struct Json;

impl Sink for Json {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        print_json(line)
    }
}

/// A new file; one that exists is kept, and a pipe or a terminal is written into.
fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let opened = if is_stream(path) {
        File::options().write(true).open(path)
    } else {
        File::create_new(path).inspect(hand_over)
    };
    let file = opened.with_context(|| format!("cannot create {}", path.display()))?;
    Ok(BufWriter::new(file))
}
