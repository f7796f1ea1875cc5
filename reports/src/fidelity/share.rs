//! Shares: how many of how many.

/// How many of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// That are so.
    pub count: usize,
    /// That could be so.
    pub of: usize,
}

impl Share {
    /// Of items, those that are so.
    pub(crate) fn of<T>(items: impl Iterator<Item = T>, so: impl Fn(&T) -> bool) -> Self {
        let none = Self { count: 0, of: 0 };
        items.fold(none, |share, item| Self {
            count: share.count + usize::from(so(&item)),
            of: share.of + 1,
        })
    }

    /// In percent; none of nothing.
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 * 100.0 / self.of as f64)
    }
}
