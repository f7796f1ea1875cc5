//! One call of `iowq bench` as a child of the first process, each record sent on as it comes.

use std::fs::File;
use std::io::{
    self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use iowq_contract::Record;
use iowq_contract::guest::{Bench, Message};
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use super::say::Say;
use super::stamp::Stamp;
use crate::command::bench;
use crate::sync::thread;

/// How often the record file is looked at: often enough for the host, seldom enough to take
/// nothing from what is measured.
const LOOK: Duration = Duration::from_millis(50);

/// A call of `iowq bench`.
pub(super) struct Call<'a> {
    number: u32,
    bench: &'a Bench,
    /// The whole command line without the program.
    command: Vec<String>,
    time_max: Duration,
}

impl<'a> Call<'a> {
    /// The call of that number, with its files under test in this folder.
    ///
    /// # Errors
    /// Where the flags are wrong.
    pub(super) fn new(number: u32, bench: &'a Bench, files: &Path) -> anyhow::Result<Call<'a>> {
        let own = ["--dir", &files.to_string_lossy(), "--out", &out(number)].map(str::to_owned);
        let flags = bench.flags.iter().cloned();
        let command: Vec<String> =
            ["bench".to_owned()].into_iter().chain(flags).chain(own).collect();
        let time_max = bench::whole_time_max(&command)
            .with_context(|| format!("bench {number} of the job"))?;
        Ok(Call { number, bench, command, time_max })
    }

    /// Runs it, sends its records, and reaps every process that ends meanwhile.
    ///
    /// How long it takes is for the host to watch: a kernel that hangs cannot be killed in here.
    ///
    /// # Errors
    /// Where it could not be run, or left no record at all.
    pub(super) fn run(&self, stamp: &Stamp, say: &mut Say) -> anyhow::Result<()> {
        let Call { number, bench, .. } = *self;
        say.say(&Message::Bench { number, time_max_s: self.time_max.as_secs() });
        let mut child = Command::new(std::env::current_exe()?)
            .args(&self.command)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the bench")?;
        let said = child.stderr.take().map(last_line).transpose()?;
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        let mut records = Lines::of(Path::new(&out(number)).join("record.jsonl"));
        let mut runs = 0;
        let status = loop {
            // In this order: what was written before its end is read after it.
            let ended = ended(pid).context("cannot wait for the bench")?;
            for line in records.read().context("cannot read the records")? {
                runs += 1;
                if !bench.warm_up {
                    send(&line, stamp, say)?;
                }
            }
            match ended {
                Some(status) => break status,
                None => thread::sleep(LOOK),
            }
        };
        let said = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
        // A run that failed has a record that says so.
        if runs == 0 {
            anyhow::bail!(
                "bench {number} ({}) {} without a record: {said}",
                bench.flags.join(" "),
                in_words(status)
            );
        }
        Ok(())
    }
}

fn out(number: u32) -> String {
    format!("/run/out-{number}")
}

fn send(line: &[u8], stamp: &Stamp, say: &mut Say) -> anyhow::Result<()> {
    let mut record: Box<Record> =
        serde_json::from_slice(line).context("a record cannot be read back")?;
    stamp.put(&mut record);
    say.say(&Message::Run { record });
    Ok(())
}

/// How the process ended, if it has. Whoever lost its parent is a child of this process, too.
fn ended(pid: Pid) -> rustix::io::Result<Option<WaitStatus>> {
    while let Some((gone, status)) = wait(WaitOptions::NOHANG)? {
        if gone == pid {
            return Ok(Some(status));
        }
    }
    Ok(None)
}

fn in_words(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        _ => "ended".to_owned(),
    }
}

/// Passes on what a process says, and keeps its last line.
fn last_line(stderr: ChildStderr) -> io::Result<thread::JoinHandle<String>> {
    thread::Builder::new().name("iowq-said".to_owned()).spawn(move || {
        let mut last = String::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            // A console that takes nothing is no reason to end.
            let _ = writeln!(io::stderr(), "{line}");
            if !line.trim().is_empty() {
                last = line.trim().trim_start_matches("error: ").to_owned();
            }
        }
        last
    })
}

/// A file that grows by lines.
struct Lines {
    path: PathBuf,
    read_bytes: u64,
}

impl Lines {
    fn of(path: PathBuf) -> Lines {
        Lines { path, read_bytes: 0 }
    }

    /// The lines that are new and whole; none while the file is not there.
    fn read(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        file.seek(SeekFrom::Start(self.read_bytes))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.read_bytes += whole as u64;
        let lines = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        Ok(lines.map(<[u8]>::to_vec).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn each_line_is_read_once_and_only_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("record.jsonl");
        let mut lines = Lines::of(path.clone());
        assert!(lines.read().expect("no file yet").is_empty());
        let mut file = OpenOptions::new().create(true).append(true).open(&path).expect("a file");
        for (text, wanted) in
            [("", &[][..]), ("one\ntw", &["one"]), ("o\n", &["two"]), ("3\n4\n", &["3", "4"])]
        {
            file.write_all(text.as_bytes()).expect("room");
            let found = lines.read().expect("a file");
            let wanted: Vec<Vec<u8>> = wanted.iter().map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(found, wanted, "after {text:?}");
        }
    }

    fn bench(flags: &[&str]) -> Bench {
        Bench { flags: flags.iter().map(|&flag| flag.to_owned()).collect(), warm_up: false }
    }

    #[test]
    fn a_call_has_files_and_results_of_its_own_and_time_for_all_its_runs() {
        let bench = bench(&["--engine", "uring", "--workload", "dsync-1", "--seconds", "2"]);
        let call = Call::new(1, &bench, Path::new("/work-files")).expect("valid flags");
        let own = ["--dir", "/work-files", "--out", "/run/out-1"];
        assert_eq!(call.command[call.command.len() - 4..], own);
        assert!(call.time_max > Duration::from_secs(3 * 2), "{:?}", call.time_max);
    }

    #[test]
    fn flags_are_checked_before_anything_runs() {
        for flags in [&["--wrokload", "dsync-1"][..], &["--workload", "no-such"]] {
            let bench = bench(flags);
            let error = Call::new(1, &bench, Path::new("/")).err().expect("wrong flags");
            let text = format!("{error:#}");
            assert!(text.contains("bench 1") && text.lines().count() == 1, "{text}");
        }
    }

    #[test]
    fn what_a_process_said_last_is_kept() {
        let mut child = Command::new("sh")
            .args(["-c", "echo first >&2; echo 'error: last' >&2; echo >&2"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let thread = child.stderr.take().map(last_line).expect("a pipe").expect("a thread");
        assert_eq!(thread.join().expect("it ends"), "last");
        assert!(child.wait().expect("a status").success());
    }
}
