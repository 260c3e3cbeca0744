//! Cuts SQL into tokens by MySQL's own rules.

use mig_plan::sql::TokenKind;

/// A token that is neither white space nor comment, with its place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tok<'a> {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its source text.
    pub(crate) text: &'a str,
    /// Where it begins, in bytes.
    pub(crate) at: usize,
}

impl Tok<'_> {
    /// Where it ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Whether it is this bare word, in any case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }

    /// The identifier that it stands for, case kept.
    pub(crate) fn identifier(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Quoted => {
                let inner = self.text.strip_prefix('`')?;
                Some(inner.strip_suffix('`').unwrap_or(inner).replace("``", "`"))
            }
            _ => None,
        }
    }

    /// The value of a string literal.
    pub(crate) fn string(&self) -> Option<String> {
        (self.kind == TokenKind::Text && self.text.starts_with(['\'', '"'])).then(|| unescaped(self.text))
    }
}

/// The value of a quoted string.
fn unescaped(text: &str) -> String {
    let quote = text.chars().next().unwrap_or('\'');
    let inner = text.get(1..text.len().saturating_sub(1).max(1)).unwrap_or_default();
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c == quote && chars.peek() == Some(&quote) {
            chars.next();
            out.push(quote);
        } else if c == '\\' {
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('0') => out.push('\0'),
                Some('b') => out.push('\u{8}'),
                Some('Z') => out.push('\u{1a}'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The tokens of a text, without white space and comments.
pub(crate) fn tokens(source: &str) -> Vec<Tok<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let (kind, len) = next(&source[at..]);
        if kind != TokenKind::Blank {
            out.push(Tok { kind, text: &source[at..at + len], at });
        }
        at += len;
    }
    out
}

/// Kind and length of the first token of a text that is not empty.
fn next(rest: &str) -> (TokenKind, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        c if c.is_whitespace() => (TokenKind::Blank, c.len_utf8()),
        '#' => (TokenKind::Blank, line(rest)),
        '-' if rest.starts_with("--") && rest[2..].chars().next().is_none_or(char::is_whitespace) => {
            (TokenKind::Blank, line(rest))
        }
        '/' if rest.starts_with("/*") => (TokenKind::Blank, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
        '\'' | '"' => (TokenKind::Text, quoted(rest, first, true)),
        '`' => (TokenKind::Quoted, quoted(rest, '`', false)),
        'x' | 'X' | 'b' | 'B' | 'n' | 'N' if rest[1..].starts_with('\'') => {
            (TokenKind::Text, 1 + quoted(&rest[1..], '\'', true))
        }
        c if c.is_ascii_digit() => number_or_word(rest),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (TokenKind::Number, number(rest)),
        c if in_word(c) => (TokenKind::Word, word(rest)),
        c => {
            const LONG: &[&str] = &["<=>", "->>", "->", "<=", ">=", "<>", "!=", "||", "&&", "<<", ">>", ":="];
            (TokenKind::Sign, LONG.iter().find(|op| rest.starts_with(**op)).map_or(c.len_utf8(), |op| op.len()))
        }
    }
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !in_word(c)).unwrap_or(rest.len())
}

/// A name may begin with a digit.
fn number_or_word(rest: &str) -> (TokenKind, usize) {
    let len = number(rest);
    let lower = rest[..len].to_ascii_lowercase();
    let hex = lower.starts_with("0x") || lower.starts_with("0b");
    let numeric = hex || lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    if numeric { (TokenKind::Number, len) } else { (TokenKind::Word, word(rest)) }
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let exponent_sign = at > 0
            && matches!(bytes[at], b'+' | b'-')
            && matches!(bytes[at - 1], b'e' | b'E')
            && !rest.starts_with("0x");
        if !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'.' || bytes[at] == b'_' || exponent_sign) {
            break;
        }
        at += 1;
    }
    at
}

fn quoted(rest: &str, quote: char, backslash: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if backslash && c == '\\' {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return at + 1,
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_the_quotes() {
        let source = "a = 'it''s \\' x' and `b``c`.d <=> 0x1F # c\n -- d\n and \"q\" --1";
        let texts: Vec<_> = tokens(source).iter().map(|t| t.text).collect();
        let want = ["a", "=", "'it''s \\' x'", "and", "`b``c`", ".", "d", "<=>", "0x1F", "and", "\"q\"", "-", "-", "1"];
        assert_eq!(texts, want);
        assert_eq!(tokens("'it''s \\' \\\\x'")[0].string().unwrap(), "it's ' \\x");
        for odd in ["'", "`a", "/*", "x'", "1e+", "é", "'\\"] {
            let _ = tokens(odd).iter().map(Tok::string).count();
        }
    }
}
