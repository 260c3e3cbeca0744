//! What a view's query becomes when a column is renamed under a view that keeps the names of its own columns.

use mig_plan::{
    Name, Sql,
    sql::{Token, TokenKind, tokens},
};

/// Words after which a select list is over.
const ENDS: &[&str] = &["from", "where", "group", "having", "order", "limit", "union", "intersect", "except"];

/// The query with a column renamed: an item of a select list that is only the column keeps its name by an `AS`.
pub(crate) fn renamed(query: &Sql, from: &Name, to: &Name, quote: impl Fn(&Name) -> String) -> Sql {
    let all: Vec<Token<'_>> = tokens(query.as_str()).collect();
    let words: Vec<usize> = (0..all.len()).filter(|i| all[*i].kind != TokenKind::Blank).collect();
    let mut lists = vec![false];
    let mut items = Vec::new();
    for (nth, &i) in words.iter().enumerate() {
        let lower = all[i].text.to_ascii_lowercase();
        match lower.as_str() {
            "(" => lists.push(false),
            ")" => drop(lists.pop()),
            "select" => lists.iter_mut().last().into_iter().for_each(|list| *list = true),
            word if ENDS.contains(&word) => lists.iter_mut().last().into_iter().for_each(|list| *list = false),
            _ => {}
        }
        let named = all[i].identifier().is_some_and(|name| name == from.as_str());
        if named && lists.last() == Some(&true) && is_item(&all, &words, nth) {
            items.push(i);
        }
    }
    let mut out = String::with_capacity(query.as_str().len());
    for (i, token) in all.iter().enumerate() {
        match token.identifier() {
            Some(name) if name == from.as_str() => out.push_str(&quote(to)),
            _ => out.push_str(token.text),
        }
        if items.contains(&i) {
            out.push_str(&format!(" AS {}", quote(from)));
        }
    }
    Sql::new(out)
}

/// Whether the word, with the names before it that it is qualified by, is a whole item of a list.
fn is_item(all: &[Token<'_>], words: &[usize], nth: usize) -> bool {
    let word = |n: usize| words.get(n).map_or(String::new(), |i| all[*i].text.to_ascii_lowercase());
    let mut first = nth;
    while first >= 2 && word(first - 1) == "." {
        first -= 2;
    }
    let before = first.checked_sub(1).map(word).unwrap_or_default();
    let after = word(nth + 1);
    matches!(before.as_str(), "select" | "distinct" | ",")
        && (matches!(after.as_str(), "" | "," | ")" | ";") || ENDS.contains(&after.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_keeps_its_name_and_nothing_else_does() {
        let (old, new) = (Name::new("ms").unwrap(), Name::new("duration").unwrap());
        let quote = |name: &Name| name.as_str().to_owned();
        let query = Sql::new(
            "SELECT t.id,\n    t.ms,\n    max(t.ms) AS longest\n   FROM t\n  WHERE (t.ms > 2)\n  GROUP BY t.id, t.ms",
        );
        let wanted = "SELECT t.id,\n    t.duration AS ms,\n    max(t.duration) AS longest\n   FROM t\n  WHERE (t.duration > 2)\n  GROUP BY t.id, t.duration";
        assert_eq!(renamed(&query, &old, &new, quote).as_str(), wanted);
    }
}
