//! A line of what bpftrace or a tool of bcc prints.

/// Suffixes of bpftrace, each 1,024 times the one before.
const SUFFIXES: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// `@NAME[KEY]:`, above a histogram of bpftrace.
    Map { name: &'l str, key: &'l str },
    /// `usecs : count distribution`, above one of bcc.
    Heading { unit: &'l str },
    /// Values from `least` to before `end`.
    Bucket { tool: &'static str, least: u64, end: u64, count: u64 },
    /// Values below 0.
    Negative { count: u64 },
    /// `disk = 'vda'`, above a heading.
    Field { value: &'l str },
    /// Any other.
    Other,
}

impl<'l> Line<'l> {
    pub(super) fn of(line: &'l str) -> Line<'l> {
        let line = line.trim();
        map(line)
            .or_else(|| of_bpftrace(line))
            .or_else(|| of_bcc(line))
            .or_else(|| field(line))
            .unwrap_or(Line::Other)
    }
}

fn map(line: &str) -> Option<Line<'_>> {
    let map = line.strip_prefix('@')?.strip_suffix(':')?;
    let (name, key) = map.split_once('[').unwrap_or((map, ""));
    Some(Line::Map { name, key: key.strip_suffix(']').unwrap_or(key) })
}

/// `[4, 8) 12 |@@ |`, `[0] 3 |@ |`, `[1K, ...) 1 |@ |` or `(..., 0) 1 |@ |`.
fn of_bpftrace(line: &str) -> Option<Line<'_>> {
    let range = line.strip_prefix(['[', '('])?;
    let (range, rest) = range.split_once([']', ')'])?;
    let count = rest.split_once('|')?.0.trim().parse().ok()?;
    let (least, end) = match range.split_once(',') {
        Some((least, end)) => (least.trim(), Some(end.trim())),
        None => (range.trim(), None),
    };
    // The lowest bucket of a linear histogram has all below its first one.
    let from_zero = least == "..." && end.and_then(number).is_some_and(|end| end > 0);
    if !from_zero && (least == "..." || least.starts_with('-')) {
        return Some(Line::Negative { count });
    }
    let least = if from_zero { 0 } else { number(least)? };
    let next = least.checked_add(1)?;
    let end = end.filter(|end| *end != "...").map_or(Some(next), number)?;
    (end > least).then_some(Line::Bucket { tool: "bpftrace", least, end, count })
}

/// `4 -> 7 : 12 |** |` or, of a linear one, `4 : 12 |** |`.
fn of_bcc(line: &str) -> Option<Line<'_>> {
    let (range, rest) = line.split_once(" :").or_else(|| line.split_once(':'))?;
    let range = range.trim();
    if rest.trim_start().starts_with("count") && !range.contains(char::is_whitespace) {
        return Some(Line::Heading { unit: range });
    }
    let count = rest.split_once('|')?.0.trim().parse().ok()?;
    let (least, last) = range.split_once("->").unwrap_or((range, range));
    let (least, last) = (least.trim().parse().ok()?, last.trim().parse::<u64>().ok()?);
    let end = last.checked_add(1)?;
    (end > least).then_some(Line::Bucket { tool: "bcc", least, end, count })
}

fn field(line: &str) -> Option<Line<'_>> {
    let (name, value) = line.split_once(" = ")?;
    let value = value.trim().trim_start_matches("b'").trim_matches(['\'', '"']);
    (!name.trim().is_empty() && !value.is_empty()).then_some(Line::Field { value })
}

fn number(text: &str) -> Option<u64> {
    let suffix = SUFFIXES.iter().position(|suffix| text.ends_with(*suffix));
    let digits = text.trim_end_matches(SUFFIXES);
    let factor = suffix.map_or(Some(1), |at| 1_u64.checked_shl(10 * (at as u32 + 1)))?;
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(tool: &'static str, least: u64, end: u64, count: u64) -> Line<'static> {
        Line::Bucket { tool, least, end, count }
    }

    #[test]
    fn lines_of_bpftrace_and_bcc_are_told_apart() {
        let rows = [
            ("@us[nvme0n1, 7]:", Line::Map { name: "us", key: "nvme0n1, 7" }),
            ("@us:", Line::Map { name: "us", key: "" }),
            ("@started: 12", Line::Other),
            ("[0]                    3 |@@                  |", bucket("bpftrace", 0, 1, 3)),
            (
                "[1K, 2K)              12 |@@@@                |",
                bucket("bpftrace", 1_024, 2_048, 12),
            ),
            ("[100, ...)             1 |@                   |", bucket("bpftrace", 100, 101, 1)),
            ("(..., 0)               2 |@                   |", Line::Negative { count: 2 }),
            ("     usecs               : count     distribution", Line::Heading { unit: "usecs" }),
            ("         4 -> 7          : 12       |**       |", bucket("bcc", 4, 8, 12)),
            ("         4          : 12       |**       |", bucket("bcc", 4, 5, 12)),
            ("disk = 'nvme0n1'", Line::Field { value: "nvme0n1" }),
            ("Function = b'vfs_read'", Line::Field { value: "vfs_read" }),
            ("18446744073709551615 -> 18446744073709551615 : 1 |", Line::Other),
            ("(..., 100)  50 |@@|", bucket("bpftrace", 0, 100, 50)),
            ("(..., 0)  7 |@@|", Line::Negative { count: 7 }),
            ("[16E, 32E) 1 |", Line::Other),
            ("", Line::Other),
        ];
        for (line, expected) in rows {
            assert_eq!(Line::of(line), expected, "{line:?}");
        }
    }
}
