//! Figures as short as columns need them.

/// A count or a rate in at most five characters, up to a billion.
#[must_use]
pub(super) fn count(value: f64) -> String {
    match value {
        v if v < 9.95 => {
            let text = format!("{v:.1}");
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        v if v < 9_999.5 => format!("{v:.0}"),
        v if v < 99_950.0 => format!("{:.1}k", v / 1e3),
        v if v < 999_500.0 => format!("{:.0}k", v / 1e3),
        v if v < 99_950_000.0 => format!("{:.1}M", v / 1e6),
        v => format!("{:.0}M", v / 1e6),
    }
}

/// A time in at most five characters, up to 9999 s.
#[must_use]
pub(super) fn time(ns: u64) -> String {
    let units = [(1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    let ns = ns as f64;
    // The next unit is taken where this one would need four digits.
    let (unit, name) = units.into_iter().find(|(unit, _)| ns / unit < 999.5).unwrap_or((1e9, "s"));
    let value = ns / unit;
    if value > 0.0 && value < 9.95 {
        format!("{value:.1}{name}")
    } else {
        format!("{value:.0}{name}")
    }
}

/// A share in percent.
#[must_use]
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_two_digits_and_fit_their_columns() {
        let rows = [
            (0.0, "0"),
            (0.25, "0.2"),
            (3.0, "3"),
            (1.0003, "1"),
            (64.4, "64"),
            (9_999.0, "9999"),
            (12_345.0, "12.3k"),
            (123_456.0, "123k"),
            (1_234_567.0, "1.2M"),
            (250_000_000.0, "250M"),
        ];
        rows.into_iter().for_each(|(value, text)| assert_eq!(count(value), text));
        let times = [
            (0, "0µs"),
            (249_000, "249µs"),
            (1_200_000, "1.2ms"),
            (999_600, "1.0ms"),
            (42_000_000_000, "42s"),
        ];
        times.into_iter().for_each(|(ns, text)| assert_eq!(time(ns), text));
    }
}
