//! Text from plans made safe to print: names and SQL may hold characters that move a cursor, hide text or reverse it.

/// A text for one line: control characters and line breaks are written out.
pub(super) fn line(text: &str) -> String {
    clean(text, false)
}

/// A text of several lines.
pub(super) fn lines(text: &str) -> String {
    clean(text, true)
}

fn clean(text: &str, breaks: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if breaks => out.push(c),
            '\t' => out.push(' '),
            c if c.is_control() || deceives(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Characters that change the order of what is shown, or show nothing.
fn deceives(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(line("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(lines("a\nb\r\u{202e}"), "a\nb\\u{d}\\u{202e}");
        assert_eq!(line("héé 🐘"), "héé 🐘");
    }
}
