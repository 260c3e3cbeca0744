//! Column types: any text will do outside STRICT tables; what it means is its affinity.

use mig_plan::UnknownType;

use super::{
    lex::{self, Tok},
    names,
};
use mig_plan::sql::TokenKind;

/// The types that a STRICT table knows.
pub(crate) const STRICT: &[&str] = &["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"];

/// What SQLite tries to make of a value before it stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// A type in upper case, with one space wherever there was any: as SQLite shows it.
pub(crate) fn canonical(declared: &str) -> String {
    let mut out = String::new();
    let mut rest = declared;
    for token in lex::tokens(declared) {
        let Some(at) = rest.find(token.text) else { continue };
        if at > 0 && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word(&token));
        rest = &rest[at + token.text.len()..];
    }
    out
}

/// A type by which two spellings are compared: words apart by one space, numbers close to their parentheses.
pub(crate) fn tight(declared: &str) -> String {
    let mut out = String::new();
    let mut tight = true;
    for token in lex::tokens(declared) {
        let close = matches!(token.text, "(" | ")" | "," | "+" | "-") && token.kind == TokenKind::Sign;
        if !tight && !close {
            out.push(' ');
        }
        tight = close && token.text != ")";
        out.push_str(&word(&token));
    }
    out
}

fn word(token: &Tok<'_>) -> String {
    match token.name() {
        Some(name) if token.kind != TokenKind::Word => {
            let plain = lex::tokens(name.as_str()).iter().all(|t| t.kind == TokenKind::Word && !stops(t));
            if plain { name.as_str().to_ascii_uppercase() } else { names::quote(&name) }
        }
        _ => token.text.to_ascii_uppercase(),
    }
}

/// Whether a word ends the type of a column definition, because a constraint begins with it.
pub(crate) fn stops(token: &Tok<'_>) -> bool {
    const WORDS: &[&str] = &[
        "constraint",
        "primary",
        "not",
        "null",
        "unique",
        "check",
        "default",
        "collate",
        "references",
        "generated",
        "as",
        "on",
        "deferrable",
    ];
    WORDS.iter().any(|word| token.is_word(word))
}

/// The affinity of a type, by SQLite's five rules.
pub(crate) fn affinity(data_type: &str, strict: bool) -> Affinity {
    let upper = data_type.to_ascii_uppercase();
    let has = |part: &str| upper.contains(part);
    if strict && upper == "ANY" {
        return Affinity::Blob;
    }
    if has("INT") {
        Affinity::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || upper.is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// What a column of another type or collation makes of a value. `ANY`, which converts in some tables only, is taken to convert nothing.
pub(crate) fn converted(value: &str, data_type: &str, collation: Option<&str>) -> String {
    let stored = match affinity(data_type, true) {
        Affinity::Blob => format!("({value})"),
        Affinity::Text => {
            format!("CASE WHEN typeof({value}) IN ('integer', 'real') THEN CAST({value} AS TEXT) ELSE {value} END")
        }
        // Numbers that are equal are alike, whatever they are stored as. A text becomes one if it says one.
        Affinity::Integer | Affinity::Real | Affinity::Numeric => format!(
            "CASE WHEN typeof({value}) = 'text' AND {value} = CAST({value} AS NUMERIC) THEN CAST({value} AS NUMERIC) ELSE {value} END"
        ),
    };
    format!("{stored} COLLATE {}", collation.unwrap_or("BINARY"))
}

/// Whether a declared text can stand as a type at all: words, then perhaps one or two numbers in parentheses.
pub(crate) fn check(declared: &str) -> Result<String, UnknownType> {
    let tokens = lex::tokens(declared);
    let words = tokens.iter().take_while(|t| t.name().is_some() && !stops(t)).count();
    let numbers = &tokens[words..];
    let inner = match numbers {
        [] => true,
        [open, inner @ .., close] if words > 0 && open.is_sign("(") && close.is_sign(")") => {
            let signed = |part: &[Tok<'_>]| match part {
                [one] => one.kind == TokenKind::Number || one.name().is_some(),
                [sign, number] => (sign.is_sign("+") || sign.is_sign("-")) && number.kind == TokenKind::Number,
                _ => false,
            };
            let parts: Vec<_> = inner.split(|t| t.is_sign(",")).collect();
            parts.len() <= 2 && parts.iter().all(|part| signed(part))
        }
        _ => false,
    };
    if inner { Ok(canonical(declared)) } else { Err(UnknownType { near: None }) }
}

/// Whether a STRICT table knows the type; a near miss if not.
pub(crate) fn check_strict(data_type: &str) -> Result<(), UnknownType> {
    if STRICT.iter().any(|known| known.eq_ignore_ascii_case(data_type)) {
        return Ok(());
    }
    let near = match affinity(data_type, false) {
        _ if data_type.is_empty() => "ANY",
        Affinity::Integer => "INTEGER",
        Affinity::Text => "TEXT",
        Affinity::Blob => "BLOB",
        Affinity::Real => "REAL",
        Affinity::Numeric if data_type.to_ascii_uppercase().starts_with("BOOL") => "INTEGER",
        Affinity::Numeric => "ANY",
    };
    Err(UnknownType { near: Some(near.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        assert_eq!(canonical("varchar(255)"), "VARCHAR(255)");
        assert_eq!(canonical("decimal(10,  2)"), "DECIMAL(10, 2)");
        assert_eq!(tight("decimal ( 10 , 2 )"), "DECIMAL(10,2)");
        assert_eq!(canonical("unsigned  big\nint"), "UNSIGNED BIG INT");
        assert_eq!(canonical("[nvarchar](10)"), "NVARCHAR(10)");
        assert_eq!(canonical(""), "");
        assert_eq!(canonical(&canonical("\"my (odd)\" type (-1)")), canonical("\"my (odd)\" type (-1)"));
    }

    #[test]
    fn affinities() {
        assert_eq!(affinity("CHARINT", false), Affinity::Integer);
        assert_eq!(affinity("BOOLEAN", false), Affinity::Numeric);
        assert_eq!(affinity("", false), Affinity::Blob);
        assert_eq!(check_strict("varchar(3)"), Err(UnknownType { near: Some("TEXT".to_owned()) }));
        assert!(check("integer default 1").is_err());
        assert!(check("").is_ok());
    }
}
