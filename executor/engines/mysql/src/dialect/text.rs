//! Texts: when two say the same, which names they mention, what they say in the server's own form.

use std::{collections::BTreeSet, ops::ControlFlow};

use mig_plan::{Name, Sameness, Sql, sql::TokenKind};
use sqlparser::{
    ast::{Expr, VisitMut as _, VisitorMut},
    dialect::MySqlDialect,
    parser::Parser,
};

use super::lex::{self, Tok};

/// Words that are no column names.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "binary",
    "by",
    "case",
    "cast",
    "char",
    "character",
    "collate",
    "convert",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "day",
    "decimal",
    "desc",
    "distinct",
    "div",
    "else",
    "end",
    "escape",
    "exists",
    "false",
    "for",
    "from",
    "group",
    "having",
    "hour",
    "if",
    "in",
    "inner",
    "integer",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "match",
    "minute",
    "mod",
    "month",
    "natural",
    "not",
    "null",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "regexp",
    "right",
    "rlike",
    "row",
    "second",
    "select",
    "set",
    "signed",
    "table",
    "then",
    "time",
    "timestamp",
    "true",
    "union",
    "unique",
    "unsigned",
    "update",
    "using",
    "values",
    "week",
    "when",
    "where",
    "with",
    "xor",
    "year",
];

/// Whether two texts mean the same. `code` are whole statements such as CREATE TRIGGER.
pub(crate) fn same(one: &Sql, other: &Sql, code: bool) -> Sameness {
    if one == other {
        return Sameness::Same;
    }
    let (a, b) = (lex::tokens(one.as_str()), lex::tokens(other.as_str()));
    if let (Some(a), Some(b)) = (number(&a), number(&b))
        && a == b
    {
        return Sameness::Same;
    }
    let (a, b) = (reduced(&a, code), reduced(&b, code));
    if a == b || (!code && parsed(&a).is_some_and(|tree| Some(tree) == parsed(&b))) {
        return Sameness::Same;
    }
    Sameness::Different
}

