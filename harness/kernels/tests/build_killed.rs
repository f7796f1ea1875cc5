//! A build whose process is killed: what it had started ends, and until then no other build uses
//! the cache.

mod alive;
mod fifo;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use iowq_kernels::from_source::{BuildError, Built, Request, build};
use iowq_kernels::stop::Stop;
use rustix::fs::{CWD, Mode, mkfifoat};

use alive::is_alive;

/// Tells the process that is to be killed where to build.
const PLACE: &str = "IOWQ_TEST_KILLED_BUILD";
/// How long what was killed may take to be gone.
const GONE_MAX: Duration = Duration::from_secs(60);

/// The first time, what builds the image writes its own number and that of make to a pipe, and then
/// does what `work` says.
const MAKEFILE: &str = "\
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
bzImage:
\tmkdir -p $(O)/arch/x86/boot $(O)/include/config
\ttest ! -e $(IOWQ_TEST_KILLED_BUILD)/first || . $(IOWQ_TEST_KILLED_BUILD)/work
\techo image > $(O)/arch/x86/boot/bzImage
\techo 6.12.0-fake > $(O)/include/config/kernel.release
";

fn built(folder: &Path) -> anyhow::Result<Vec<Built>> {
    let request = Request {
        source: folder.join("linux"),
        patches: Vec::new(),
        aids: Vec::new(),
        cache: folder.join("cache"),
        jobs: 1,
        config: None,
    };
    build(&request, &Stop::default(), &mut |_| {})
}

fn is_busy(built: &anyhow::Result<Vec<Built>>) -> bool {
    let error = built.as_ref().err().and_then(|error| error.downcast_ref());
    matches!(error, Some(BuildError::Busy(_)))
}

/// Not a test by itself: the process that the others kill.
#[test]
fn a_build_that_is_killed() {
    let Some(folder) = std::env::var_os(PLACE) else { return };
    if let Err(error) = built(Path::new(&folder)) {
        fs::write(Path::new(&folder).join("started"), error.to_string()).expect("written");
    }
}

/// Builds in another process and kills it while `work` is done, whose words come back.
fn killed(folder: &Path, work: &str) -> Result<String, String> {
    fs::create_dir(folder.join("linux")).expect("a folder");
    fs::write(folder.join("linux/Makefile"), MAKEFILE).expect("written");
    fs::write(folder.join("linux/Kconfig"), "").expect("written");
    fs::write(folder.join("first"), "").expect("written");
    let script = work.replace("HERE", &folder.display().to_string());
    fs::write(folder.join("work"), script).expect("written");
    let started = folder.join("started");
    mkfifoat(CWD, &started, Mode::RWXU).expect("a pipe");
    let mut build = Command::new(std::env::current_exe().expect("it is known"))
        .args(["--exact", "a_build_that_is_killed"])
        .env(PLACE, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let words = fifo::words(&started, &mut build);
    build.kill().expect("it is killed");
    build.wait().expect("it is gone");
    fs::remove_file(folder.join("first")).expect("removed");
    if words.contains("missing on this machine") { Err(words) } else { Ok(words) }
}

/// Until something is so, or it is too late.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < GONE_MAX, "{what}");
    }
}

fn skip(test: &str, reason: &str) {
    let _ = std::io::stderr().write_all(format!("\nskipped: {test}: {reason}\n").as_bytes());
}

#[test]
fn make_and_its_children_end_when_this_process_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let work = "echo $$ $PPID > HERE/started; exec sleep 1000";
    match killed(folder.path(), work) {
        Err(reason) => skip("make_and_its_children_end_when_this_process_is_killed", &reason),
        Ok(words) => {
            let numbers: Vec<_> = words.split_whitespace().collect();
            assert_eq!(numbers.len(), 2, "{words}");
            until("it goes on", || !numbers.iter().any(|number| is_alive(number)));
        }
    }
}

#[test]
fn the_cache_stays_locked_until_all_processes_of_a_killed_build_exit() {
    let folder = tempfile::tempdir().expect("a folder");
    let go: PathBuf = folder.path().join("go");
    mkfifoat(CWD, &go, Mode::RWXU).expect("a pipe");
    let work = "trap '' TERM; echo up > HERE/started; exec >/dev/null 2>&1; read word < HERE/go";
    if let Err(reason) = killed(folder.path(), work) {
        return skip("the_cache_stays_locked", &reason);
    }
    let second = built(folder.path());
    assert!(is_busy(&second), "{second:?}");
    fs::write(go, "go\n").expect("written");
    let mut third = built(folder.path());
    until("it stays locked", || {
        if is_busy(&third) {
            third = built(folder.path());
        }
        !is_busy(&third)
    });
    let image = &third.expect("it builds")[0].bzimage;
    assert_eq!(fs::read_to_string(image).expect("an image"), "image\n");
}
