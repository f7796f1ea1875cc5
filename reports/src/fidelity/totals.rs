//! Totals of a group of cells: how many are as the kernel, by each of four measures.

use crate::fidelity::cell::Cell;
use crate::fidelity::share::Share;

/// A group of cells, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTotals {
    /// Its name; none for all cells.
    pub group: Option<String>,
    /// Cells in it.
    pub cells: usize,
    /// Of those in which presets differ, those in which the nearest is right.
    pub right: Share,
    /// Of all, those in which the expected preset created about as many workers as the kernel.
    pub births: Share,
    /// Of all, those in which its peak is near the kernel's.
    pub peaks: Share,
    /// Of those in which it was seen how ops reached workers, those in which shares agree.
    pub dispatch: Share,
}

/// A row for each group in the order of pages, and if there are several one for all cells.
pub(crate) fn by_group(cells: &[Cell<'_>]) -> Vec<GroupTotals> {
    let mut groups: Vec<(usize, &str)> =
        cells.iter().map(|cell| (cell.name.place(), cell.name.group)).collect();
    groups.sort_unstable();
    groups.dedup();
    let of = |group: Option<&str>| {
        let its = cells.iter().filter(|cell| group.is_none_or(|group| cell.name.group == group));
        let its: Vec<&Cell<'_>> = its.collect();
        let cells = || its.iter().copied();
        GroupTotals {
            group: group.map(str::to_owned),
            cells: its.len(),
            right: Share::of(cells().filter(|cell| cell.presets_differ()), |cell| cell.right()),
            births: Share::of(cells(), |cell| cell.births_agree()),
            peaks: Share::of(cells(), |cell| cell.peak_agrees()),
            dispatch: Share::of(cells().filter_map(Cell::dispatch_agrees), |agrees| *agrees),
        }
    };
    let several = groups.len() > 1;
    let each = groups.iter().map(|(_, group)| of(Some(*group)));
    each.chain(several.then(|| of(None))).collect()
}
