//! The build of `iowq` for release, with progress, and where cargo put it.

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::{self, note};

/// How often a build that goes on says so, if no terminal shows cargo's own progress.
const PERIOD: Duration = Duration::from_secs(15);

/// Builds the programs of the package `iowq`, always the same ones with the same features, so that
/// nothing is ever built again, and returns the path of `iowq`.
pub(crate) fn iowq() -> anyhow::Result<PathBuf> {
    let mut command = process::cargo();
    command.current_dir(process::workspace());
    command.args(["build", "--release", "--locked", "--package", "iowq"]);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let is_terminal = std::io::stderr().is_terminal();
    if !is_terminal {
        command.arg("--quiet");
    }
    let shown = process::shown(&command);
    let mut child = command.spawn().with_context(|| format!("cannot start `{shown}`"))?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut path = None;
    let (mut built, mut said) = (0, Instant::now());
    for line in BufReader::new(output).lines() {
        let message = Message::of(&line.context("cannot read what cargo says")?);
        built += u32::from(message.built);
        path = message.iowq.or(path);
        if built > 0 && !is_terminal && (built == 1 || said.elapsed() > PERIOD) {
            note(format_args!("building iowq for release: {built} of some 200 crates"));
            said = Instant::now();
        }
    }
    if !child.wait().context("cannot wait for cargo")?.success() {
        bail!("`{shown}` failed; what it said is above");
    }
    path.context("cargo built iowq, but did not say where it is")
}

/// What a line of cargo says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message {
    /// Whether it built a crate that was not there already.
    built: bool,
    /// Where `iowq` is.
    iowq: Option<PathBuf>,
}

impl Message {
    fn of(line: &str) -> Message {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        if message["reason"] != "compiler-artifact" {
            return Message::default();
        }
        let is_it = message["target"]["name"] == "iowq" && message["target"]["kind"][0] == "bin";
        let path = message["executable"].as_str().filter(|_| is_it);
        Message { built: message["fresh"] == false, iowq: path.map(PathBuf::from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_taken_from_the_message_about_that_binary_and_no_other() {
        let of = |kind: &str, name: &str| {
            Message::of(&format!(
                r#"{{"reason":"compiler-artifact","fresh":true,"target":{{"kind":["{kind}"],"name":"{name}"}},"executable":"t/{name}"}}"#
            ))
        };
        let found = Message { built: false, iowq: Some(PathBuf::from("t/iowq")) };
        assert_eq!(of("bin", "iowq"), found);
        assert_eq!(of("bin", "iowq-measure"), Message::default());
        assert_eq!(of("lib", "iowq"), Message::default());
        assert_eq!(Message::of("not a message"), Message::default());
    }
}
