//! An ordinary user: the same place and program, with nobody's rights.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{IOWQ, MEASURE, Place, skipped};

/// Users from here on own nothing and run nothing. A limit per user must count one test alone, so
/// each test has one, and tests that another process runs at this time most likely have others.
const NOBODIES: u32 = 60_000;

/// Tests that need a user.
const NUMBERS: u32 = 4;

/// Whether the test is run by root; otherwise says that it is skipped.
pub(crate) fn root_or_skip(test: &str, why: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skipped(test, format_args!("{why} takes root"));
    }
    root
}

/// `iowq` with these arguments as a user without rights, for root's tests; `None`, and the reason
/// was said, where this process may not become another user. `number` tells apart users of tests
/// that run at one time.
pub(crate) fn as_user(
    test: &str,
    place: &Place,
    number: u32,
    arguments: &[&str],
) -> Option<Command> {
    let user = NOBODIES + std::process::id() % 1000 * NUMBERS + number % NUMBERS;
    // The build's own folder may be out of reach for others.
    let [program, measure] = copy_programs(place);
    for path in [place.home(), &program, &measure] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    // The results, too, are made by that user.
    for path in [place.home(), &place.dir()] {
        if let Err(error) = chown(path, Some(user), Some(user)) {
            skipped(test, format_args!("no user {user} here: {error}"));
            return None;
        }
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(place.home()).uid(user).gid(user);
    Some(command)
}

/// The programs, copied to this place: `iowq` and `iowq-measure`.
pub(crate) fn copy_programs(place: &Place) -> [PathBuf; 2] {
    [IOWQ, MEASURE].map(Path::new).map(|from| {
        let to = place.home().join(from.file_name().expect("its name"));
        copy(from, &to);
        to
    })
}

/// Copies a program in a process of its own. A descriptor of this one, open for writing, might be
/// inherited by what another test starts just now, and then the copy could not be run.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status().expect("cp is there");
    assert!(copied.success());
}
