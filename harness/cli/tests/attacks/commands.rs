//! Commands that write files, with what they write if nothing stands in their way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use iowq_sample as sample;
use rustix::process::Signal;

use crate::checks::MARK;
use crate::support::{IOWQ, Place, Running, send, send_to_group, stderr};

/// What fio wrote.
const FIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/tests/fio/fsync.json");
const FIO_RING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/tests/fio/io_uring.json");

/// A spec that is over in a moment.
const TINY: &str = "[files]\ncount = 2\nsize_mib = 1\n[ring]\ndepth = 8\n[workers]\n\
                    idle_timeout_ms = 50\n[run]\nseconds = 0.1\n";

/// Runs of [`bench`].
pub(crate) const RUNS: usize = 4;

/// A command, up to where it writes to.
pub(crate) struct Writer {
    pub(crate) arguments: &'static [&'static str],
    /// The file in the folder for the output; the folder itself if it is empty.
    file: &'static str,
}

const fn writer(arguments: &'static [&'static str], file: &'static str) -> Writer {
    Writer { arguments, file }
}

/// The commands that write, but for those that measure.
pub(crate) const WRITERS: [Writer; 9] = [
    writer(&["report", "record.jsonl"], ""),
    writer(&["report", "record.jsonl", "--workload", "dsync"], ""),
    writer(&["compare", "record.jsonl@6.12", "record.jsonl@6.17"], ""),
    writer(&["compare", "record.jsonl@6.12", "record.jsonl@6.17", "--workload", "dsync"], ""),
    writer(&["export", "record.jsonl", "--format", "openmetrics"], "export"),
    writer(&["export", "record.jsonl", "--format", "hlog", "--workload", "dsync"], "export"),
    writer(&["import", "--fio", FIO], "import"),
    writer(&["import", "--fio", FIO, "--fio", FIO_RING], "import"),
    writer(&["man"], ""),
];

/// Contents by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What each of the writers writes.
static WRITTEN: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let of = |writer: &Writer| {
        let place = place_with_record();
        fs::create_dir(place.out()).expect("a folder");
        let output = writer.command(&place, "out").output().expect("it runs");
        assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
        files(&place.out())
    };
    WRITERS.iter().map(of).collect()
});

impl Writer {
    /// The command that writes into this folder.
    pub(crate) fn command(&self, place: &Place, folder: &str) -> Command {
        let mut command = iowq(place, self.arguments);
        command.arg("--out").arg(Path::new(folder).join(self.file));
        command
    }

    /// What it writes.
    pub(crate) fn written(&self) -> &'static Files {
        let number = WRITERS.iter().position(|one| one.arguments == self.arguments);
        &WRITTEN[number.expect("one of them")]
    }

    /// Whether it never writes over a file.
    pub(crate) fn keeps(&self) -> bool {
        self.arguments[0] == "import"
    }
}

/// The files of a folder that are not temporary.
pub(crate) fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().display().to_string());
    let names = names.filter(|name| !name.starts_with(".iowq-"));
    names.map(|name| (name.clone(), fs::read(folder.join(name)).expect("a file"))).collect()
}

/// A place with a record of a bench in it.
pub(crate) fn place_with_record() -> Place {
    static LINES: LazyLock<String> = LazyLock::new(|| sample::lines(&sample::bench(1)));
    let place = Place::new();
    place.write("record.jsonl", &LINES);
    place
}

/// A command in a place, whose processes can be found by it.
pub(crate) fn iowq(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(IOWQ);
    command.args(arguments).current_dir(place.home()).env(MARK, place.home());
    command
}

/// A bench of two policies and two rounds, of a tenth of a second each.
pub(crate) fn bench(place: &Place, more: &[&str]) -> Command {
    place.write("tiny.toml", TINY);
    let fixed = ["--workload", "tiny.toml", "--policy", "6.17", "--policy", "6.12", "--pairs", "2"];
    let mut command = place.bench(&[&fixed[..], more].concat());
    command.env(MARK, place.home());
    command
}

/// A signal, to the process or to all of its group, as a terminal sends it.
pub(crate) fn signal(running: &Running, signal: Signal, group: bool) {
    if group {
        send_to_group(running.id(), signal);
    } else {
        send(running.id(), signal);
    }
}

/// A command to its end.
pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("it runs")
}
