//! Servers and user mappings: their options change in place, so that what depends on them stays, and secrets that nobody but the
//! database knows.

use std::collections::BTreeMap;

use mig_plan::{
    Address, Complaint, Object, ObjectKind, Sql,
    schema::{Body, Source},
    sql::{TokenKind, tokens},
};

use crate::dialect::names::quote_text;

/// What options with secrets end with.
pub(crate) const SECRETS: &[&str] = &["password", "passwd", "pwd", "passcode", "passphrase", "secret", "token", "key"];

/// Whether an object is a user mapping.
pub(crate) fn is_user_mapping(at: &Address) -> bool {
    at.kind() == ObjectKind::Other && at.name().as_str().starts_with("user mapping ")
}

/// The statement that takes a server or a user mapping from one set of options to another; `None` if more than options changes, or it is
/// something else.
pub(crate) fn options_change(at: &Address, from: &Source, to: &Source) -> Option<String> {
    let name = at.name().as_str();
    let known = ["server ", "user mapping ", "foreign data wrapper "];
    if at.kind() != ObjectKind::Other || !known.iter().any(|word| name.starts_with(word)) {
        return None;
    }
    let (old, new) = (Parts::of(from)?, Parts::of(to)?);
    if old.head != new.head {
        return None;
    }
    let mut words = Vec::new();
    for (option, value) in &new.options {
        match old.options.get(option) {
            Some(was) if was == value => {}
            Some(_) => words.push(format!("SET {} {value}", quote_text(option))),
            None => words.push(format!("ADD {} {value}", quote_text(option))),
        }
    }
    let gone = old.options.keys().filter(|option| !new.options.contains_key(*option));
    words.extend(gone.map(|option| format!("DROP {}", quote_text(option))));
    (!words.is_empty()).then(|| format!("ALTER {name} OPTIONS ({})", words.join(", ")))
}

/// What a user mapping must not say.
pub(crate) fn told_secret(at: &Address, object: &Object) -> Option<Complaint> {
    let Body::Source(source) = &object.body else { return None };
    let parts = Parts::of(source).filter(|_| is_user_mapping(at))?;
    let secret = parts.options.into_keys().find(|option| SECRETS.iter().any(|end| option.ends_with(end)))?;
    Some(Complaint {
        at: at.clone(),
        says: format!("option {secret} of {} is a secret, and specs and plans keep none", at.name()),
        help: Some(format!("leave it out and give it in the database: ALTER {} OPTIONS (ADD ...)", at.name())),
    })
}

/// A statement with its options taken out.
struct Parts {
    head: Vec<String>,
    options: BTreeMap<String, String>,
}

impl Parts {
    fn of(source: &Source) -> Option<Self> {
        let [create] = &source.create[..] else { return None };
        let words: Vec<_> = tokens(Sql::as_str(create)).filter(|t| t.kind != TokenKind::Blank).collect();
        let begin = words.windows(2).position(|w| w[0].text.eq_ignore_ascii_case("options") && w[1].text == "(");
        let said = |from: usize, to: usize| {
            words[from..to].iter().map(|t| t.identifier().unwrap_or_else(|| t.text.to_owned())).collect()
        };
        let Some(begin) = begin else { return Some(Self { head: said(0, words.len()), options: BTreeMap::new() }) };
        let mut options = BTreeMap::new();
        for pair in words[begin + 2..].split(|word| matches!(word.text, "," | ")")) {
            match pair {
                [name, value] if value.kind == TokenKind::Text => {
                    options.insert(name.identifier()?, value.text.to_owned());
                }
                [] => {}
                _ => return None,
            }
        }
        Some(Self { head: said(0, begin), options })
    }
}
