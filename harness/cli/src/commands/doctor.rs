//! `doctor`: what this machine can do, and the command that fixes what it cannot.

use std::path::PathBuf;

use iowq_harness::doctor;
use iowq_pool::policy::Registry;

use crate::exit::Exit;
use crate::flags::Format;
use crate::flags::report::DoctorFlags;
use crate::measuring_program;
use crate::print::{print, print_json};

/// Runs the command.
pub(crate) fn run(flags: &DoctorFlags, registry: &Registry) -> anyhow::Result<Exit> {
    // It ends well, also if the program is not there.
    let program =
        measuring_program(registry).map_or_else(|_| PathBuf::new(), |it| it.path().to_owned());
    let checks = doctor::examine(&flags.dir, &program);
    match flags.format {
        Format::Text => print(&doctor::text(&checks))?,
        Format::Json => print_json(&checks)?,
    }
    Ok(Exit::Fine)
}
