//! Many tests at once: p adjusted so that more metrics do not mean more false alarms.
//!
//! A metric without p (`None`, or not a number) is no part of the family and stays without.

/// Holm's adjustment (1979, Scandinavian Journal of Statistics 6): below alpha in at most a share
/// alpha of the families in which nothing differs, however the metrics hang together.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = ascending(p);
    let mut adjusted = vec![None; p.len()];
    let mut largest = 0.0_f64;
    for (before, &(p, place)) in known.iter().enumerate() {
        largest = largest.max(p * (known.len() - before) as f64).min(1.0);
        adjusted[place] = Some(largest);
    }
    adjusted
}

/// The adjustment of Benjamini & Hochberg (1995, Journal of the Royal Statistical Society B 57):
/// among all that are below alpha a share alpha is expected to be false, for metrics that are
/// independent or move together.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = ascending(p);
    let mut adjusted = vec![None; p.len()];
    let mut smallest = 1.0_f64;
    for (before, &(p, place)) in known.iter().enumerate().rev() {
        smallest = smallest.min(p * (known.len() as f64 / (before + 1) as f64));
        adjusted[place] = Some(smallest);
    }
    adjusted
}

/// The known p, smallest first, each with its place.
fn ascending(p: &[Option<f64>]) -> Vec<(f64, usize)> {
    let known = p.iter().enumerate().filter_map(|(place, p)| Some(((*p)?, place)));
    let known = known.filter(|(p, _)| !p.is_nan()).map(|(p, place)| (p.clamp(0.0, 1.0), place));
    let mut known: Vec<_> = known.collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    known
}
