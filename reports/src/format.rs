//! Figures as people read them: three significant digits, a unit, no more. A no-break space
//! keeps a figure and its unit on one line.

use std::collections::HashSet;
use std::hash::Hash;

/// Three significant digits, thousands apart: `0.926`, `34.1`, `12,300`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "n/a".to_owned();
    }
    if size < 0.000_5 {
        return "0".to_owned();
    }
    if size >= 1e15 {
        return format!("{value:.2e}");
    }
    if size < 99.95 {
        let decimals = if size < 0.099_95 {
            3
        } else if size < 9.995 {
            2
        } else {
            1
        };
        let text = format!("{value:.decimals$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = size.log10().floor();
    let unit = 10_f64.powf((digits - 2.0).max(0.0));
    let rounded = apart(&format!("{:.0}", (size / unit).round() * unit));
    if value < 0.0 { format!("-{rounded}") } else { rounded }
}

/// All digits, thousands apart: `99,960`.
pub fn thousands(number: u64) -> String {
    apart(&number.to_string())
}

/// Digits with thousands apart.
fn apart(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in the unit that suits it: `850 ns`, `34.1 µs`, `2.5 ms`, `1.2 s`.
pub fn duration(ns: f64) -> String {
    let (per_unit, unit) = unit_of(ns);
    format!("{}\u{a0}{unit}", number(ns / per_unit))
}

/// Nanoseconds per unit, and the unit, for a length of time.
fn unit_of(ns: f64) -> (f64, &'static str) {
    match ns.abs() {
        size if size < 999.5 => (1.0, "ns"),
        size if size < 999.5e3 => (1e3, "µs"),
        size if size < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    }
}

/// How far apart two figures are, larger over smaller: `38 times` or `18 %`.
pub fn factor(base: f64, test: f64) -> String {
    let times = test.max(base) / test.min(base);
    // Below ten times, or ten percent, a second digit tells something.
    let short = |value: f64, most: f64| {
        number(if value < most { round_to(value, 10.0) } else { value.round() })
    };
    if times >= 2.0 {
        return format!("{} times", short(times, 10.0));
    }
    let percent = (test / base - 1.0).abs() * 100.0;
    format!("{}\u{a0}%", short(percent, 9.95))
}

fn round_to(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}

/// A share in percent: `5 %`.
pub fn percent(share: f64) -> String {
    format!("{}\u{a0}%", number(share * 100.0))
}

/// A threshold in both directions: `+5 % or -4.8 %`, which are as far from no change as a factor
/// and its inverse.
pub fn either_way(share: f64) -> String {
    let down = (100.0 - 100.0 / (1.0 + share)).abs();
    format!("+{} or -{}\u{a0}%", percent(share), number(down))
}

/// A p value: three digits are all that few runs can tell.
pub fn p(p: f64) -> String {
    if p < 0.001 { "<\u{a0}0.001".to_owned() } else { format!("{p:.3}") }
}

/// `1 run`, `3 runs`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number of which 0 stands for one that is not known.
pub fn known(number: impl Into<u64>) -> String {
    known_as(number.into(), |number| number.to_string())
}

/// The same, shown in some way.
pub fn known_as(number: u64, show: impl Fn(u64) -> String) -> String {
    if number == 0 { "unknown".to_owned() } else { show(number) }
}

/// Whether a spreadsheet would run a text as a formula.
pub fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@'])
}

/// Bytes in binary units: `4 KiB`.
pub fn bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1024.0 {
            return format!("{}\u{a0}{unit}", number(size));
        }
        size /= 1024.0;
    }
    format!("{}\u{a0}TiB", number(size))
}

/// `Linux 6.18.44` of what `uname` printed.
pub fn release(kernel: &str) -> String {
    let release = kernel.split_whitespace().next().unwrap_or("unknown");
    format!("Linux {}", clip(release, 40))
}

/// With a capital letter.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A list of the first items, and of how many more there are.
pub fn first_of(mut items: Vec<String>, shown: usize) -> String {
    let more = items.len().saturating_sub(shown);
    items.truncate(shown);
    items.extend((more > 0).then(|| format!("{more} more")));
    list(&items)
}

/// Each item once, in the order in which they are first seen.
pub fn distinct<T: Clone + Eq + Hash>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| seen.insert(item.clone())).collect()
}

/// The text, or its beginning with an ellipsis where it has more than `chars_max` characters.
/// Control characters become spaces: a record must not steer a terminal or break a page.
pub fn clip(text: &str, chars_max: usize) -> String {
    let clean = |char: char| if char.is_control() { ' ' } else { char };
    if text.chars().nth(chars_max).is_none() {
        return text.chars().map(clean).collect();
    }
    let keep = chars_max.saturating_sub(1);
    text.chars().take(keep).map(clean).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_no_idle_zeros() {
        let cases = [
            (0.0, "0"),
            (0.000_1, "0"),
            (0.0123, "0.012"),
            (0.926_4, "0.93"),
            (1.0, "1"),
            (34.123, "34.1"),
            (99.97, "100"),
            (147.4, "147"),
            (12_345.0, "12,300"),
            (1_234_567.0, "1,230,000"),
            (-1500.0, "-1,500"),
            (f64::NAN, "n/a"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn times_change_their_unit_where_it_suits() {
        let cases = [
            (850.0, "850 ns"),
            (999.9, "1 µs"),
            (34_120.0, "34.1 µs"),
            (2_500_000.0, "2.5 ms"),
            (1.2e9, "1.2 s"),
            (0.0, "0 ns"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text.replace(' ', "\u{a0}"));
        }
    }

    #[test]
    fn a_large_difference_is_a_factor_and_a_small_one_a_share() {
        assert_eq!(factor(34.1, 0.9), "38 times");
        assert_eq!(factor(10.0, 25.0), "2.5 times");
        assert_eq!(factor(100.0, 82.0), "18\u{a0}%");
        assert_eq!(factor(100.0, 103.0), "3\u{a0}%");
    }

    #[test]
    fn long_or_unprintable_texts_are_tamed() {
        assert_eq!(clip("6.17-as-posted", 7), "6.17-a…");
        assert_eq!(clip("6.17", 7), "6.17");
        assert_eq!(clip("a\u{1b}[31m", 20), "a [31m");
    }

    #[test]
    fn lists_and_counts_read_as_text() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
        assert_eq!(count(1, "run", "runs"), "1 run");
        assert_eq!(count(1200, "run", "runs"), "1,200 runs");
        assert_eq!(bytes(4096), "4\u{a0}KiB");
    }

    #[test]
    fn shares_are_percents_and_thresholds_hold_in_both_directions() {
        assert_eq!(percent(0.05), "5\u{a0}%");
        assert_eq!(either_way(0.05), "+5\u{a0}% or -4.76\u{a0}%");
        assert_eq!((p(0.000_2), p(0.012)), ("<\u{a0}0.001".to_owned(), "0.012".to_owned()));
    }
}
