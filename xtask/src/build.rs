//! The build: release binaries of the other packages, and where cargo put them.

use std::{
    env,
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process;

/// A build that takes longer says what it is doing; a shorter one has nothing to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// A binary of the workspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binary {
    package: &'static str,
    name: &'static str,
}

/// Runs the workloads.
pub(crate) const IOWQ: Binary = Binary { package: "iowq-harness", name: "iowq" };
/// Draws the reports.
pub(crate) const IOWQ_REPORT: Binary = Binary { package: "iowq-reports", name: "iowq-report" };

/// Boots kernels.
pub(crate) const IOWQ_KERNELS: Binary = Binary { package: "iowq-kernels", name: "iowq-kernels" };

/// Builds the binaries and returns their paths, in the same order.
pub(crate) fn release<const N: usize>(binaries: [Binary; N]) -> anyhow::Result<[PathBuf; N]> {
    build(cargo_build(), binaries)
}

/// Builds a binary that needs no library of the machine it runs on, and returns its path.
pub(crate) fn linked_statically(binary: Binary) -> anyhow::Result<PathBuf> {
    let mut command = cargo_build();
    // With a target named, the flags are not those of build scripts, which stay dynamic. A folder
    // of its own, because other flags would have the usual one built again each time.
    command.args(["--target", &host()?]).arg("--target-dir").arg(static_folder());
    command.env("RUSTFLAGS", "-C target-feature=+crt-static -C strip=symbols");
    let [path] = build(command, [binary]).context(
        "a static binary needs the C library's archive: `apt-get install libc6-dev` on Debian, \
         `dnf install glibc-static` on Fedora",
    )?;
    Ok(path)
}

fn static_folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| process::workspace().join("target"), PathBuf::from).join("static")
}

/// The target that this machine is, such as `x86_64-unknown-linux-gnu`.
fn host() -> anyhow::Result<String> {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = command.arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.context("rustc -vV does not say which target this machine is")
}

fn cargo_build() -> Command {
    let mut command = process::cargo();
    command.current_dir(process::workspace());
    command.args(["build", "--quiet", "--release", "--locked"]);
    command
}

fn build<const N: usize>(
    mut command: Command,
    binaries: [Binary; N],
) -> anyhow::Result<[PathBuf; N]> {
    for binary in binaries {
        command.args(["--package", binary.package, "--bin", binary.name]);
    }
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let child =
        command.spawn().with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
    let messages = messages(child, || {
        let names = binaries.map(|binary| binary.name).join(", ");
        eprintln!("Building {names} (release); the first time takes a minute or two.");
    })?
    .with_context(|| format!("`{}` failed; what it said is above", process::shown(&command)))?;
    let mut paths = binaries.map(|_| PathBuf::new());
    for (path, binary) in paths.iter_mut().zip(binaries) {
        let Some(found) = messages.lines().find_map(|line| executable(line, binary.name)) else {
            bail!(
                "cargo built {}, but did not say where the binary {} is",
                binary.package,
                binary.name
            );
        };
        *path = found;
    }
    Ok(paths)
}

/// Reads a build to its end; none if it failed. Calls `late` once if it takes its time.
fn messages(mut child: Child, late: impl FnOnce()) -> anyhow::Result<Option<String>> {
    let mut stdout = child.stdout.take().context("cargo has no output")?;
    let (done, finished) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.read_to_string(&mut text).map(|_| text);
        // The receiver is gone only if the main thread is.
        let _ = done.send(read);
    });
    let text = match finished.recv_timeout(PATIENCE) {
        Ok(text) => text,
        Err(_) => {
            late();
            finished.recv().context("the build's reader stopped")?
        }
    }
    .context("cannot read what cargo says")?;
    if reader.join().is_err() {
        bail!("the build's reader stopped");
    }
    let status = child.wait().context("cannot wait for cargo")?;
    Ok(status.success().then_some(text))
}

/// The path in a message of cargo, if the message is about the binary of that name.
fn executable(line: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_it = message["reason"] == "compiler-artifact"
        && message["target"]["name"] == name
        && message["target"]["kind"][0] == "bin";
    let path = message["executable"].as_str()?;
    is_it.then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_taken_from_the_message_about_that_binary_and_no_other() {
        let of = |kind: &str, name: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"{name}"}},"executable":"t/{name}"}}"#
            )
        };
        assert_eq!(executable(&of("bin", "iowq"), "iowq"), Some(PathBuf::from("t/iowq")));
        assert_eq!(executable(&of("bin", "iowq-report"), "iowq"), None);
        assert_eq!(executable(&of("lib", "iowq"), "iowq"), None);
        assert_eq!(executable("not a message", "iowq"), None);
    }
}
