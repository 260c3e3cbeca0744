//! Cuts SQL into tokens by SQLite's own rules, and walks over them.

use mig_plan::{
    Name,
    sql::{Token, TokenKind},
};

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

    /// The identifier it stands for, case kept: a bare word or a quoted name.
    pub(crate) fn identifier(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Quoted => Token { kind: self.kind, text: self.text }.identifier(),
            _ => None,
        }
    }

    /// The name it stands for where only a name can stand; SQLite takes a string literal there too.
    pub(crate) fn name(&self) -> Option<Name> {
        let text = match self.kind {
            TokenKind::Text if self.text.starts_with('\'') => string_value(self.text),
            _ => self.identifier()?,
        };
        Name::new(text).ok()
    }
}

/// The value of a string literal in single quotes.
pub(crate) fn string_value(text: &str) -> String {
    let inner = text.strip_prefix('\'').unwrap_or(text);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
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
        c if c.is_ascii_whitespace() || c == '\u{feff}' => (TokenKind::Blank, c.len_utf8()),
        '-' if rest.starts_with("--") => (TokenKind::Blank, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (TokenKind::Blank, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
        '\'' => (TokenKind::Text, quoted(rest, '\'')),
        '"' | '`' => (TokenKind::Quoted, quoted(rest, first)),
        '[' => (TokenKind::Quoted, rest.find(']').map_or(rest.len(), |end| end + 1)),
        'x' | 'X' if rest[1..].starts_with('\'') => (TokenKind::Text, 1 + quoted(&rest[1..], '\'')),
        '?' | '@' | '$' | '#' => (TokenKind::Sign, 1 + word(&rest[1..])),
        ':' if rest[1..].starts_with(starts_word) => (TokenKind::Sign, 1 + word(&rest[1..])),
        c if starts_word(c) => (TokenKind::Word, word(rest)),
        c if c.is_ascii_digit() => (TokenKind::Number, number(rest)),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (TokenKind::Number, number(rest)),
        c => {
            const LONG: &[&str] = &["->>", "->", "||", "<=", "<>", "<<", ">=", ">>", "==", "!="];
            (TokenKind::Sign, LONG.iter().find(|op| rest.starts_with(**op)).map_or(c.len_utf8(), |op| op.len()))
        }
    }
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(starts_word(c) || c.is_ascii_digit() || c == '$')).unwrap_or(rest.len())
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut at = 0;
    while at < bytes.len() {
        let sign_of_exponent =
            !hex && at > 0 && matches!(bytes[at], b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E');
        if !(bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'.' | b'_') || sign_of_exponent) {
            break;
        }
        at += 1;
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    loop {
        match rest[at..].find(quote) {
            None => return rest.len(),
            Some(end) if rest[at + end + 1..].starts_with(quote) => at += end + 2,
            Some(end) => return at + end + 1,
        }
    }
}

/// A walk over the tokens of one statement.
pub(crate) struct Walk<'a> {
    source: &'a str,
    tokens: Vec<Tok<'a>>,
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, tokens: tokens(source), at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<Tok<'a>> {
        self.tokens.get(self.at).copied()
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<Tok<'a>> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub(crate) fn take(&mut self) -> Option<Tok<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(crate) fn at_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| t.is_word(word))
    }

    pub(crate) fn at_sign(&self, sign: &str) -> bool {
        self.peek().is_some_and(|t| t.is_sign(sign))
    }

    /// Takes these bare words if they all come next.
    pub(crate) fn words(&mut self, words: &[&str]) -> bool {
        let all = words.iter().enumerate().all(|(i, word)| self.peek_at(i).is_some_and(|t| t.is_word(word)));
        if all {
            self.at += words.len();
        }
        all
    }

    pub(crate) fn sign(&mut self, sign: &str) -> bool {
        let is = self.at_sign(sign);
        self.at += usize::from(is);
        is
    }

    pub(crate) fn name(&mut self) -> Option<Name> {
        let name = self.peek()?.name()?;
        self.at += 1;
        Some(name)
    }

    /// Takes a name that may be qualified, as in `main.t`; gives the last part.
    pub(crate) fn last_name(&mut self) -> Option<Name> {
        let mut name = self.name()?;
        while self.sign(".") {
            name = self.name()?;
        }
        Some(name)
    }

    /// Takes `( ... )`; gives the source between, trimmed.
    pub(crate) fn parenthesized(&mut self) -> Option<&'a str> {
        let open = self.peek().filter(|t| t.is_sign("("))?;
        let mut depth = 0usize;
        while let Some(token) = self.take() {
            if token.is_sign("(") {
                depth += 1;
            } else if token.is_sign(")") {
                depth -= 1;
                if depth == 0 {
                    return Some(self.source[open.end()..token.at].trim());
                }
            }
        }
        None
    }

    /// The source from the next token on, trimmed, without a final semicolon.
    pub(crate) fn rest(&self) -> &'a str {
        let from = self.peek().map_or(self.source.len(), |t| t.at);
        self.source[from..].trim_end().trim_end_matches(';').trim_end()
    }

    /// The source from a place to the end of the last token taken.
    pub(crate) fn since(&self, from: usize) -> &'a str {
        let end = self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(from, Tok::end);
        &self.source[from..end.max(from)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_every_quote() {
        let names: Vec<_> = tokens("a \"b\"\"c\" [d e] `f` 'g''h' x'00' -- x\n /* y */ é1")
            .iter()
            .map(|t| t.name().map(|n| n.as_str().to_owned()))
            .collect();
        let want = [Some("a"), Some("b\"c"), Some("d e"), Some("f"), Some("g'h"), None, Some("é1")];
        assert_eq!(names, want.map(|n| n.map(str::to_owned)));
    }

    #[test]
    fn odd_ends_do_not_panic() {
        for source in ["'", "\"a", "[", "/*", "x'", "1e+", "''", "?", ":", "$é", "."] {
            let _ = tokens(source);
        }
    }
}
