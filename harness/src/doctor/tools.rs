//! Tools: what booting kernels and rebuilding the BPF object take. A bench needs neither.

use std::{env, path::Path};

use super::Check;

/// The ready-made `core` for the BPF target, in Debian's package for it.
const CORE: &str = "/usr/lib/rustlib/bpfel-unknown-none";

const INSTALL_RUSTC: &str = "sudo apt-get install rustc-web libstd-rust-web-dev-bpf llvm-22";
const INSTALL_LINKER: &str = "sudo apt-get install g++ llvm-22-dev libpolly-22-dev zlib1g-dev \
     libzstd-dev && LLVM_PREFIX=/usr/lib/llvm-22 cargo install bpf-linker \
     --version 0.13.0 --no-default-features --features llvm-22";

const INSTALL_QEMU: &str = "sudo apt-get install qemu-system-x86 e2fsprogs";

/// Whether a program is on the path.
fn installed(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

pub(super) fn qemu() -> Check {
    qemu_of(installed("qemu-system-x86_64"))
}

fn qemu_of(found: bool) -> Check {
    if found {
        return Check::ok("QEMU", "kernels can be booted and compared (`kernels`)");
    }
    Check::less("QEMU", "not found; needed only to compare kernels (`kernels`)").fix(INSTALL_QEMU)
}

pub(super) fn bpf_toolchain() -> Check {
    bpf_toolchain_of(installed("bpf-linker"), Path::new(CORE).is_dir())
}

fn bpf_toolchain_of(linker: bool, core: bool) -> Check {
    let name = "BPF toolchain";
    let only = "needed only to rebuild the committed BPF object (`cargo xtask probes`)";
    let lack = |what: &str| Check::less(name, format!("no {what}; {only}"));
    match (linker, core) {
        (true, true) => Check::ok(name, "bpf-linker and a core library for BPF are installed"),
        (true, false) => lack("core library for BPF").fix(INSTALL_RUSTC),
        (false, true) => lack("bpf-linker").fix(INSTALL_LINKER),
        (false, false) => lack("bpf-linker and no core library for BPF")
            .fix(format!("{INSTALL_RUSTC} && {INSTALL_LINKER}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn without_qemu_there_is_less_and_a_command_that_helps() {
        assert_eq!(qemu_of(true).state, State::Ok);
        let without = qemu_of(false);
        assert_eq!((without.state, without.fix.as_deref()), (State::Less, Some(INSTALL_QEMU)));
    }

    #[test]
    fn what_is_missing_is_named_and_only_that_is_installed() {
        assert_eq!(bpf_toolchain_of(true, true).state, State::Ok);
        assert_eq!(bpf_toolchain_of(true, false).fix.as_deref(), Some(INSTALL_RUSTC));
        assert_eq!(bpf_toolchain_of(false, true).fix.as_deref(), Some(INSTALL_LINKER));
        let both = bpf_toolchain_of(false, false);
        assert!(both.meaning.contains("needed only to rebuild"));
        assert!(both.fix.is_some_and(|fix| fix.starts_with(INSTALL_RUSTC)));
    }
}
