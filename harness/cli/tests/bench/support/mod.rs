//! What the tests share: a place to run a bench in, how it ended, and what it left.

mod process;
mod user;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use process::{
    Running, children, is_alive, send, send_to_group, wait_for_run, wait_until,
};
pub(crate) use user::{as_user, copy_programs, root_or_skip};

/// The program under test.
pub(crate) const IOWQ: &str = env!("CARGO_BIN_EXE_iowq");

/// The program that it measures with.
pub(crate) const MEASURE: &str = env!("CARGO_BIN_EXE_iowq-measure");

/// Long enough for anything that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A workload that is over in a moment. No worker leaves before the end, and so none is missed by
/// the census, however slow the machine is.
pub(crate) const TINY: &str = r#"
summary = "Writes and fsyncs on two small files."
[files]
count = 2
size_mib = 1
[mix]
writes_per_fsync = 4
[ring]
depth = 8
[workers]
bounded = 8
unbounded = 8
idle_timeout_ms = 2000
[run]
seconds = 0.2
"#;

/// A folder with the spec `tiny.toml`, a folder `files` for `--dir`, and room for `--out`.
pub(crate) struct Place {
    home: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { home: tempfile::tempdir().expect("a folder") };
        place.write("tiny.toml", TINY);
        fs::create_dir(place.dir()).expect("a folder for the files");
        place
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home().join("files")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.home().join("out")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.home().join(name), text).expect("a file");
    }

    /// `iowq bench` with these arguments, at home in this place. What is named twice counts as
    /// named the second time for no flag but those that add up, so `--dir` and `--out` are only
    /// added where they are not named.
    pub(crate) fn bench(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(IOWQ);
        command.arg("bench").args(arguments).current_dir(self.home());
        for (flag, value) in [("--dir", "files"), ("--out", "out")] {
            if !arguments.contains(&flag) {
                command.args([flag, value]);
            }
        }
        command
    }

    /// The records so far, each of them valid and of a version that is known.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.out().join("record.jsonl")).expect("a record");
        let records = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        records.inspect(assert_valid).collect()
    }

    /// Nothing but what was there before is in the folder for files.
    pub(crate) fn assert_dir_is_empty(&self) {
        assert_eq!(names(&self.dir()), Vec::<String>::new());
    }

    /// The bench left no results either, not even a folder for them.
    pub(crate) fn assert_untouched(&self) {
        self.assert_dir_is_empty();
        assert!(!self.out().exists(), "found {:?}", names(&self.out()));
    }
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect();
    names.sort();
    names
}

fn assert_valid(record: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract/schema/run-2.json");
    let schema = fs::read_to_string(path).expect("the published schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    if let Err(error) = validator.validate(record) {
        panic!("{error}, in {record}");
    }
    assert_eq!(record["schema"], "iowq-lab/run/2");
}

/// What a process said on standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that a process ended as it does in trouble, and said this and nothing else.
pub(crate) fn assert_refused(output: &Output, message: &str) {
    assert_eq!(stderr(output), format!("error: {message}\n"));
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

/// The codes of a record's caveats.
pub(crate) fn caveats(record: &Value) -> Vec<&str> {
    let caveats = record["caveats"].as_array().expect("a list");
    caveats.iter().map(|caveat| caveat["code"].as_str().expect("a code")).collect()
}

/// Says that a test was skipped, straight to the descriptor: the test harness swallows `eprintln!`.
pub(crate) fn skipped(test: &str, reason: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}
