//! The BPF programs. All that is needed is there on tracepoints, which take neither BTF nor kprobes. Most
//! have a second on the bare trace point, which costs half and reads the kernel's structs; userspace
//! attaches it instead if the kernel has BTF. The rest are extras, which it does without if they are
//! refused: the kprobe in `starts`, the function in `trace/bare`, and what `account` and `trace/limit`
//! read of structs.
//!
//! Userspace sets the globals before loading, because layouts differ between kernels: the kernel
//! describes events in their `format` files, and structs in its BTF. `cargo xtask probes` builds
//! this for the BPF target; nothing else ever does.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod account;
mod event;
mod maps;
mod requests;
mod requests_raw;
mod sched;
mod starts;
mod threads;
mod trace;

/// What a program on an event or a kprobe returns: with 0, the kernel would keep the event from all
/// other readers of the machine, such as perf.
const KEEP: u32 = 1;

/// Unreachable: a program that could panic would be refused by the verifier.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Some helpers are open to programs with a licence that the GPL accepts, and to no others.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
