//! Connections: what they are, and how long the other end takes for an op, from the seed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::rng::{Rng, mix};

/// Keeps these draws independent of the stream's under one seed.
const ANSWER_KEY: u64 = 3;

/// Draws beyond this many means are cut: one in five hundred million.
const MEANS_MAX: f64 = 20.0;

/// Connections, on which ops wait for the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sockets {
    /// What they are.
    pub kind: SocketKind,
    /// How long the other end takes, on average, from when an op is submitted until it sends what the
    /// op is to receive, or takes what the op is to send: times of independent events, drawn from
    /// the seed. Zero for at once.
    pub answer: Duration,
}

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketKind {
    /// A pair of stream sockets of unix(7).
    Unix,
    /// A connection of tcp(7) on the loopback device.
    Tcp,
    /// A pipe(7): one way, for all ops of a stream the same.
    Pipe,
}

impl SocketKind {
    /// The name in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SocketKind::Unix => "unix",
            SocketKind::Tcp => "tcp",
            SocketKind::Pipe => "pipe",
        }
    }
}

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
