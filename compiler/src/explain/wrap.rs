//! Words put into lines.

/// Appends a paragraph: the first line after `first`, those below after as many blanks. Words longer than a line stay whole.
pub(super) fn paragraph(out: &mut String, first: &str, text: &str, width: usize) {
    let indent = first.chars().count();
    let room = width.saturating_sub(indent).max(20);
    out.push_str(first);
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = 0;
        }
        if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_under_the_first_word() {
        let mut out = String::new();
        paragraph(&mut out, "  why: ", "one two three four five six", 27);
        assert_eq!(out, "  why: one two three four\n       five six\n");
    }
}
