//! Finds what can build for BPF, or names what is missing and the command that installs it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// What installs a compiler.
const INSTALL_RUSTC: &str = "on Debian: sudo apt-get install rustc-web libstd-rust-web-dev-bpf; \
     elsewhere: rustup toolchain install nightly --component rust-src";
/// What installs the linker.
const INSTALL_LINKER: &str = "on Debian: sudo apt-get install g++ llvm-22-dev libpolly-22-dev \
     zlib1g-dev libzstd-dev && LLVM_PREFIX=/usr/lib/llvm-22 cargo install bpf-linker \
     --version 0.13.0 --no-default-features --features llvm-22; \
     elsewhere: cargo install bpf-linker --version 0.13.0";
/// What installs the tool that strips.
const INSTALL_STRIP: &str = "on Debian: sudo apt-get install llvm-22; elsewhere: the package llvm";

/// Where the BPF target's `core` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoreLibrary {
    /// It is installed, as Debian does it.
    Installed,
    /// Cargo builds it from the component `rust-src`.
    FromSource,
}

/// What builds the programs.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub(super) cargo: PathBuf,
    pub(super) rustc: PathBuf,
    pub(super) sysroot: PathBuf,
    pub(super) core: CoreLibrary,
    pub(super) strip: PathBuf,
    versions: String,
}

impl Toolchain {
    /// Finds all that is needed.
    pub(super) fn find() -> anyhow::Result<Toolchain> {
        let compiler = debian_compiler().or_else(nightly_compiler);
        let (cargo, rustc, sysroot, core) = compiler
            .with_context(|| format!("no Rust compiler can build for BPF; {INSTALL_RUSTC}"))?;
        let linker = output(Path::new("bpf-linker"), &["--version"])
            .with_context(|| format!("there is no bpf-linker; {INSTALL_LINKER}"))?;
        let verbose = output(&rustc, &["--version", "--verbose"]).unwrap_or_default();
        let llvm = field(&verbose, "LLVM version: ").unwrap_or("unknown");
        let major = llvm.split('.').next().unwrap_or_default();
        let (strip, strip_version) = find_strip(major)
            .with_context(|| format!("there is no llvm-strip; {INSTALL_STRIP}"))?;
        let rustc_version = verbose.lines().next().unwrap_or("rustc, unknown").to_owned();
        let versions =
            format!("{rustc_version} with LLVM {llvm}, {linker}, llvm-strip {strip_version}");
        if linker.is_empty() || rustc_version.is_empty() {
            bail!("the toolchain does not say its versions: {versions}");
        }
        Ok(Toolchain { cargo, rustc, sysroot, core, strip, versions })
    }

    /// All versions in one line: where they are the same, the object is.
    pub(super) fn versions(&self) -> String {
        self.versions.clone()
    }
}

type Compiler = (PathBuf, PathBuf, PathBuf, CoreLibrary);

/// Debian's compiler, with a ready-made `core`. Cargo is the one that started us.
fn debian_compiler() -> Option<Compiler> {
    let rustc = PathBuf::from("/usr/bin/rustc");
    let sysroot = PathBuf::from(output(&rustc, &["--print", "sysroot"])?);
    let ready = sysroot.join("lib/rustlib/bpfel-unknown-none/lib").is_dir();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    ready.then(|| (PathBuf::from(cargo), rustc, sysroot, CoreLibrary::Installed))
}

/// A nightly of rustup, with the source of `core`. Cargo is its own, for building that.
fn nightly_compiler() -> Option<Compiler> {
    let which = |tool| output(Path::new("rustup"), &["which", "--toolchain", "nightly", tool]);
    let (cargo, rustc) = (PathBuf::from(which("cargo")?), PathBuf::from(which("rustc")?));
    let sysroot = PathBuf::from(output(&rustc, &["--print", "sysroot"])?);
    let ready = sysroot.join("lib/rustlib/src/rust/library/core").is_dir();
    ready.then_some((cargo, rustc, sysroot, CoreLibrary::FromSource))
}

/// The llvm-strip that fits the compiler best, and its version.
fn find_strip(llvm_major: &str) -> Option<(PathBuf, String)> {
    [format!("llvm-strip-{llvm_major}"), "llvm-strip".into()].into_iter().find_map(|name| {
        let text = output(Path::new(&name), &["--version"])?;
        let version = text.lines().find_map(|line| line.split("LLVM version ").nth(1))?;
        Some((PathBuf::from(name), version.trim().to_owned()))
    })
}

fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key))
}

/// What a command prints, if it can be started and succeeds.
fn output(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
