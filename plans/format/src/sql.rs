//! SQL text, and just enough of its lexical structure to speak about names in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// A piece of SQL as somebody wrote it: the user, or the catalog's deparser. Never edited, only passed through,
/// save for [`Sql::with_name_replaced`], which says what a server's own rename does to the texts it keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sql(pub String);

impl Sql {
    /// Takes a text as SQL.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with each identifier token that means `from` replaced by `to`, quoted by `quote`.
    #[must_use]
    pub fn with_name_replaced(&self, from: &Name, to: &Name, quote: impl Fn(&Name) -> String) -> Self {
        let mut out = String::with_capacity(self.0.len());
        for token in tokens(&self.0) {
            if token.names(from) {
                out.push_str(&quote(to));
            } else {
                out.push_str(token.text);
            }
        }
        Self(out)
    }

    /// Whether an identifier token of the text means `name`.
    #[must_use]
    pub fn mentions(&self, name: &Name) -> bool {
        tokens(&self.0).any(|token| token.names(name))
    }
}

/// Words that every engine takes for a name only in quotes: bare, they are what they say, even where something has that name.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "as",
    "case",
    "check",
    "constraint",
    "create",
    "default",
    "distinct",
    "else",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "join",
    "limit",
    "not",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "select",
    "table",
    "then",
    "to",
    "union",
    "unique",
    "using",
    "when",
    "where",
];

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a lexical token of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// White space or a comment.
    Blank,
    /// A bare word: keyword or identifier.
    Word,
    /// An identifier in double quotes, backticks or brackets.
    Quoted,
    /// A string literal of any kind, dollar-quoted ones included.
    Text,
    /// A number.
    Number,
    /// An operator or punctuation sign.
    Sign,
}

/// One token with its exact text; the texts of all tokens, joined, are the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its source text.
    pub text: &'a str,
}

impl Token<'_> {
    /// Whether it means the thing of this name.
    fn names(&self, name: &Name) -> bool {
        let reserved = self.kind == TokenKind::Word
            && RESERVED.binary_search_by(|word| (*word).cmp(self.text.to_ascii_lowercase().as_str())).is_ok();
        !reserved && self.identifier().is_some_and(|is| is == name.as_str())
    }

    /// The identifier that the token may stand for: a bare word folded to lower case, or a quoted one unescaped.
    #[must_use]
    pub fn identifier(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_lowercase()),
            TokenKind::Quoted => {
                let mut inner = self.text.chars();
                let (open, inner) = (inner.next()?, inner.as_str());
                // One that is not closed runs to the end.
                let inner = inner.strip_suffix(if open == '[' { ']' } else { open }).unwrap_or(inner);
                Some(match open {
                    '"' => inner.replace("\"\"", "\""),
                    '`' => inner.replace("``", "`"),
                    _ => inner.to_owned(),
                })
            }
            _ => None,
        }
    }
}

/// Cuts SQL into tokens. Total: anything unknown is a [`TokenKind::Sign`], an unclosed quote runs to the end.
pub fn tokens(source: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = source;
    let mut after_word_or_close = false;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (kind, len) = next_token(rest, after_word_or_close);
        let (text, tail) = rest.split_at(len);
        rest = tail;
        if kind != TokenKind::Blank {
            after_word_or_close =
                matches!(kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Number) || text == ")" || text == "]";
        }
        Some(Token { kind, text })
    })
}

