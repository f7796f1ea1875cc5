//! The BPF programs: classic tracepoints, so that they need neither BTF nor kprobes. The one kprobe
//! there is, in `starts`, is an extra that userspace does without where it is refused.
//!
//! Userspace sets the globals before loading, because the layout of an event differs between
//! kernels and the kernel describes it in the event's `format` file. `cargo xtask probes` builds
//! this for the BPF target; nothing else ever does.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod account;
mod event;
mod maps;
mod requests;
mod sched;
mod starts;
mod threads;

/// Unreachable: a program that could panic would be refused by the verifier.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Some helpers are open to programs with a licence that the GPL accepts, and to no others.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
