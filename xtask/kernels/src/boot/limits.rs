//! How long each step of a boot may take.

use std::time::Duration;

/// Limits on the time of each step. They are there to end what hangs, so they are generous. Time in
/// which we were stopped does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the guest's first message.
    pub up_max: Duration,
    /// From there to the first bench: modules, disk and files.
    pub ready_max: Duration,
    /// A bench may take this many times the time it named.
    pub bench_factor: u32,
    /// And this much more, for what comes between benches and after the last, such as a dump.
    pub between_max: Duration,
    /// From the guest's last word to the end of QEMU.
    pub off_max: Duration,
    /// From a panic to the end of QEMU, with `panic=-1`: the rest of the trace comes in it.
    pub panic_max: Duration,
}

impl Limits {
    /// With the processor's own virtual machines.
    pub const KVM: Limits = Limits {
        up_max: Duration::from_secs(40),
        ready_max: Duration::from_secs(30),
        bench_factor: 1,
        between_max: Duration::from_secs(30),
        off_max: Duration::from_secs(20),
        panic_max: Duration::from_secs(5),
    };

    /// With emulation, where one instruction is many.
    pub const EMULATION: Limits = Limits {
        up_max: Duration::from_secs(120),
        ready_max: Duration::from_secs(90),
        bench_factor: 4,
        between_max: Duration::from_secs(60),
        off_max: Duration::from_secs(20),
        panic_max: Duration::from_secs(10),
    };

    /// The limits for `kvm` or `tcg`.
    #[must_use]
    pub fn of(accelerator: &str) -> Limits {
        if accelerator == "kvm" { Limits::KVM } else { Limits::EMULATION }
    }
}
