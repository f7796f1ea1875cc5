//! The table of dispatch: a row for each kind of op over all cells that opened their files alike.

use std::collections::BTreeMap;

use crate::fidelity::cell::Cell;
use crate::fidelity::dispatch::{Dispatch, Shares};

/// One kind of op over all cells of a family that opened their files alike.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchRow<'a> {
    /// The family.
    pub family: String,
    /// How files were opened, by the cells' names.
    pub open: &'a str,
    /// File system.
    pub filesystem: &'a str,
    /// Cells in which both saw it.
    pub cells: usize,
    /// Means of the cells' shares: each counts the same, however many ops it did.
    pub dispatch: Dispatch,
}

/// A row for each kind of op, family, open flag and file system.
pub(crate) fn rows<'a>(cells: &[Cell<'a>]) -> Vec<DispatchRow<'a>> {
    type Key<'a> = (usize, String, String, &'a str, &'a str);
    let mut found: BTreeMap<Key<'a>, Vec<&Dispatch>> = BTreeMap::new();
    for cell in cells {
        let (place, open) = (cell.name.place(), cell.name.open);
        for one in &cell.dispatch {
            let key = (place, cell.name.family(), one.kind.clone(), open, cell.filesystem);
            found.entry(key).or_default().push(one);
        }
    }
    let row = |((_, family, kind, open, filesystem), all): (Key<'a>, Vec<&Dispatch>)| {
        let mean = |of: fn(&Dispatch) -> Shares| {
            let sum = |way: usize| all.iter().map(|one| of(one)[way]).sum::<f64>();
            std::array::from_fn(|way| sum(way) / all.len() as f64)
        };
        let dispatch =
            Dispatch { kind, kernel: mean(|one| one.kernel), preset: mean(|one| one.preset) };
        DispatchRow { family, open, filesystem, cells: all.len(), dispatch }
    };
    found.into_iter().map(row).collect()
}
