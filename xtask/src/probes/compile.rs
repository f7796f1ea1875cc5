//! Compiles the programs, the same bytes in whatever folder and on whatever machine.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::toolchain::{CoreLibrary, Toolchain};

const TARGET: &str = "bpfel-unknown-none";

/// Flags of the compiler: version 3 of the instruction set has atomics that return a value, and
/// every kernel from 5.12 on takes it. The programs read trace events only, whose layout the
/// loader finds out, so one architecture's bindings serve them all.
pub(super) const FLAGS: [&str; 10] = [
    "-C",
    "linker=bpf-linker",
    "-C",
    "link-arg=--btf",
    "-C",
    "debuginfo=2",
    "-C",
    "target-cpu=v3",
    "--cfg",
    "bpf_target_arch=\"x86_64\"",
];

/// Compiles into a folder, and returns the object without its DWARF (the BTF stays).
pub(super) fn compile(
    workspace: &Path,
    toolchain: &Toolchain,
    folder: &Path,
) -> anyhow::Result<Vec<u8>> {
    let mut cargo = Command::new(&toolchain.cargo);
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked"]);
    cargo.args(["--package", "iowq-ebpf", "--bin", "probes", "--features", "programs"]);
    cargo.args(["--profile", "bpf", "--target", TARGET, "--target-dir"]).arg(folder);
    if toolchain.core == CoreLibrary::FromSource {
        cargo.args(["-Z", "build-std=core"]);
    }
    // Flags of this build alone. `RUSTC_BOOTSTRAP` is for inline assembly, which a stable compiler
    // has for this target, but does not promise.
    cargo.env("RUSTC", &toolchain.rustc).env("RUSTC_BOOTSTRAP", "1");
    cargo.env("CARGO_CFG_BPF_TARGET_ARCH", "x86_64");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", encoded_flags(workspace, toolchain)?);
    for foreign in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTUP_TOOLCHAIN"] {
        cargo.env_remove(foreign);
    }
    run(&mut cargo)?;

    let built = folder.join(TARGET).join("bpf/probes");
    let stripped = stripped(folder);
    run(Command::new(&toolchain.strip).arg("-g").arg(&built).arg("-o").arg(&stripped))?;
    crate::process::read(&stripped)
}

/// Where [`compile`] leaves the object.
pub(super) fn stripped(folder: &Path) -> PathBuf {
    folder.join("probes.bpf.o")
}

/// [`FLAGS`], and what takes this machine's folders out of the object: the line information that
/// the verifier shows names source files.
fn encoded_flags(workspace: &Path, toolchain: &Toolchain) -> anyhow::Result<OsString> {
    let mut flags: Vec<OsString> = FLAGS.iter().map(OsString::from).collect();
    let mut remap = |folder: &Path, name: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(folder);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    };
    remap(&toolchain.sysroot, "/rust");
    for registry in registries()? {
        remap(&registry, "/cargo");
    }
    // Last, because the last that fits counts, and packages may be vendored in the workspace.
    remap(workspace, "/iowq-lab");
    Ok(flags.join(&OsString::from("\x1f")))
}

/// Folders into which cargo unpacks packages, one for each registry.
fn registries() -> anyhow::Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let home = home.context("neither CARGO_HOME nor HOME is set, so packages cannot be found")?;
    let folder = home.join("registry/src");
    // None before anything was fetched, as with vendored packages.
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    Ok(found)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}
