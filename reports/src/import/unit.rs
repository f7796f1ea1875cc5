//! Units of time: what a latency of another tool is in.

/// A unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

impl Unit {
    /// All of them, with the names that users give.
    pub const ALL: [(&'static str, Self); 4] =
        [("ns", Self::Ns), ("us", Self::Us), ("ms", Self::Ms), ("s", Self::S)];

    /// What tools write for them beside that.
    const LONG: [(&'static str, Self); 8] = [
        ("nsecs", Self::Ns),
        ("usecs", Self::Us),
        ("msecs", Self::Ms),
        ("secs", Self::S),
        ("nsec", Self::Ns),
        ("usec", Self::Us),
        ("msec", Self::Ms),
        ("sec", Self::S),
    ];

    /// The unit of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = Self::ALL.iter().chain(&Self::LONG);
        let mut found = all.filter(|(known, _)| *known == name);
        found.next().map(|(_, unit)| *unit)
    }

    /// The unit that ends a name such as `fsync_us`, as names of variables do.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::named(name.rsplit('_').next().unwrap_or(name))
    }

    /// As users write it.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, unit)| *unit == self).map_or("ns", |(name, _)| name)
    }

    /// A time in it, in ns.
    pub(super) fn ns(self, time: u64) -> u64 {
        let factor = match self {
            Self::Ns => 1,
            Self::Us => 1_000,
            Self::Ms => 1_000_000,
            Self::S => 1_000_000_000,
        };
        time.saturating_mul(factor)
    }
}
