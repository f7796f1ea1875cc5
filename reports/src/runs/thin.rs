//! Thinning: fewer points of a timeline, without losing a peak.

use iowq_contract::Churn;

/// Points of a timeline that are kept in memory: several per pixel of the widest chart.
pub const TIMELINE_POINTS_MAX: usize = 4_000;

/// Slices of births and deaths that are kept in memory.
pub const CHURN_SLICES_MAX: usize = 2_000;

/// Keeps at most about `points_max` points: of each equal slice of time the first, the lowest, the
/// highest and the last, so that steps, peaks and troughs stay where they were.
pub fn timeline(points: &mut Vec<(u64, u32)>, points_max: usize) {
    if !points.is_sorted_by_key(|point| point.0) {
        points.sort_by_key(|point| point.0);
    }
    if points.len() <= points_max {
        return;
    }
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else {
        return;
    };
    let slices = (points_max / 4).max(1) as u64;
    let slice_ns = ((last.0 - first.0) / slices).saturating_add(1);
    let mut kept = Vec::with_capacity(points_max);
    for slice in points.chunk_by(|a, b| (a.0 - first.0) / slice_ns == (b.0 - first.0) / slice_ns) {
        keep_corners(slice, &mut kept);
    }
    *points = kept;
}

/// Adds first, lowest, highest and last of a slice, in order of time and each once.
fn keep_corners(slice: &[(u64, u32)], kept: &mut Vec<(u64, u32)>) {
    let lowest = (0..slice.len()).min_by_key(|&at| slice[at].1).unwrap_or(0);
    let highest = (0..slice.len()).max_by_key(|&at| slice[at].1).unwrap_or(0);
    let mut corners = [0, lowest, highest, slice.len() - 1];
    corners.sort_unstable();
    for (order, &at) in corners.iter().enumerate() {
        if order == 0 || corners[order - 1] != at {
            kept.push(slice[at]);
        }
    }
}

/// Merges neighbouring slices until at most `slices_max` are left; no birth or death is lost.
pub fn churn(churn: &mut Churn, slices_max: usize) {
    let merge = churn.births.len().div_ceil(slices_max.max(1));
    if merge <= 1 {
        return;
    }
    let sum = |counts: &[u32]| counts.iter().fold(0_u32, |sum, count| sum.saturating_add(*count));
    churn.births = churn.births.chunks(merge).map(sum).collect();
    churn.deaths = churn.deaths.chunks(merge).map(sum).collect();
    churn.slice_ns = churn.slice_ns.saturating_mul(merge as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_among_a_million_points_survives() {
        let mut points: Vec<(u64, u32)> = (0..1_000_000).map(|at| (at * 10, 5)).collect();
        points[777_777].1 = 64;
        points[333_333].1 = 1;
        timeline(&mut points, 1_000);
        assert!(points.len() <= 1_000, "{} points are left", points.len());
        assert!(points.contains(&(7_777_770, 64)));
        assert!(points.contains(&(3_333_330, 1)));
        assert!(points.is_sorted_by_key(|point| point.0));
    }

    #[test]
    fn a_short_timeline_stays_as_it_is_and_a_disordered_one_is_sorted() {
        let mut points = vec![(3, 1), (1, 2)];
        timeline(&mut points, 10);
        assert_eq!(points, [(1, 2), (3, 1)]);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut points = vec![(0, 1), (u64::MAX, 9), (u64::MAX, 3), (5, 4), (6, 4)];
        timeline(&mut points, 4);
        assert!(points.contains(&(u64::MAX, 9)));
    }

    #[test]
    fn merged_slices_keep_every_birth() {
        let mut slices = Churn { slice_ns: 10, births: vec![1; 9], deaths: vec![2; 9] };
        churn(&mut slices, 4);
        assert_eq!(slices.births, [3, 3, 3]);
        assert_eq!(slices.deaths, [6, 6, 6]);
        assert_eq!(slices.slice_ns, 30);
    }
}
