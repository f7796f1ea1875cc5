//! Answers: how long the other end of a connection takes for an op, from the seed.

use std::time::Duration;

use crate::plan::Sockets;
use crate::rng::{Rng, mix};

/// Keeps these draws independent of the stream's under one seed.
const ANSWER_KEY: u64 = 3;

/// Draws beyond this many means are cut: one in five hundred million.
const MEANS_MAX: f64 = 20.0;

impl Sockets {
    /// How long the answer to the op of this number takes.
    #[must_use]
    pub fn answer_to(&self, number: u64, seed: u64) -> Duration {
        let mut draw = Rng::new(mix(seed ^ mix(ANSWER_KEY)) ^ number);
        self.answer.mul_f64((-draw.unit().ln()).min(MEANS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::SocketKind;

    #[test]
    fn answers_are_exponential_about_their_mean_and_the_same_for_a_seed() {
        let sockets = Sockets { kind: SocketKind::Unix, answer: Duration::from_millis(4) };
        let all = |seed| (0..20_000).map(move |number| sockets.answer_to(number, seed));
        assert!(all(7).eq(all(7)) && !all(7).eq(all(8)));
        let mean_ms = all(7).sum::<Duration>().as_secs_f64() * 1000.0 / 20_000.0;
        assert!((3.9..4.1).contains(&mean_ms), "{mean_ms}");
        let late = all(7).filter(|time| *time > sockets.answer).count();
        // exp(-1) of them.
        assert!((7_100..7_600).contains(&late), "{late}");
    }

    #[test]
    fn an_answer_at_once_is_at_once() {
        let sockets = Sockets { kind: SocketKind::Pipe, answer: Duration::ZERO };
        assert_eq!(sockets.answer_to(5, 1), Duration::ZERO);
    }
}
