//! Grants as specs write them: `select, insert to app`, `select (email) to readers`, `revoke execute from public`.

use std::collections::BTreeSet;

use mig_plan::{Grant, GrantRule, Name, split_path};

use super::Resolver;
use crate::{diagnostic::Code, spec::Text};

impl Resolver<'_> {
    /// Reads grants; reports those that cannot be read.
    pub(super) fn grants(&mut self, said: &[Text]) -> BTreeSet<Grant> {
        let mut all = BTreeSet::new();
        for text in said {
            match read(&text.value) {
                Some(grants) => all.extend(grants),
                None => {
                    let help = "write it like `select, insert to app`, `select (email) to readers`, \
                                `all to admin with grant option` or `revoke execute from public`";
                    let says = format!("`{}` is no grant", text.value);
                    self.error(Code::BadValue, &text.place, says).help = Some(help.to_owned());
                }
            }
        }
        all
    }
}

/// The grants that a text means; `None` if it cannot be read.
fn read(text: &str) -> Option<Vec<Grant>> {
    let words = pieces(text, |c| c.is_whitespace());
    let is = |i: usize, word: &str| words.get(i).is_some_and(|w| w.eq_ignore_ascii_case(word));
    let revoked = is(0, "revoke");
    let start = usize::from(revoked || is(0, "grant"));
    let turn = (start..words.len()).find(|i| is(*i, if revoked { "from" } else { "to" }))?;
    let passed_on = words.len() > 3
        && ["with", "grant", "option"].iter().enumerate().all(|(i, word)| is(words.len() - 3 + i, word));
    let end = if passed_on { words.len() - 3 } else { words.len() };
    let rule = match (revoked, passed_on) {
        (true, true) => return None,
        (true, false) => GrantRule::Revoked,
        (false, true) => GrantRule::WithGrantOption,
        (false, false) => GrantRule::Granted,
    };
    let privileges = words.get(start..turn)?.join(" ");
    let roles = words.get(turn + 1..end)?.join(" ");
    let mut grants = Vec::new();
    for role in pieces(&roles, |c| c == ',') {
        let to = one_name(role)?.as_str().to_owned();
        for privilege in pieces(&privileges, |c| c == ',') {
            let (word, columns) = match privilege.split_once('(') {
                Some((word, rest)) => (word.trim(), Some(rest.trim_end().strip_suffix(')')?)),
                None => (privilege.trim(), None),
            };
            let privilege = word.to_lowercase();
            if privilege.is_empty() || !privilege.chars().all(|c| c.is_ascii_alphabetic() || c == ' ') {
                return None;
            }
            let columns = match columns {
                None => vec![None],
                Some(list) => pieces(list, |c| c == ',')
                    .into_iter()
                    .map(|name| one_name(name).map(Some))
                    .collect::<Option<Vec<Option<Name>>>>()?,
            };
            grants.extend(columns.into_iter().map(|column| Grant {
                to: to.clone(),
                privilege: privilege.clone(),
                column,
                rule,
            }));
        }
    }
    (!grants.is_empty()).then_some(grants)
}

fn one_name(text: &str) -> Option<Name> {
    let mut parts = split_path(text.trim()).ok()?;
    parts.pop().filter(|_| parts.is_empty())
}

/// The pieces of a text between separators that are in no quotes and no parentheses; empty ones are left out.
fn pieces(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let (mut quoted, mut depth, mut start) = (false, 0usize, 0);
    let mut out = Vec::new();
    for (i, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if !quoted && depth == 0 && separates(c) => {
                out.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out.retain(|piece| !piece.trim().is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let one = |to: &str, privilege: &str, column: Option<&str>, rule| Grant {
            to: to.to_owned(),
            privilege: privilege.to_owned(),
            column: column.map(|c| Name::new(c).unwrap()),
            rule,
        };
        assert_eq!(
            read("SELECT (\"a, b\", c), insert to \"app user\"").unwrap(),
            [
                one("app user", "select", Some("a, b"), GrantRule::Granted),
                one("app user", "select", Some("c"), GrantRule::Granted),
                one("app user", "insert", None, GrantRule::Granted),
            ]
        );
        assert_eq!(
            read("all privileges to admin with grant option").unwrap(),
            [one("admin", "all privileges", None, GrantRule::WithGrantOption)]
        );
        assert_eq!(read("revoke execute from public").unwrap(), [one("public", "execute", None, GrantRule::Revoked)]);
        for bad in ["", "select", "to app", "select to", "revoke select to app", "select (a to b", "se;lect to b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
