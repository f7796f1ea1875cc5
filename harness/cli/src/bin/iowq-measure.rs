//! The measured child of `iowq`, and the first process of its virtual machines.

use std::process::ExitCode;

use iowq_pool::policy::Registry;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    iowq_harness::measured::main(&arguments, &Registry::builtin())
}
