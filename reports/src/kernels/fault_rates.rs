//! Faults that base and test both have: whether the test has them more often than chance explains.

use crate::stats::fisher::Share;
use crate::stats::{adjust, fisher};

/// For each kind of fault the exact p that the test has it more often than the base, after Holm over
/// the kinds that both had; `None` for the others, which ask for no p.
pub fn more_often(base: &[Share], test: &[Share]) -> Vec<Option<f64>> {
    let both = base.iter().zip(test).map(|(base, test)| {
        let had = base.with > 0 && test.with > 0;
        had.then(|| fisher::p_more_often(*base, *test)).flatten()
    });
    adjust::holm(&both.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_had_is_asked_and_the_p_of_several_kinds_are_adjusted() {
        let share = |with| Share { with, of: 8 };
        let alone = more_often(&[share(1), share(0)], &[share(8), share(8)]);
        assert!(alone[0].is_some_and(|p| (p - 8.0 / 11_440.0).abs() < 1e-12), "{alone:?}");
        assert_eq!(alone[1], None, "a fault that the base never had needs no p");
        let two = more_often(&[share(1), share(1)], &[share(8), share(8)]);
        assert!(two[0].is_some_and(|p| (p - 16.0 / 11_440.0).abs() < 1e-12), "{two:?}");
    }
}
