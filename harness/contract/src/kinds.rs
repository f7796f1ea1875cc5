//! Kinds: a value per kind of operation. They are few, and a tree of them would take a kilobyte.

use std::collections::BTreeMap;
use std::ops::Index;

use serde::{Deserialize, Serialize, Serializer};

/// Values by the names of kinds, in the order of names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "BTreeMap<String, V>")]
pub struct Kinds<V>(Vec<(String, V)>);

impl<V> Kinds<V> {
    /// The value of a kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&V> {
        self.place(kind).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// The value of a kind, to be changed.
    pub fn get_mut(&mut self, kind: &str) -> Option<&mut V> {
        self.place(kind).ok().and_then(|at| self.0.get_mut(at)).map(|(_, value)| value)
    }

    /// Whether a kind has a value.
    #[must_use]
    pub fn contains_key(&self, kind: &str) -> bool {
        self.place(kind).is_ok()
    }

    /// Gives a kind a value.
    pub fn insert(&mut self, kind: String, value: V) {
        match self.place(&kind) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (kind, value)),
        }
    }

    /// The names of the kinds.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(kind, _)| kind)
    }

    /// Each kind with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.0.iter().map(|(kind, value)| (kind, value))
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Whether it has no kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves none.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn place(&self, kind: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(kind))
    }
}

impl<V> Default for Kinds<V> {
    fn default() -> Kinds<V> {
        Kinds(Vec::new())
    }
}

impl<V> Index<&str> for Kinds<V> {
    type Output = V;

    fn index(&self, kind: &str) -> &V {
        self.get(kind).expect("there is a value of that kind")
    }
}

impl<V> From<BTreeMap<String, V>> for Kinds<V> {
    fn from(kinds: BTreeMap<String, V>) -> Kinds<V> {
        Kinds(kinds.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for Kinds<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
