//! Texts of the catalog that mean the same when they are read again, but are not kept the same.
//!
//! Of `v IN ('a', 'b')` over a `varchar` the catalog says `(v)::text = ANY ((ARRAY['a'::character varying, 'b'::character
//! varying])::text[])`. Read again, the cast moves into the list: `ARRAY[('a'::character varying)::text, ...]`. A cast to what the list is
//! anyway, put in between, changes nothing and keeps it where it was.

use mig_plan::sql::{Token, TokenKind, tokens};

/// The text in a form that the server keeps as it is.
pub(crate) fn of(sql: String) -> String {
    if !sql.contains("(ARRAY[") {
        return sql;
    }
    let words: Vec<Token<'_>> = tokens(&sql).collect();
    let mut out = String::with_capacity(sql.len());
    let mut closes = Vec::new();
    for (i, word) in words.iter().enumerate() {
        match list(&words[i..]) {
            Some((end, of)) => {
                out.push_str("((");
                closes.push((i + end, of));
            }
            None => out.push_str(word.text),
        }
        if let Some((_, of)) = closes.pop_if(|(end, _)| *end == i) {
            out.push_str(&format!("::{of}[])"));
        }
    }
    out
}

/// The place of the closing parenthesis and the type of the items, where words begin with a list whose items all are of one type, that is
/// cast to a list of another one.
fn list(words: &[Token<'_>]) -> Option<(usize, String)> {
    let is = |i: usize, text: &str| words.get(i).is_some_and(|word| word.text == text);
    if !(is(0, "(") && is(1, "ARRAY") && is(2, "[")) {
        return None;
    }
    let (mut depth, mut items, mut end) = (0_usize, vec![Vec::new()], None);
    for (i, word) in words.iter().enumerate().skip(2) {
        match word.text {
            "[" | "(" => depth += 1,
            "]" | ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        match (depth, word.text) {
            (0, _) => {
                end = Some(i + 1);
                break;
            }
            (1, ",") => items.push(Vec::new()),
            _ if i > 2 => items.last_mut()?.push(word),
            _ => {}
        }
    }
    let end = end.filter(|end| is(*end, ")") && is(end + 1, "::"))?;
    let mut types = items.iter().map(|item| cast(item));
    let of = types.next()??;
    let open = words[end + 2..].iter().position(|word| word.text == "[")?;
    let to: String = words[end + 2..end + 2 + open].iter().map(|word| word.text).collect();
    let listed = types.all(|other| other.as_ref() == Some(&of)) && is(end + 3 + open, "]");
    (listed && of != to).then_some((end, of))
}

/// The type to which an item of a list is cast.
fn cast(item: &[&Token<'_>]) -> Option<String> {
    let at = item.iter().rposition(|word| word.text == "::")?;
    let of = &item[at + 1..];
    let name = |word: &&&Token<'_>| {
        matches!(word.kind, TokenKind::Blank | TokenKind::Word | TokenKind::Quoted) || word.text == "."
    };
    let whole = !of.is_empty() && of.iter().all(|word| name(&word));
    whole.then(|| of.iter().map(|word| word.text).collect::<String>().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_own_type_within_a_cast() {
        let cases = [
            (
                "((v)::text = ANY ((ARRAY['a'::character varying, 'b, c'::character varying])::text[]))",
                "((v)::text = ANY (((ARRAY['a'::character varying, 'b, c'::character varying])::character varying[])::text[]))",
            ),
            (
                "(a <> ALL ((ARRAY[lower(('x'::text)::text)::character varying])::text[])) AND f((ARRAY['y'::s.d])::text[])",
                "(a <> ALL (((ARRAY[lower(('x'::text)::text)::character varying])::character varying[])::text[])) AND f(((ARRAY['y'::s.d])::s.d[])::text[])",
            ),
        ];
        for (text, lasting) in cases {
            assert_eq!(of(text.to_owned()), lasting);
            assert_eq!(of(lasting.to_owned()), lasting);
        }
        for text in [
            "(v = ANY (ARRAY['a'::text, 'b'::text]))",
            "((ARRAY[a, b])::text[])",
            "((ARRAY['a'::text, 'b'::character varying])::text[])",
            "((ARRAY['a'::text])::text[])",
            "'(ARRAY[''a''::x])::text[]'",
            "(ARRAY[",
        ] {
            assert_eq!(of(text.to_owned()), text);
        }
    }
}
