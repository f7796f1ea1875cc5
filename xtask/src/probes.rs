//! `cargo xtask probes`: builds the BPF object that is committed beside its source, or checks it.

mod compile;
mod provenance;
mod toolchain;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::process;
use crate::process::{read, say};
use provenance::{Provenance, source_hash};
use toolchain::Toolchain;

/// The built object, from the root of the workspace.
const OBJECT: &str = "ebpf/probes.bpf.o";
/// What it was built from and with, likewise.
const PROVENANCE: &str = "ebpf/probes.bpf.txt";

/// Flags of `cargo xtask probes`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rebuild into a scratch folder and compare with the committed object; change nothing
    #[arg(long)]
    check: bool,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The object was built and written.
    Built,
    /// The object is what its source gives, to the byte.
    Same,
    /// The source is the one it was built from, but rebuilding it exactly takes another toolchain.
    Skipped(String),
}

/// Builds the object, or checks it. Prints what came of it; a check that was skipped says
/// `skipped: probes: …`.
///
/// # Errors
///
/// Where the toolchain lacks something (except for a check), where building fails, and where the
/// object or its source was changed without the other.
pub(crate) fn run(options: &Options) -> anyhow::Result<Outcome> {
    let workspace = process::workspace();
    let outcome = if options.check { check(&workspace)? } else { build(&workspace)? };
    match &outcome {
        Outcome::Built => say(format_args!("built {OBJECT}; commit it together with {PROVENANCE}")),
        Outcome::Same => say(format_args!("{OBJECT} is what its source gives, to the byte")),
        Outcome::Skipped(reason) => say(format_args!("skipped: probes: {reason}")),
    }
    Ok(outcome)
}

fn build(workspace: &Path) -> anyhow::Result<Outcome> {
    let toolchain = Toolchain::find()?;
    let object = compile::compile(workspace, &toolchain, &workspace.join("target/bpf"))?;
    let provenance = Provenance::new(source_hash(workspace)?, &object, toolchain.versions());
    write(&workspace.join(OBJECT), &object)?;
    write(&workspace.join(PROVENANCE), provenance.text().as_bytes())?;
    Ok(Outcome::Built)
}

fn check(workspace: &Path) -> anyhow::Result<Outcome> {
    let committed = check_committed(workspace)?;
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(missing) => return Ok(Outcome::Skipped(format!("{missing:#}"))),
    };
    let found = toolchain.versions();
    if found != committed.versions {
        return Ok(Outcome::Skipped(format!(
            "the object was built with {}, and here is {found}",
            committed.versions
        )));
    }
    let scratch = workspace.join("target/bpf-check");
    let rebuilt = compile::compile(workspace, &toolchain, &scratch)?;
    if rebuilt != read(&workspace.join(OBJECT))? {
        bail!(
            "{OBJECT} is not what its source gives; compare it with {}, or rebuild it: \
             cargo xtask probes",
            compile::stripped(&scratch).display()
        );
    }
    Ok(Outcome::Same)
}

/// Checks, without any toolchain, that source, object and what is written about them belong
/// together.
fn check_committed(workspace: &Path) -> anyhow::Result<Provenance> {
    let text = String::from_utf8(read(&workspace.join(PROVENANCE))?)
        .with_context(|| format!("{PROVENANCE} is not text"))?;
    let committed = Provenance::parse(&text)
        .with_context(|| format!("{PROVENANCE} is unreadable; rebuild it: cargo xtask probes"))?;
    if committed.sources != source_hash(workspace)? {
        bail!("the source in ebpf/ was changed after {OBJECT} was built: cargo xtask probes");
    }
    if committed.object != provenance::hash(&read(&workspace.join(OBJECT))?) {
        bail!("{OBJECT} is not the one that {PROVENANCE} is about: cargo xtask probes");
    }
    Ok(committed)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // A reader, or a build that embeds the file, sees the old one or the new one, never a part.
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_object_was_built_from_the_committed_source() {
        check_committed(&process::workspace()).expect("source and object that belong together");
    }
}
