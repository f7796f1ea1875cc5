//! Cleaning: what text from files, names and kernels may do to a terminal or a page, which is nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replaces what would steer a terminal or reorder a line by its escape, such as `\u{1b}`. Tabs and
/// line breaks stay. Within JSON use [`clean_json`].
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    replaced(text, |text, letter| write!(text, "\\u{{{:x}}}", u32::from(letter)))
}

/// The same for a JSON text, whose values stay what they are: none of these characters is part of
/// its syntax, and each is written as JSON escapes it.
#[must_use]
pub fn clean_json(text: &str) -> Cow<'_, str> {
    replaced(text, |text, letter| write!(text, "\\u{:04x}", u32::from(letter)))
}

fn replaced(text: &str, escape: impl Fn(&mut String, char) -> std::fmt::Result) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers(letter) {
            // Writing to a string cannot fail.
            let _ = escape(&mut cleaned, letter);
        } else {
            cleaned.push(letter);
        }
    }
    Cow::Owned(cleaned)
}

/// Control characters of ASCII and of Latin 1, separators of lines that are no line breaks, and marks
/// that change the direction of what follows (Unicode Standard Annex 9) or cannot be seen.
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
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\rb\u{7f}\u{9b}c", "a\\u{d}b\\u{7f}\\u{9b}c"),
            ("\u{202e}gnp.exe\u{2069}", "\\u{202e}gnp.exe\\u{2069}"),
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
        let cleaned = clean_json(&text);
        assert!(!cleaned.contains(steers));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&cleaned)?, value);
        Ok(())
    }
}
