//! How long each step of a boot may take.

use std::time::Duration;

use iowq_contract::guest::{CRIU_CHECK_S_MAX, CRIU_WAIT_S_MAX};

/// Dumps in a boot: the control, one just after the close and one after the idle timeout.
const DUMPS: u32 = 3;

/// What the guest may take before criu begins a dump: a process that uses a ring and closes it.
const CLOSED_RING_MAX: Duration = Duration::from_secs(90);

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

    /// The limits if criu may take this many seconds for a dump. It takes its time after the last
    /// bench, if only little is expected: it looks at the kernel, and then dumps three times, the
    /// last time after a wait.
    #[must_use]
    pub fn with_criu(mut self, dump_s_max: u32) -> Limits {
        let dump_max = CLOSED_RING_MAX + Duration::from_secs(dump_s_max.into());
        let else_max = Duration::from_secs(CRIU_CHECK_S_MAX * 2 + CRIU_WAIT_S_MAX);
        self.between_max += else_max + dump_max * DUMPS;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criu_has_time_to_look_at_the_kernel_to_wait_and_to_dump_three_times() {
        let limits = Limits::KVM.with_criu(20);
        let more = Duration::from_secs(2 * CRIU_CHECK_S_MAX + CRIU_WAIT_S_MAX + 3 * (90 + 20));
        assert_eq!(limits.between_max, Limits::KVM.between_max + more);
        assert_eq!(Limits { between_max: Limits::KVM.between_max, ..limits }, Limits::KVM);
    }
}
