//! Values of options: numbers with fio's suffixes, times, switches.
//!
//! What fio reads otherwise than it looks (`1.5m` as one byte, `2min` as two microseconds) has no
//! value here, and so is refused.

use std::time::Duration;

/// What a number may look like, for errors.
pub(super) const INT: &str = "a whole number, also with k, m, g or t (of 1024), or kib, mib, gib \
                              or tib (of 1000, as fio has it without kb_base=1000)";

/// What a time may look like, for errors.
pub(super) const TIME: &str = "a whole number, or one with us, ms, s, m, h or d";

/// What a switch may look like, for errors.
pub(super) const SWITCH: &str = "0 or 1";

/// What the suffixes of numbers stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Units {
    /// `k` is 1024 and `kib` is 1000: `kb_base=1024`, which fio has by default.
    #[default]
    Traditional,
    /// `k` is 1000 and `kib` is 1024: `kb_base=1000`.
    Standard,
}

/// A whole number with fio's suffixes.
pub(super) fn int(text: &str, units: Units) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let (number, suffix) = match text.strip_prefix("0x") {
        Some(hex) => {
            let (digits, suffix) = split(hex, |c| c.is_ascii_hexdigit());
            (u64::from_str_radix(digits, 16).ok()?, suffix)
        }
        None => {
            let (digits, suffix) = split(&text, |c| c.is_ascii_digit());
            (digits.parse().ok()?, suffix)
        }
    };
    number.checked_mul(unit(suffix, units)?)
}

/// What a suffix stands for. `ki` alone is missing because fio's manual and fio do not agree on it.
fn unit(suffix: &str, units: Units) -> Option<u64> {
    let (short, long) = match units {
        Units::Traditional => (1024_u64, 1000_u64),
        Units::Standard => (1000, 1024),
    };
    Some(match suffix {
        "" | "b" => 1,
        "k" | "kb" => short,
        "m" | "mb" => short.pow(2),
        "g" | "gb" => short.pow(3),
        "t" | "tb" => short.pow(4),
        "kib" => long,
        "mib" => long.pow(2),
        "gib" => long.pow(3),
        "tib" => long.pow(4),
        _ => return None,
    })
}

/// A share of 100, such as `50%`.
pub(super) fn percent(text: &str) -> Option<u64> {
    let percent = text.strip_suffix('%')?.parse().ok()?;
    (1..=100).contains(&percent).then_some(percent)
}

/// What of a value is for reads and what is for writes: `both`, `reads,writes` or
/// `reads,writes,trims`, of which each may be empty.
pub(super) fn directions(text: &str) -> [Option<&str>; 2] {
    let mut parts = text.split(',');
    let reads = parts.next();
    [reads, parts.next().or(reads)].map(|part| part.filter(|part| !part.is_empty()))
}

/// A time, in `unit` if none is given.
pub(super) fn time(text: &str, unit: Duration) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let (digits, suffix) = split(&text, |c| c.is_ascii_digit());
    let each = match suffix {
        "" => unit,
        "us" | "usec" => Duration::from_micros(1),
        "ms" | "msec" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        "d" => Duration::from_secs(86_400),
        _ => return None,
    };
    let micros = digits.parse::<u64>().ok()?.checked_mul(each.as_micros() as u64)?;
    Some(Duration::from_micros(micros))
}

/// Names of files, split at colons as fio does it: not at one behind a backslash, and an empty name
/// is none.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut before = ' ';
    for c in text.trim().chars() {
        match names.last_mut() {
            Some(name) if c != ':' || before == '\\' => name.push(c),
            _ => names.push(String::new()),
        }
        before = c;
    }
    names.retain(|name| !name.is_empty());
    names
}

/// A switch; without a value it is on.
pub(super) fn switch(value: Option<&str>) -> Option<bool> {
    match value {
        None | Some("1") => Some(true),
        Some("0") => Some(false),
        Some(_) => None,
    }
}

fn split(text: &str, part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !part(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_fio_reads_them() {
        for (text, bytes) in [
            ("4096", 4096),
            ("4k", 4096),
            ("4KB", 4096),
            ("1m", 1 << 20),
            ("2G", 2 << 30),
            ("1kib", 1000),
            ("1MiB", 1_000_000),
            ("0x10k", 16 * 1024),
            ("512b", 512),
        ] {
            assert_eq!(int(text, Units::Traditional), Some(bytes), "{text}");
        }
        for text in ["", "k", "1.5m", "1mi", "-1", " 4k", "4k,8k", "20%", "(1+1)", "99999999t"] {
            assert_eq!(int(text, Units::Traditional), None, "{text}");
        }
        for (text, bytes) in [("4k", 4000), ("4KiB", 4096), ("1MB", 1_000_000), ("1mib", 1 << 20)] {
            assert_eq!(int(text, Units::Standard), Some(bytes), "{text}");
        }
    }

    #[test]
    fn names_are_split_as_fio_splits_them() {
        for (text, count) in
            [("a", 1), ("a:b:c", 3), ("a::b:", 2), (" a b:c ", 2), ("a\\:b", 1), (":", 0), ("", 0)]
        {
            assert_eq!(names(text).len(), count, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_fio_reads_them() {
        for (text, millis) in [("3", 3000), ("30s", 30_000), ("500ms", 500), ("2M", 120_000)] {
            let unit = Duration::from_secs(1);
            assert_eq!(time(text, unit), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "1.5", "2min", "2sec", "1 s", "99999999999999d"] {
            assert_eq!(time(text, Duration::from_secs(1)), None, "{text}");
        }
        assert_eq!(time("2000", Duration::from_micros(1)), Some(Duration::from_millis(2)));
    }

    #[test]
    fn a_value_is_for_both_directions_or_for_each() {
        for (text, reads, writes) in [
            ("4k", Some("4k"), Some("4k")),
            ("4k,8k", Some("4k"), Some("8k")),
            (",8k", None, Some("8k")),
            ("4k,,8k", Some("4k"), None),
            ("", None, None),
        ] {
            assert_eq!(directions(text), [reads, writes], "{text}");
        }
    }

    #[test]
    fn a_share_is_a_percentage_above_nothing() {
        assert_eq!([percent("50%"), percent("100%")], [Some(50), Some(100)]);
        for text in ["50", "0%", "101%", "%", "5 %", "-5%"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
