//! Lines of a file, one at a time, with a bound on their length.

use std::io::{self, BufRead, Read};

/// The longest line that is read. A record with ten million points of timeline is about 200 MB;
/// what is longer than this is not a record, and reading on would only exhaust memory.
pub(crate) const LINE_BYTES_MAX: u64 = 1 << 30;

/// What reading a line gave.
pub(crate) enum Line {
    /// A line that ended with a line break.
    Whole,
    /// The rest of the file, without a line break at its end.
    Last,
    /// Nothing: the file ended before.
    End,
    /// More bytes than a line may have; the rest of it is still unread.
    TooLong,
}

/// Reads the next line into `buffer`, without its line break.
pub(crate) fn next(
    input: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    bytes_max: u64,
) -> io::Result<Line> {
    buffer.clear();
    input.take(bytes_max.saturating_add(1)).read_until(b'\n', buffer)?;
    if buffer.last() == Some(&b'\n') {
        buffer.pop();
        return Ok(Line::Whole);
    }
    if buffer.len() as u64 > bytes_max {
        return Ok(Line::TooLong);
    }
    Ok(if buffer.is_empty() { Line::End } else { Line::Last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_the_last_may_lack_its_break() -> io::Result<()> {
        let mut input: &[u8] = b"one\n\ntwo";
        let mut buffer = Vec::new();
        assert!(matches!(next(&mut input, &mut buffer, 9)?, Line::Whole));
        assert_eq!(buffer, b"one");
        assert!(matches!(next(&mut input, &mut buffer, 9)?, Line::Whole));
        assert_eq!(buffer, b"");
        assert!(matches!(next(&mut input, &mut buffer, 9)?, Line::Last));
        assert_eq!(buffer, b"two");
        assert!(matches!(next(&mut input, &mut buffer, 9)?, Line::End));
        Ok(())
    }

    #[test]
    fn a_line_over_the_bound_is_not_read_whole() -> io::Result<()> {
        let mut input: &[u8] = b"0123456789";
        let mut buffer = Vec::new();
        assert!(matches!(next(&mut input, &mut buffer, 4)?, Line::TooLong));
        assert_eq!(buffer.len(), 5);
        Ok(())
    }
}
