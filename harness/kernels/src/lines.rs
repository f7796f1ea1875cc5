//! Lines: bytes as they come in, taken apart at line ends, with a limit that an endless line meets.

/// Takes a stream of bytes apart.
pub(crate) struct Lines {
    line: Vec<u8>,
    bytes_max: usize,
    /// The rest of a line that was cut is on its way.
    skips: bool,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// It was longer than allowed, and its rest is dropped.
    pub(crate) cut: bool,
}

impl Lines {
    pub(crate) fn new(bytes_max: usize) -> Lines {
        Lines { line: Vec::new(), bytes_max, skips: false }
    }

    /// The lines that these bytes finish. A line that is too long is handed out as soon as it is.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |cut| (cut, true));
            if !self.skips {
                let room = self.bytes_max - self.line.len();
                self.line.extend_from_slice(&piece[..piece.len().min(room)]);
                let cut = piece.len() > room;
                if cut || ends {
                    lines.push(Line { bytes: std::mem::take(&mut self.line), cut });
                }
                self.skips = cut;
            }
            self.skips &= !ends;
        }
        lines
    }

    /// What came after the last line end.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<String> {
        let text = |line: &Line| {
            format!("{}{}", String::from_utf8_lossy(&line.bytes), if line.cut { "…" } else { "" })
        };
        lines.iter().map(text).collect()
    }

    #[test]
    fn lines_do_not_depend_on_how_the_bytes_arrive() {
        let text = b"one\n\nthree is too long\nfour\nfi";
        for size in 1..=text.len() {
            let mut lines = Lines::new(5);
            let found: Vec<_> = text.chunks(size).flat_map(|chunk| lines.push(chunk)).collect();
            assert_eq!(texts(&found), ["one", "", "three…", "four"], "in pieces of {size}");
            assert_eq!(lines.rest(), b"fi");
        }
    }

    #[test]
    fn a_line_as_long_as_allowed_is_whole() {
        assert_eq!(texts(&Lines::new(5).push(b"12345\n")), ["12345"]);
    }

    #[test]
    fn an_endless_line_is_handed_out_once_and_takes_no_more_room() {
        let mut lines = Lines::new(10);
        let found: Vec<_> = (0..1000).flat_map(|_| lines.push(b"0123456")).collect();
        assert_eq!(texts(&found), ["0123456012…"]);
        assert!(lines.rest().is_empty());
        assert_eq!(texts(&lines.push(b"\nnext\n")), ["next"]);
    }
}
