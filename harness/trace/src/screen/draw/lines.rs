//! Lines of text: cut, padded and broken by the columns that their letters take.

use iowq_contract::clean;
use ratatui::text::Span;

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// The text, `columns` wide: cut with a mark, or padded.
pub(super) fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let pad = columns.saturating_sub(width(&text));
    text + &" ".repeat(pad)
}

/// Likewise, at the right.
pub(super) fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    " ".repeat(columns.saturating_sub(width(&text))) + &text
}

/// The first `columns` of a text, without control characters.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text = clean(text).replace(['\n', '\t'], " ");
    if width(&text) <= columns {
        return text;
    }
    let mut kept = String::new();
    for letter in text.chars() {
        kept.push(letter);
        if width(&kept) >= columns {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

/// A text in lines `columns` wide, broken between words; lines after the first are indented.
pub(super) fn wrap(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if width(&line) + 1 + width(word) > columns && !line.trim().is_empty() {
            lines.push(cut(&line, columns));
            indent.clone_into(&mut line);
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.trim().is_empty() {
        lines.push(cut(&line, columns));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_their_columns_even_if_letters_take_two() {
        assert_eq!((left("fio", 5).as_str(), right("fio", 5).as_str()), ("fio  ", "  fio"));
        assert_eq!(cut("a long name", 6), "a lon…");
        assert!(width(&left("日本語日本語", 6)) == 6 && width(&cut("日本語", 5)) <= 5);
        assert_eq!(cut("a\u{1b}[31mb\nc", 20), "a\\u001b[31mb c");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three four", 10, "  "), ["one two", "  three", "  four"]);
        assert_eq!(wrap("abcdefghijkl", 5, " "), ["abcd…"]);
        assert!(wrap("", 5, "").is_empty());
    }
}
