//! Values of options: numbers with fio's suffixes, times, switches.
//!
//! What fio reads otherwise than it looks (`1.5m` as one byte, `2min` as two microseconds) has no
//! value here, and so is refused.

use std::time::Duration;

/// What a number may look like, for errors.
pub(super) const INT: &str = "a whole number, also with k, m, g or t (of 1024), or kib, mib, gib \
                              or tib (of 1000, as fio has it)";

/// What a time may look like, for errors.
pub(super) const TIME: &str = "a whole number of seconds, or with us, ms, s, m, h or d";

/// What a switch may look like, for errors.
pub(super) const SWITCH: &str = "0 or 1";

/// A whole number with fio's suffixes under `kb_base=1024`.
pub(super) fn int(text: &str) -> Option<u64> {
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
    number.checked_mul(unit(suffix)?)
}

/// Bytes in a unit. Those that end in `ib` are fio's decimal ones; `ki` alone is missing because
/// fio's manual and fio do not agree on it.
fn unit(suffix: &str) -> Option<u64> {
    let binary = |power| 1024_u64.pow(power);
    let decimal = |power| 1000_u64.pow(power);
    Some(match suffix {
        "" | "b" => 1,
        "k" | "kb" => binary(1),
        "m" | "mb" => binary(2),
        "g" | "gb" => binary(3),
        "t" | "tb" => binary(4),
        "kib" => decimal(1),
        "mib" => decimal(2),
        "gib" => decimal(3),
        "tib" => decimal(4),
        _ => return None,
    })
}

/// A time, in seconds if no unit is given.
pub(super) fn time(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let (digits, suffix) = split(&text, |c| c.is_ascii_digit());
    let micros_each: u64 = match suffix {
        "us" | "usec" => 1,
        "ms" | "msec" => 1_000,
        "" | "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(micros_each).map(Duration::from_micros)
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
            assert_eq!(int(text), Some(bytes), "{text}");
        }
        for text in ["", "k", "1.5m", "1mi", "-1", " 4k", "4k,8k", "20%", "(1+1)", "99999999t"] {
            assert_eq!(int(text), None, "{text}");
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
            assert_eq!(time(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "1.5", "2min", "2sec", "1 s", "99999999999999d"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
