//! Texts: when two say the same, and which names they mention.

use std::collections::BTreeSet;

use mig_plan::{Name, Sameness, Sql, sql::TokenKind};

use super::{
    lex::{self, Tok},
    names,
};

/// Whether two texts are one but for case of words, white space, comments, quoting of names and outer parentheses.
pub(crate) fn same(one: &Sql, other: &Sql) -> Sameness {
    if one == other || normal(one.as_str()) == normal(other.as_str()) { Sameness::Same } else { Sameness::Different }
}

/// A text reduced to what counts.
fn normal(text: &str) -> Vec<(TokenKind, String)> {
    let tokens = lex::tokens(text);
    let mut tokens = &tokens[..];
    while let [before @ .., end] = tokens
        && end.is_sign(";")
    {
        tokens = before;
    }
    while let Some(inner) = without_parentheses(tokens) {
        tokens = inner;
    }
    let mut out: Vec<_> = tokens.iter().map(reduced).collect();
    if tokens.first().is_some_and(|t| t.is_word("create")) {
        out = without_optional_words(out);
    }
    out
}

fn reduced(token: &Tok<'_>) -> (TokenKind, String) {
    match token.kind {
        TokenKind::Word | TokenKind::Quoted => {
            (TokenKind::Word, token.identifier().unwrap_or_default().to_ascii_lowercase())
        }
        TokenKind::Number => (TokenKind::Number, token.text.to_ascii_lowercase()),
        TokenKind::Sign if token.text == "==" => (TokenKind::Sign, "=".to_owned()),
        TokenKind::Sign if token.text == "!=" => (TokenKind::Sign, "<>".to_owned()),
        kind => (kind, token.text.to_owned()),
    }
}

/// What a CREATE says that SQLite does not keep: IF NOT EXISTS and the schema `main`.
fn without_optional_words(tokens: Vec<(TokenKind, String)>) -> Vec<(TokenKind, String)> {
    let mut out: Vec<(TokenKind, String)> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    let word = |i: usize, w: &str| tokens.get(i).is_some_and(|(kind, text)| *kind == TokenKind::Word && text == w);
    while at < tokens.len() {
        let head = at < 8;
        if head && word(at, "if") && word(at + 1, "not") && word(at + 2, "exists") {
            at += 3;
        } else if head && word(at, "main") && tokens.get(at + 1).is_some_and(|(_, text)| text == ".") {
            at += 2;
        } else {
            out.push(tokens[at].clone());
            at += 1;
        }
    }
    out
}

/// The tokens between a pair of parentheses that encloses all of them.
fn without_parentheses<'a, 'b>(tokens: &'b [Tok<'a>]) -> Option<&'b [Tok<'a>]> {
    let [open, inner @ .., close] = tokens else { return None };
    if !(open.is_sign("(") && close.is_sign(")")) {
        return None;
    }
    let mut depth = 0usize;
    for token in inner {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.checked_sub(1)?;
        }
    }
    (depth == 0).then_some(inner)
}

/// The names that an expression may mention: identifiers that are neither keywords, functions, nor what stands before a dot.
pub(crate) fn mentions(expression: &Sql) -> BTreeSet<Name> {
    let tokens = lex::tokens(expression.as_str());
    let mut out = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let next_is = |sign| tokens.get(at + 1).is_some_and(|t| t.is_sign(sign));
        let collation = at > 0 && tokens[at - 1].is_word("collate");
        let keyword = token.kind == TokenKind::Word && names::is_keyword(token.text);
        if collation || keyword || next_is("(") || next_is(".") {
            continue;
        }
        if let Some(name) = token.identifier().and_then(|text| Name::new(text).ok()) {
            out.insert(name);
        }
    }
    out
}

/// Whether any identifier of a text is this name.
pub(crate) fn says(text: &Sql, name: &Name) -> bool {
    lex::tokens(text.as_str())
        .iter()
        .filter_map(Tok::identifier)
        .any(|identifier| identifier.eq_ignore_ascii_case(name.as_str()))
}