/// Kind and byte length of the first token. `subscript` tells that a `[` here indexes rather than quotes.
fn next_token(rest: &str, subscript: bool) -> (TokenKind, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        c if c.is_whitespace() => (TokenKind::Blank, rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())),
        '-' if rest.starts_with("--") => (TokenKind::Blank, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (TokenKind::Blank, block_comment(rest)),
        '\'' => (TokenKind::Text, quoted(rest, '\'', false)),
        '"' => (TokenKind::Quoted, quoted(rest, '"', false)),
        '`' => (TokenKind::Quoted, quoted(rest, '`', false)),
        '[' if !subscript && bracket_name(rest).is_some() => (TokenKind::Quoted, bracket_name(rest).unwrap_or(1)),
        '$' => dollar(rest),
        c if (c == 'e' || c == 'E') && rest[1..].starts_with('\'') => {
            (TokenKind::Text, 1 + quoted(&rest[1..], '\'', true))
        }
        c if matches!(c, 'x' | 'X' | 'b' | 'B' | 'n' | 'N') && rest[1..].starts_with('\'') => {
            (TokenKind::Text, 1 + quoted(&rest[1..], '\'', false))
        }
        c if c.is_alphabetic() || c == '_' => {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            (TokenKind::Word, end)
        }
        c if c.is_ascii_digit() => (TokenKind::Number, number(rest)),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (TokenKind::Number, number(rest)),
        _ => (TokenKind::Sign, sign(rest, first)),
    }
}

/// Length of a quoted token that opens with `quote`; doubling escapes it, and a backslash too where `backslash`.
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
                _ => return at + c.len_utf8(),
            }
        }
    }
    rest.len()
}

/// Length of a `[name]`, if the bracket holds what looks like a name and not a subscript or an array.
fn bracket_name(rest: &str) -> Option<usize> {
    let end = rest.find(']')?;
    let inner = &rest[1..end];
    let name_like = inner.starts_with(|c: char| c.is_alphabetic() || c == '_') && !inner.contains(['\'', ',', '(']);
    name_like.then_some(end + 1)
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// A dollar-quoted string (`$tag$ ... $tag$`), a parameter (`$1`), or a lone sign.
fn dollar(rest: &str) -> (TokenKind, usize) {
    let tag_end = rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(rest.len(), |at| at + 1);
    if rest[tag_end..].starts_with('$') && !rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        let tag = &rest[..=tag_end];
        let body = &rest[tag.len()..];
        return (TokenKind::Text, body.find(tag).map_or(rest.len(), |at| tag.len() + at + tag.len()));
    }
    (TokenKind::Sign, tag_end.max(1))
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let exponent_sign = matches!(bytes[at], b'+' | b'-')
            && at > 0
            && matches!(bytes[at - 1], b'e' | b'E')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
            && !rest.starts_with("0x");
        if !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'.' || bytes[at] == b'_' || exponent_sign) {
            break;
        }
        at += 1;
    }
    at
}

/// Length of an operator: the longest known one, else one character.
fn sign(rest: &str, first: char) -> usize {
    const LONG: &[&str] = &[
        "!~~*", "->>", "#>>", "!~~", "~~*", "!~*", "<=>", "<->", "::", "<=", ">=", "<>", "!=", "||", "->", "#>", "@>",
        "<@", "~~", "~*", "!~", "<<", ">>", "&&", ":=", "=>", "==", "?|", "?&", "@@", "@?",
    ];
    LONG.iter().find(|op| rest.starts_with(**op)).map_or(first.len_utf8(), |op| op.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_join_to_the_source() {
        for source in [
            "a = 'it''s' AND \"B\"\"x\".c ->> 'k' || $tag$ body ' $tag$ -- end",
            "x[1:2] + [weird name] /* a /* b */ c */ E'\\'' 1.5e-3 é.ü '",
            "$1 + 0x1F",
            "arr[i] = ARRAY['a', 'b']",
        ] {
            assert_eq!(tokens(source).map(|t| t.text).collect::<String>(), source);
        }
    }

    #[test]
    fn replaces_names_not_text() {
        let sql = Sql::new("name = 'name' and t.NAME > \"name\" and names is null");
        let (from, to) = (Name::new("name").unwrap(), Name::new("full").unwrap());
        let done = sql.with_name_replaced(&from, &to, |n| n.as_str().to_owned());
        assert_eq!(done.as_str(), "full = 'name' and t.full > full and names is null");
    }
}
