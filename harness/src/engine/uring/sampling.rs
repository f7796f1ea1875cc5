//! Which ops are timed: all, or of a flood of no-ops some, as the probes' clock costs a tenth of one.

use iowq_workloads::{Arrival, Length, OpKind, Plan};

/// Of how many no-ops one is timed. A second of them has a hundred beyond the 99.9th percentile.
const ONE_IN: u32 = 8;

/// If a plan has fewer ops than this, all are timed. One with a time, and no pace, has more.
const FLOOD_OPS: u64 = 1_000_000;

/// A choice of ops.
pub(super) struct Sampling {
    one_in: u32,
    /// Of the ops so far.
    count: u64,
}

impl Sampling {
    /// Each op.
    pub(super) const ALL: Sampling = Sampling { one_in: 1, count: 0 };

    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Sampling {
        let is_long = match plan.length {
            Length::Ops(ops) | Length::Either { ops, .. } => ops >= FLOOD_OPS,
            Length::Time(_) => true,
        };
        let paced = match plan.arrival {
            Arrival::Closed { pause, .. } => !pause.is_zero(),
            _ => true,
        };
        let is_flood = is_long && !paced && plan.kinds().all(|kind| kind == OpKind::Nop);
        Sampling { one_in: if is_flood { ONE_IN } else { 1 }, count: 0 }
    }

    /// Whether the next op is one. Multiples of the golden ratio are spread evenly, whatever period the
    /// ops have (Knuth, The Art of Computer Programming 3, 6.4).
    pub(super) fn takes_next(&mut self) -> bool {
        self.count = self.count.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.count < u64::MAX / u64::from(self.one_in) || self.one_in == 1
    }

    /// Of how many ops one is timed, unless each is.
    pub(super) fn one_in(&self) -> Option<u32> {
        Some(self.one_in).filter(|one_in| *one_in > 1)
    }
}

#[cfg(test)]
mod tests {
    use iowq_workloads::builtin;

    use super::*;

    fn sampling(name: &str, length: Length) -> Option<u32> {
        Sampling::of(&Plan { length, ..builtin(name).expect(name) }).one_in()
    }

    #[test]
    fn of_a_flood_of_no_ops_some_are_timed_and_of_all_else_each() {
        let second = Length::Time(std::time::Duration::from_secs(1));
        assert_eq!(sampling("nop", second), Some(ONE_IN));
        assert_eq!(sampling("nop", Length::Ops(FLOOD_OPS - 1)), None);
        assert_eq!(sampling("fsync-mix", second), None);
    }

    #[test]
    fn no_ops_that_come_at_a_pace_are_no_flood() {
        let length = Length::Time(std::time::Duration::from_secs(1));
        let paced = |arrival| {
            let plan = builtin("nop").expect("it is built in");
            Sampling::of(&Plan { length, arrival, ..plan }).one_in()
        };
        assert_eq!(paced(Arrival::Rate { per_s: 100.0 }), None);
        let pause = std::time::Duration::from_millis(1);
        assert_eq!(paced(Arrival::Closed { pause, min_complete: 1 }), None);
    }

    #[test]
    fn those_taken_are_as_many_at_each_place_of_a_batch() {
        for batch in [1, 8, 13, 32, 64] {
            let mut sampling = Sampling { one_in: ONE_IN, count: 0 };
            let mut taken = vec![0u32; batch];
            (0..batch * 800).for_each(|op| taken[op % batch] += u32::from(sampling.takes_next()));
            assert!(taken.iter().all(|taken| (90..=110).contains(taken)), "{batch}: {taken:?}");
        }
    }

    #[test]
    fn each_op_is_taken_if_none_is_left_out() {
        let mut all = Sampling::ALL;
        assert!((0..100).all(|_| all.takes_next()));
    }
}