/// A literal number, quoted or not, in one form.
fn number(tokens: &[Tok<'_>]) -> Option<String> {
    let (sign, rest) = match tokens {
        [minus, rest @ ..] if minus.is_sign("-") => ("-", rest),
        all => ("", all),
    };
    let [only] = rest else { return None };
    let text = match only.kind {
        TokenKind::Number => only.text.to_owned(),
        TokenKind::Word if only.is_word("true") => "1".to_owned(),
        TokenKind::Word if only.is_word("false") => "0".to_owned(),
        _ => only.string()?,
    };
    let text = format!("{sign}{text}");
    let digits = text.trim_start_matches('-');
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    Some(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}

/// The tokens in one spelling.
fn reduced(tokens: &[Tok<'_>], code: bool) -> Vec<String> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    let head = tokens.iter().position(|t| ["trigger", "procedure", "function", "event"].iter().any(|w| t.is_word(w)));
    while at < tokens.len() {
        let token = &tokens[at];
        let next = tokens.get(at + 1);
        if code
            && head.is_some_and(|head| at <= head + 3)
            && let Some(skip) = optional(&tokens[at..])
        {
            at += skip;
            continue;
        }
        let introducer = token.kind == TokenKind::Word
            && token.text.starts_with('_')
            && next.is_some_and(|n| n.kind == TokenKind::Text && n.at == token.end());
        if introducer {
            at += 1;
            continue;
        }
        out.push(match token.kind {
            TokenKind::Word => synonym(token, next),
            TokenKind::Quoted => {
                let name = token.identifier().unwrap_or_default().to_lowercase();
                let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if plain && !is_keyword(&name) { name } else { format!("`{name}`") }
            }
            TokenKind::Text => match token.string() {
                Some(value) => format!("'{}'", value.replace('\'', "''")),
                None => token.text.to_lowercase(),
            },
            TokenKind::Sign => match token.text {
                "!=" => "<>".to_owned(),
                "&&" if !code => "and".to_owned(),
                other => other.to_owned(),
            },
            _ => token.text.to_lowercase(),
        });
        let bare_now = !code && token.is_word("current_timestamp") && !next.is_some_and(|n| n.is_sign("("));
        if bare_now {
            out.extend(["(".to_owned(), ")".to_owned()]);
        }
        at += 1;
    }
    while out.last().is_some_and(|t| t == ";") {
        out.pop();
    }
    out
}

/// How many tokens say what the server does not keep: OR REPLACE, DEFINER = user, IF NOT EXISTS.
fn optional(tokens: &[Tok<'_>]) -> Option<usize> {
    let word = |i: usize, w: &str| tokens.get(i).is_some_and(|t| t.is_word(w));
    if word(0, "or") && word(1, "replace") {
        return Some(2);
    }
    if word(0, "if") && word(1, "not") && word(2, "exists") {
        return Some(3);
    }
    let equals = tokens.get(1).is_some_and(|t| t.is_sign("="));
    if word(0, "definer") && equals {
        let host = tokens.get(3).is_some_and(|t| t.is_sign("@"));
        return Some(if host { 5 } else { 3 });
    }
    None
}

fn synonym(token: &Tok<'_>, next: Option<&Tok<'_>>) -> String {
    let word = token.text.to_lowercase();
    let called = next.is_some_and(|n| n.is_sign("("));
    match word.as_str() {
        "true" => "1",
        "false" => "0",
        "length" if called => "octet_length",
        "now" | "localtime" | "localtimestamp" if called => "current_timestamp",
        "character_length" if called => "char_length",
        "substring" if called => "substr",
        _ => return word,
    }
    .to_owned()
}

/// The expression as a tree without redundant parentheses.
fn parsed(tokens: &[String]) -> Option<Expr> {
    struct Bare;
    impl VisitorMut for Bare {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            while let Expr::Nested(inner) = expr {
                *expr = (**inner).clone();
            }
            ControlFlow::Continue(())
        }
    }
    let text = tokens.join(" ");
    let mut parser = Parser::new(&MySqlDialect {}).try_with_sql(&text).ok()?;
    let mut tree = parser.parse_expr().ok()?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    let _ = tree.visit(&mut Bare);
    Some(tree)
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

/// The names that an expression may mention: identifiers that are neither keywords nor functions nor what stands before a dot.
pub(crate) fn mentions(expression: &Sql) -> BTreeSet<Name> {
    let tokens = lex::tokens(expression.as_str());
    let mut out = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let next_is = |sign| tokens.get(at + 1).is_some_and(|t| t.is_sign(sign));
        let keyword = token.kind == TokenKind::Word && is_keyword(&token.text.to_lowercase());
        if keyword || next_is("(") && token.kind == TokenKind::Word {
            continue;
        }
        if let Some(name) = token.identifier().and_then(|text| Name::new(text).ok()) {
            out.insert(name);
        }
    }
    out
}

/// Every identifier of a text.
pub(crate) fn identifiers(text: &str) -> BTreeSet<String> {
    lex::tokens(text).iter().filter_map(Tok::identifier).collect()
}

/// The names in the body of a trigger.
pub(crate) fn identifiers_of_body(trigger: &str) -> BTreeSet<String> {
    let tokens = lex::tokens(trigger);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|t| t.text.eq_ignore_ascii_case(word));
    let body = (0..tokens.len()).find(|&at| is(at, "for") && is(at + 1, "each") && is(at + 2, "row"));
    tokens.iter().skip(body.map_or(0, |at| at + 3)).filter_map(Tok::identifier).collect()
}

/// Whether an expression made again from its own result gives the same: nested functions that only ever tidy up.
pub(crate) fn only_tidies(expression: &Sql) -> bool {
    const TIDY: &[&str] = &["abs", "coalesce", "ifnull", "lower", "ltrim", "nullif", "rtrim", "trim", "upper"];
    let tokens = lex::tokens(expression.as_str());
    let mut functions = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let word = token.text.to_lowercase();
        match token.kind {
            TokenKind::Word if tokens.get(at + 1).is_some_and(|t| t.is_sign("(")) => {
                functions.insert(word);
            }
            TokenKind::Word if is_keyword(&word) => return false,
            TokenKind::Sign if !matches!(word.as_str(), "(" | ")" | "," | ".") => return false,
            _ => {}
        }
    }
    functions.iter().all(|f| TIDY.contains(&f.as_str()))
        && !(functions.contains("lower") && functions.contains("upper"))
}

/// Whether an expression gives all rows of one statement the same value. A statement has one present, save for SYSDATE.
pub(crate) fn is_one_value(expression: &Sql) -> bool {
    const DRAWS: &[&str] = &[
        "next",
        "nextval",
        "rand",
        "random_bytes",
        "setval",
        "sys_guid",
        "sysdate",
        "uuid",
        "uuid_short",
        "uuid_v4",
        "uuid_v7",
    ];
    lex::tokens(expression.as_str()).iter().filter(|token| token.kind == TokenKind::Word).all(|token| {
        let word = token.text.to_ascii_lowercase();
        !DRAWS.contains(&word.as_str())
    })
}

/// What in an expression gives another value each time that it is asked.
pub(crate) fn unsteady(expression: &Sql) -> Option<String> {
    const VARY: &[&str] = &[
        "connection_id",
        "curdate",
        "curtime",
        "current_date",
        "current_time",
        "current_timestamp",
        "last_insert_id",
        "localtime",
        "localtimestamp",
        "now",
        "rand",
        "random_bytes",
        "sysdate",
        "unix_timestamp",
        "utc_date",
        "utc_time",
        "utc_timestamp",
        "uuid",
        "uuid_short",
        "uuid_v4",
        "uuid_v7",
    ];
    const BARE: &[&str] = &[
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "utc_date",
        "utc_time",
        "utc_timestamp",
    ];
    let tokens = lex::tokens(expression.as_str());
    tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Word).find_map(|(at, token)| {
        let word = token.text.to_lowercase();
        let called = tokens.get(at + 1).is_some_and(|t| t.is_sign("("));
        // With an argument it speaks of that.
        let of_something = word == "unix_timestamp" && !tokens.get(at + 2).is_some_and(|t| t.is_sign(")"));
        let varies = (called && VARY.contains(&word.as_str()) && !of_something) || BARE.contains(&word.as_str());
        varies.then_some(word)
    })
}

