//! Processes: starting others, with errors that name the command.

use std::{
    env,
    ffi::OsString,
    fmt::Display,
    fs,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use anyhow::Context as _;

/// The cargo that started us, or the one on the path. It ends with this process, however that ends.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    end_with_us(&mut cargo);
    cargo
}

/// Has what a command starts end with the thread that starts it.
fn end_with_us(command: &mut Command) {
    let own = std::process::id().cast_signed();
    let die_with_us = move || {
        // SAFETY: two system calls that touch no memory.
        let orphan = unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
            libc::getppid() != own
        };
        // We may have ended before that was set.
        if orphan { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(()) }
    };
    // SAFETY: between fork and exec it makes two system calls, and allocates nothing.
    unsafe { command.pre_exec(die_with_us) };
}

/// Prints a line. The reader may be gone, as with `| head`; the work goes on.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The same on standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The folder of the workspace. Cargo says so when it runs us; the folder we were built from is
/// for whoever starts the binary by hand.
pub(crate) fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

/// The folder of what is built, and of results.
pub(crate) fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| workspace().join("target"), |target| workspace().join(target))
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Runs a command to its end, with our standard streams.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command.status().with_context(|| format!("cannot start `{}`", shown(command)))
}

/// A command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_so_that_it_can_be_pasted() {
        let mut command = Command::new("/usr/bin/iowq");
        command.args(["bench", "--dir", "my files", "it's", ""]);
        assert_eq!(shown(&command), r"iowq bench --dir 'my files' 'it'\''s' ''");
    }

    #[test]
    fn what_is_started_ends_with_who_started_it() {
        use std::os::unix::process::ExitStatusExt as _;
        let start = || {
            let mut sleep = Command::new("sleep");
            end_with_us(sleep.arg("1000"));
            sleep.spawn().unwrap()
        };
        let mut child = std::thread::spawn(start).join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
    }

    #[test]
    fn a_program_that_is_not_there_is_named_in_the_error() {
        let error = run(&mut Command::new("iowq-is-not-here")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `iowq-is-not-here`");
    }
}
