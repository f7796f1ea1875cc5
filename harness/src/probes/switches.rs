//! Context switches of a worker as the kernel counts them, to check the probe's count.

use iowq_contract::Switches;

/// Switches of one thread up to some moment, by one who counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwitchCount {
    /// Times that it was taken off a CPU.
    pub outs: u64,
    /// Those of them in which it went to sleep.
    pub outs_asleep: u64,
    /// Times that it was put back on a CPU.
    pub ins: u64,
}

impl SwitchCount {
    /// What the kernel has counted for the calling thread, which is on a CPU: it came back as often
    /// as it left.
    #[must_use]
    pub fn by_kernel() -> SwitchCount {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: the pointer is to memory of the right type, in which all zeroes are valid; the
        // call writes nothing else, and fails for bad arguments only.
        let usage = unsafe {
            libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
            usage.assume_init()
        };
        let outs_asleep = usage.ru_nvcsw.unsigned_abs();
        let outs = outs_asleep + usage.ru_nivcsw.unsigned_abs();
        SwitchCount { outs, outs_asleep, ins: outs }
    }

    /// What was counted from `earlier` on.
    fn since(self, earlier: SwitchCount) -> SwitchCount {
        SwitchCount {
            outs: self.outs.saturating_sub(earlier.outs),
            outs_asleep: self.outs_asleep.saturating_sub(earlier.outs_asleep),
            ins: self.ins.saturating_sub(earlier.ins),
        }
    }
}

/// What both count at one moment of the calling thread's life, or sums of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BothCounts {
    by_kernel: SwitchCount,
    by_probe: SwitchCount,
}

impl std::ops::AddAssign for BothCounts {
    fn add_assign(&mut self, other: BothCounts) {
        for (sum, more) in
            [(&mut self.by_kernel, other.by_kernel), (&mut self.by_probe, other.by_probe)]
        {
            sum.outs += more.outs;
            sum.outs_asleep += more.outs_asleep;
            sum.ins += more.ins;
        }
    }
}

impl BothCounts {
    /// Reads both between two switches of the calling thread; retries if one comes in between.
    /// `seen` reads what the probe has counted.
    #[must_use]
    pub fn now(seen: impl Fn() -> SwitchCount) -> BothCounts {
        let mut by_probe = seen();
        loop {
            let by_kernel = SwitchCount::by_kernel();
            let again = seen();
            if again == by_probe {
                return BothCounts { by_kernel, by_probe };
            }
            by_probe = again;
        }
    }

    /// What the kernel counted from `earlier` on, and what of it the probe did not see.
    #[must_use]
    pub fn since(self, earlier: BothCounts) -> Switches {
        let kernel = self.by_kernel.since(earlier.by_kernel);
        let probe = self.by_probe.since(earlier.by_probe);
        Switches {
            outs: kernel.outs,
            outs_asleep: kernel.outs_asleep,
            outs_missed: kernel.outs.saturating_sub(probe.outs),
            outs_asleep_missed: kernel.outs_asleep.saturating_sub(probe.outs_asleep),
            ins_missed: kernel.ins.saturating_sub(probe.ins),
            // If the running count is kept, it is noticed.
            ins_missed_in_works: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(outs: u64, outs_asleep: u64, ins: u64) -> SwitchCount {
        SwitchCount { outs, outs_asleep, ins }
    }

    #[test]
    fn switches_that_only_the_kernel_counted_were_missed() {
        let both = |by_kernel, by_probe| BothCounts { by_kernel, by_probe };
        let tracked = both(count(7, 3, 7), count(0, 0, 0));
        let nothing_missed = both(count(17, 9, 17), count(10, 6, 10)).since(tracked);
        let seen = Switches { outs: 10, outs_asleep: 6, ..Switches::default() };
        assert_eq!(nothing_missed, seen);
        let some_missed = both(count(17, 9, 17), count(8, 5, 9)).since(tracked);
        let expected = Switches { outs_missed: 2, outs_asleep_missed: 1, ins_missed: 1, ..seen };
        assert_eq!(some_missed, expected);
    }

    #[test]
    fn a_switch_between_the_two_looks_is_in_both_or_neither() {
        let looks = std::cell::Cell::new(0);
        // The first sample is before a switch, all others are after it.
        let seen = || count(u64::from(looks.replace(looks.get() + 1) > 0), 0, 0);
        assert_eq!(BothCounts::now(seen).by_probe, count(1, 0, 0));
        assert_eq!(looks.get(), 3);
    }
}
