//! Ranks: whether two columns of numbers rise and fall together.

use super::order;

/// Spearman's rho, from -1 to 1: Pearson's correlation of ranks, where equal values share the mean
/// of their ranks. None if the columns are not equally long or one of them is all the same.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let ranks = |values| order::doubled_ranks(values).into_iter().map(|rank| rank as f64 / 2.0);
    let (a, b): (Vec<f64>, Vec<f64>) = (ranks(a).collect(), ranks(b).collect());
    // The mean of all ranks is the same with and without ties.
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let sum = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let size = (sum(&a, &a) * sum(&b, &b)).sqrt();
    (size > 0.0).then(|| (sum(&a, &b) / size).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(rho: Option<f64>, known: f64) -> bool {
        rho.is_some_and(|rho| (rho - known).abs() < 1e-6)
    }

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(order::doubled_ranks(&[30.0, 10.0, 20.0, 10.0]), [8, 3, 6, 3]);
        assert_eq!(order::doubled_ranks(&[]), [0; 0]);
    }

    #[test]
    fn rho_is_one_for_the_same_order_whatever_the_distances() {
        assert!(near(spearman(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1e9]), 1.0));
        assert!(near(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0));
    }

    #[test]
    fn rho_is_what_textbooks_say_with_and_without_ties() {
        // Hours of television against intelligence quotient, ten people.
        let quotient = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!(near(spearman(&quotient, &hours), -29.0 / 165.0));
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!(near(tied, 4.5 / 22.5_f64.sqrt()), "{tied:?}");
    }

    #[test]
    fn columns_that_do_not_vary_have_no_rho() {
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0, 2.0]), None);
    }
}
