//! The command line of `iowq-kernels`.

use std::process::ExitCode;

use clap::Parser as _;

use iowq_kernels::options::Options;
use iowq_kernels::run::{self, Tally};

/// Bad input, a host that fails, or a boot that failed through no fault of its kernel.
const EXIT_TROUBLE: u8 = 2;

fn main() -> ExitCode {
    let options = Options::parse().made_fresh();
    match run::run(&options, &command()) {
        Ok(Tally { done, failed: 0 }) => {
            println!("{done} boots, in {}", options.out.display());
            ExitCode::SUCCESS
        }
        Ok(Tally { done, failed }) => {
            eprintln!(
                "error: {failed} of {done} boots failed; what is there is in {}",
                options.out.display()
            );
            ExitCode::from(EXIT_TROUBLE)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(EXIT_TROUBLE)
        }
    }
}

/// What a person would type: the flags as they came, but for what `cargo xtask` adds.
fn command() -> String {
    let mut words = vec!["cargo xtask kernels".to_owned()];
    let mut arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        if ["--guest", "--parent"].contains(&argument.as_str()) {
            arguments.next();
        } else if argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c)) {
            words.push(argument);
        } else {
            words.push(format!("'{}'", argument.replace('\'', r"'\''")));
        }
    }
    words.join(" ")
}
