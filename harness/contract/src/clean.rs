//! Cleaning: text from files, names and kernels may do nothing to a terminal or a page.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Most bytes of a message on a terminal.
const MESSAGE_BYTES_MAX: usize = 4_000;

/// Replaces what would steer a terminal or reorder a line by its escape, such as `\\u001b`. Tabs and
/// line breaks stay. A JSON text stays the same value: these characters are no part of its syntax,
/// and JSON escapes them so.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers(letter) {
            // Writing to a string cannot fail.
            let _ = write!(cleaned, "\\u{:04x}", u32::from(letter));
        } else {
            cleaned.push(letter);
        }
    }
    Cow::Owned(cleaned)
}

/// A message for a terminal: cleaned, and cut if it is longer than anyone would read.
#[must_use]
pub fn clean_message(text: &str) -> String {
    let cleaned = clean(text);
    if cleaned.len() <= MESSAGE_BYTES_MAX {
        return cleaned.into_owned();
    }
    let (shown, rest) = cleaned.split_at(cleaned.floor_char_boundary(MESSAGE_BYTES_MAX));
    format!("{shown}… ({} bytes more)", rest.len())
}

/// Control characters of ASCII and of Latin 1, separators of lines other than the line break, and
/// marks that are invisible or change the direction of what follows (Unicode Standard Annex 9).
fn steers(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => true,
        _ => letter.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_are_shown_and_all_else_stays() {
        let rows = [
            ("plain\ttext\n", "plain\ttext\n"),
            ("µs – Zoë ½", "µs – Zoë ½"),
            ("\u{1b}[31mred", "\\u001b[31mred"),
            ("a\rb\u{7f}\u{9b}c", "a\\u000db\\u007f\\u009bc"),
            ("\u{202e}gnp.exe\u{2069}", "\\u202egnp.exe\\u2069"),
        ];
        for (text, cleaned) in rows {
            assert_eq!(clean(text), cleaned);
        }
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_values() -> serde_json::Result<()> {
        let value = serde_json::json!({ "a\u{202e}": "\u{9b}31m\u{1b} \u{feff}" });
        let text = serde_json::to_string(&value)?;
        let cleaned = clean(&text);
        assert!(!cleaned.contains(steers));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&cleaned)?, value);
        Ok(())
    }

    #[test]
    fn a_message_has_an_end() {
        assert_eq!(clean_message("short"), "short");
        let long = clean_message(&"€".repeat(2_000));
        assert!(long.ends_with("€… (2001 bytes more)"), "{long}");
    }
}
