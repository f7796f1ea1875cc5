//! `trace`: who makes io-wq workers, of what is running on this machine.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::trace::TraceLine;
use iowq_trace::text::{Lines, summary};
use iowq_trace::{Limits, Screen, Sink, Story, Tracer, run as trace};

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::trace::TraceFlags;
use crate::flags::verbosity::Verbosity;
use crate::print::{print, print_json};
use crate::stop;

/// Runs the command.
pub(crate) fn run(flags: &TraceFlags, verbosity: Verbosity) -> anyhow::Result<Exit> {
    let stop = stop::flag()?;
    let mut tracer = Tracer::start(flags.target())?;
    let mut record = flags.record.as_ref().map(|path| Record::create(path)).transpose()?;
    let mut printer: Box<dyn Sink> = match flags.format {
        Format::Json => Box::new(Json),
        Format::Text => Box::new(Text::new(shown(flags, verbosity)?)),
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
    let mut sinks: Vec<&mut dyn Sink> = vec![&mut *printer];
    if let Some(record) = &mut record {
        sinks.push(record);
    }
    let traced = trace(&mut tracer, &mut limits, &mut sinks);
    if let Some(mut child) = command {
        end(&mut child);
    }
    traced?;
    Ok(Exit::Fine)
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

/// Ends a command that goes on when the trace does not.
fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        iowq_trace::terminate(child.id());
        // It may take its time.
        let _ = child.wait();
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
}

impl Text {
    fn new(shown: Shown) -> Text {
        Text { story: Story::default(), shown }
    }
}

impl Sink for Text {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        self.story.take(line);
        match (line, &mut self.shown) {
            (TraceLine::Snapshot(snapshot), Shown::Lines(lines)) => print(&lines.of(snapshot))?,
            (_, Shown::Screen(screen)) => screen.take(line)?,
            _ => {}
        }
        match line {
            TraceLine::End(end) => print(&summary(&self.story, &end.findings)),
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

/// Prints all lines as JSON.
struct Json;

impl Sink for Json {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        print_json(line)
    }
}

/// Writes all lines to a file.
struct Record(BufWriter<File>);

impl Record {
    fn create(path: &std::path::Path) -> anyhow::Result<Record> {
        let file = File::create_new(path)
            .with_context(|| format!("cannot create the trace {}", path.display()))?;
        Ok(Record(BufWriter::new(file)))
    }
}

impl Sink for Record {
    fn take(&mut self, line: &TraceLine) -> anyhow::Result<()> {
        let written = serde_json::to_writer(&mut self.0, line).map_err(Into::into);
        written.and_then(|()| self.0.write_all(b"\n")).context("cannot write the trace")?;
        // What a snapshot says is there when it is over, whatever ends this process.
        match line {
            TraceLine::Snapshot(_) | TraceLine::End(_) => {
                self.0.flush().context("cannot write the trace")
            }
            _ => Ok(()),
        }
    }
}
