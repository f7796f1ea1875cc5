//! Factors: what the workloads of a grid vary, read from their settings and names.

use std::collections::BTreeMap;

use crate::fidelity::cell::Cell;
use crate::fidelity::share::Share;

/// One level of a factor over all cells that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The factor, such as `files`.
    pub factor: &'static str,
    /// The level, such as `4`.
    pub level: String,
    /// Cells that have it.
    pub cells: usize,
    /// Of those in which presets differ, those in which the nearest is right.
    pub right: Share,
    /// Of all, those in which the expected preset's peak is near the kernel's.
    pub peaks: Share,
}

/// A factor's place among the others, its name, and a level with its number for the order.
type Key = (usize, &'static str, u64, String);

/// All levels of the factors that have several.
pub(crate) fn levels(cells: &[Cell<'_>]) -> Vec<Level> {
    let mut found: BTreeMap<Key, Vec<&Cell<'_>>> = BTreeMap::new();
    for cell in cells {
        for (place, (factor, level)) in of(cell).into_iter().enumerate() {
            let number = level.parse().unwrap_or(u64::MAX);
            found.entry((place, factor, number, level)).or_default().push(cell);
        }
    }
    let several = |factor| found.keys().filter(|key| key.1 == factor).count() > 1;
    let levels = found.iter().filter(|(key, _)| several(key.1)).map(|(key, cells)| Level {
        factor: key.1,
        level: key.3.clone(),
        cells: cells.len(),
        right: Share::of(cells.iter().filter(|one| one.presets_differ()), |cell| cell.right()),
        peaks: Share::of(cells.iter(), |cell| cell.peak_agrees()),
    });
    levels.collect()
}

/// The levels of one workload; `fsync` and `open` only its name can tell.
fn of(cell: &Cell<'_>) -> [(&'static str, String); 5] {
    let settings = cell.settings;
    [
        ("files", settings.files.to_string()),
        ("depth", settings.depth.to_string()),
        ("fsync", cell.name.fsync.to_owned()),
        ("worker limit", settings.limit_bounded.to_string()),
        ("open", cell.name.open.to_owned()),
    ]
}