/// Functions that give another value for each row.
const DRAWS: &[&str] = &["random", "randomblob"];

/// Functions that give what statements before have come to.
const COUNTS: &[&str] = &["changes", "last_insert_rowid", "total_changes"];

/// Whether an expression gives all rows of one statement the same value. A statement has one present.
pub(crate) fn is_one_value(sql: &Sql) -> bool {
    lex::tokens(sql.as_str()).iter().all(|t| !DRAWS.iter().any(|word| t.is_word(word)))
}

/// What in an expression gives another value each time that it is asked.
pub(crate) fn unsteady(sql: &Sql) -> Option<String> {
    const CLOCKS: &[&str] = &["date", "time", "datetime", "julianday", "unixepoch", "strftime"];
    const NOW: &[&str] = &["current_timestamp", "current_date", "current_time"];
    let tokens = lex::tokens(sql.as_str());
    let now = tokens.iter().any(|t| t.kind == TokenKind::Text && t.text.eq_ignore_ascii_case("'now'"));
    tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Word).find_map(|(at, token)| {
        let word = token.text.to_ascii_lowercase();
        let called = tokens.get(at + 1).is_some_and(|t| t.is_sign("("));
        // Without an argument they tell the present.
        let bare = called && tokens.get(at + 2).is_some_and(|t| t.is_sign(")"));
        let varies = NOW.contains(&word.as_str())
            || (called && COUNTS.contains(&word.as_str()))
            || (called && DRAWS.contains(&word.as_str()))
            || (called && CLOCKS.contains(&word.as_str()) && (now || bare));
        varies.then_some(word)
    })
}

/// Whether an expression made again from its own result gives the same: nested functions that only ever tidy up.
pub(crate) fn only_tidies(sql: &Sql) -> bool {
    const TIDY: &[&str] = &["lower", "upper", "trim", "ltrim", "rtrim", "coalesce", "ifnull", "nullif", "abs"];
    let tokens = lex::tokens(sql.as_str());
    let call = |at: usize| tokens.get(at + 1).is_some_and(|t| t.is_sign("("));
    let functions: BTreeSet<String> = tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| token.kind == TokenKind::Word && call(*at))
        .map(|(_, token)| token.text.to_ascii_lowercase())
        .collect();
    let mixes = functions.contains("lower") && functions.contains("upper");
    functions.iter().all(|f| TIDY.contains(&f.as_str()))
        && !mixes
        && !tokens.iter().any(|t| t.kind == TokenKind::Sign && !matches!(t.text, "(" | ")" | "," | "."))
        && !tokens.iter().any(|t| t.kind == TokenKind::Word && names::is_keyword(t.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_count() {
        for (one, other) in [
            ("a > 0", "( \"A\" >0 ) -- why"),
            ("x == 1 AND [y z] != 'A'", "X = 1 and `y z` <> 'A'"),
            (
                "CREATE TRIGGER IF NOT EXISTS main.t AFTER INSERT ON u BEGIN SELECT 1; END;",
                "create trigger T after insert on U begin select 1; end",
            ),
        ] {
            assert_eq!(same(&Sql::new(one), &Sql::new(other)), Sameness::Same, "{one}");
        }
        for (one, other) in [("a > 0", "a > 1"), ("'A'", "'a'"), ("(a) + (b)", "a) + (b")] {
            assert_eq!(same(&Sql::new(one), &Sql::new(other)), Sameness::Different, "{one}");
        }
    }

    #[test]
    fn mentions_columns_only() {
        let found = mentions(&Sql::new("lower(t.a) collate nocase = \"b c\" and D is not null and x'00' <> 'e'"));
        let found: Vec<_> = found.iter().map(Name::as_str).collect();
        assert_eq!(found, ["D", "a", "b c"]);
    }
}
