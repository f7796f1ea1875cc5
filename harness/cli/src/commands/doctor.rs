//! `doctor`: what this machine can do, and the command that fixes what it cannot.

use iowq_harness::doctor;

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::report::DoctorFlags;
use crate::print::{print, print_json};

/// Runs the command.
pub(crate) fn run(flags: &DoctorFlags) -> anyhow::Result<Exit> {
    let checks = doctor::examine(&flags.dir);
    match flags.format {
        Format::Text => print(&doctor::text(&checks))?,
        Format::Json => print_json(&checks)?,
    }
    Ok(Exit::Fine)
}
