//! The program `iowq`.

use std::process::ExitCode;

fn main() -> ExitCode {
    iowq::Lab::new().main()
}
