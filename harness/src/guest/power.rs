//! Switching the machine off.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::system::{RebootCommand, reboot};

use crate::sync::thread;

/// Switches the machine off; returns never.
pub(super) fn off() -> ! {
    rustix::fs::sync();
    // Without ACPI a power-off leaves the machine standing with its processors stopped, while a
    // restart always works, and ends the virtual machine, which is started with -no-reboot.
    let command = if Path::new("/sys/firmware/acpi").exists() {
        RebootCommand::PowerOff
    } else {
        RebootCommand::Restart
    };
    loop {
        if let Err(error) = reboot(command) {
            let _ = writeln!(io::stderr(), "cannot switch the machine off: {error}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}