/// A text without the name of its database before other names.
pub(crate) fn without_database(text: &str, database: &str) -> String {
    let tokens = lex::tokens(text);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut at = 0;
    while at + 1 < tokens.len() {
        let names_it = tokens[at].kind == TokenKind::Quoted && tokens[at].identifier().as_deref() == Some(database);
        let after_dot = at > 0 && tokens[at - 1].is_sign(".");
        if names_it && !after_dot && tokens[at + 1].is_sign(".") {
            out.push_str(&text[from..tokens[at].at]);
            from = tokens[at + 1].end();
            at += 1;
        }
        at += 1;
    }
    out.push_str(&text[from..]);
    out
}

/// Settings such as ``row_format=DYNAMIC `page_compressed`='1'``; a word alone has no value.
pub(crate) fn pairs(said: &str) -> Vec<(String, String)> {
    let tokens = lex::tokens(said);
    let mut out: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let key = tokens[at].identifier().unwrap_or_else(|| tokens[at].text.to_owned()).to_lowercase();
        if tokens.get(at + 1).is_some_and(|t| t.is_sign("=")) {
            let value = tokens.get(at + 2).map(|t| t.string().unwrap_or_else(|| t.text.to_owned()));
            out.push((key, value.unwrap_or_default()));
            at += 3;
        } else {
            out.push((key, String::new()));
            at += 1;
        }
    }
    out
}

/// A definition with `words` after its first CREATE, unless it says so already.
pub(crate) fn after_create(text: &str, words: &str) -> String {
    let tokens = lex::tokens(text);
    let said = tokens.get(1).is_some_and(|t| t.is_word("or"));
    match tokens.first() {
        Some(create) if create.is_word("create") && !said => {
            format!("{} {words}{}", &text[..create.end()], &text[create.end()..])
        }
        _ => text.to_owned(),
    }
}

/// A definition without its DEFINER, if that is `user`.
pub(crate) fn without_definer(text: &str, user: Option<&str>) -> String {
    let tokens = lex::tokens(text);
    let Some(at) = tokens.iter().take(6).position(|t| t.is_word("definer")) else { return text.to_owned() };
    let Some(skip) = optional(&tokens[at..]) else { return text.to_owned() };
    let (first, last) = (tokens[at + 2], tokens[(at + skip - 1).min(tokens.len() - 1)]);
    let named = |t: Tok<'_>| t.identifier().or_else(|| t.string()).unwrap_or_default();
    let who = format!("{}@{}", named(first), named(last));
    if user.is_some_and(|user| user != who) {
        return text.to_owned();
    }
    let end = tokens.get(at + skip).map_or(text.len(), |t| t.at);
    format!("{}{}", &text[..tokens[at].at], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(one: &str, other: &str, code: bool) -> bool {
        same(&Sql::new(one), &Sql::new(other), code) == Sameness::Same
    }

    #[test]
    fn spelling_does_not_count() {
        for (one, other) in [
            ("n > 0 AND v IN ('x', 'y')", "`n` > 0 and `v` in ('x','y')"),
            ("(length(v)) > 2", "octet_length(`v`) > 2"),
            ("now()", "current_timestamp()"),
            ("CURRENT_TIMESTAMP", "current_timestamp()"),
            ("true", "1"),
            ("1", "1.00"),
            ("'0'", "0"),
            ("((a + b) * c)", "(`a` + `b`) * `c`"),
            ("json_array(_utf8mb4'a')", "json_array('a')"),
            ("a != \"x\"", "`a` <> 'x'"),
        ] {
            assert!(is_same(one, other, false), "{one} / {other}");
        }
        for (one, other) in [("a > 0", "a > 1"), ("(a + b) * c", "a + b * c"), ("'A'", "'a'")] {
            assert!(!is_same(one, other, false), "{one} / {other}");
        }
        assert!(is_same(
            "create or replace trigger tr before insert on t for each row set new.v = 1;",
            "CREATE DEFINER=`root`@`localhost` trigger `tr` BEFORE INSERT ON `t` FOR EACH ROW set new.v = 1",
            true
        ));
    }

    #[test]
    fn words_of_the_head_come_and_go() {
        let text = "CREATE DEFINER=`root`@`localhost` PROCEDURE `p`() select 1";
        assert_eq!(without_definer(text, Some("root@localhost")), "CREATE PROCEDURE `p`() select 1");
        assert_eq!(without_definer(text, Some("me@localhost")), text);
        assert_eq!(after_create("CREATE TRIGGER x", "OR REPLACE"), "CREATE OR REPLACE TRIGGER x");
        assert_eq!(without_database("select `x`.`t`.`a` from `x`.`t` `x2`", "x"), "select `t`.`a` from `t` `x2`");
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }
}
