//! Partition keys and bounds: whether two spellings mean the same, and which rows fit.

use std::cmp::Ordering;

use mig_plan::{
    Qualified,
    sql::{TokenKind, tokens},
};

use super::names::{literal, qualified};

/// Whether two spellings of a key or bound mean the same. Literals are compared as the catalog writes them: in UTC, without casts.
pub(crate) fn same(declared: &str, catalog: &str) -> bool {
    spelt(declared) == spelt(catalog)
}

fn spelt(text: &str) -> Vec<String> {
    let words: Vec<_> = tokens(text).filter(|t| t.kind != TokenKind::Blank).collect();
    let mut out: Vec<String> = Vec::new();
    let mut skip = false;
    for (i, word) in words.iter().enumerate() {
        if std::mem::take(&mut skip) || word.text == "::" {
            skip = word.text == "::";
            continue;
        }
        let sign = i > 0 && words[i - 1].text == "-";
        if word.text == "-" {
            continue;
        }
        let value = match word.kind {
            TokenKind::Text => unquoted(word.text),
            _ => word.identifier().unwrap_or_else(|| word.text.to_lowercase()),
        };
        let value = if sign { format!("-{value}") } else { value };
        out.push(instant(&value).unwrap_or(value));
    }
    out
}

fn unquoted(literal: &str) -> String {
    let inner = literal.trim_start_matches(['E', 'e']).strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    inner.unwrap_or(literal).replace("''", "'")
}

/// A date or time of day on a date as seconds in UTC, if it is one; without a zone it is taken as UTC, like mig's own sessions do.
fn instant(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let rest = rest.strip_prefix([' ', 'T']).unwrap_or(rest);
    let rest = rest.strip_suffix(['Z', 'z']).unwrap_or(rest).trim_end();
    let (time, zone) = match rest.find(['+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let zone_sign = if zone.starts_with('-') { -1 } else { 1 };
    let seconds = of_day(time)? - zone_sign * of_day(zone.trim_start_matches(['+', '-']))?;
    let month_from_march = (month + 9) % 12;
    let year = if month <= 2 { year - 1 } else { year };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month_from_march + 2) / 5
        + day;
    Some(format!("{}.{}", days * 86_400 + seconds, fraction.trim_end_matches('0')))
}

/// Hours, minutes and seconds as seconds; nothing is midnight.
fn of_day(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let mut seconds = 0;
    let mut unit = 3_600;
    for part in text.split(':') {
        seconds += part.parse::<i64>().ok()? * unit;
        unit /= 60;
    }
    Some(seconds)
}

/// Whether a row may fit two bounds of partitions of one table. The default partition holds what fits no other.
pub(crate) fn meet(a: &str, b: &str) -> bool {
    let parts = |bound: &str| -> Vec<Vec<String>> {
        lists(bound).into_iter().map(|list| list.iter().map(|value| spelt(value).join(" ")).collect()).collect()
    };
    match (&parts(a)[..], &parts(b)[..]) {
        ([from_a, to_a], [from_b, to_b]) => {
            let before = |a: &[String], b: &[String]| order(a, b) == Ordering::Less;
            before(from_a, to_b) && before(from_b, to_a)
        }
        ([a], [b]) => match (modulus(a), modulus(b)) {
            (Some((m, r)), Some((n, q))) => (r - q) % gcd(m, n) == 0,
            _ => a.iter().any(|value| b.contains(value)),
        },
        _ => false,
    }
}

/// The order of two limits of ranges. Numbers and instants are compared as numbers, everything else by its bytes.
fn order(a: &[String], b: &[String]) -> Ordering {
    let rank = |value: &str| match value {
        "minvalue" => 0,
        "maxvalue" => 2,
        _ => 1,
    };
    let compared = a.iter().zip(b).map(|(a, b)| {
        let numbers = a.parse::<f64>().ok().zip(b.parse::<f64>().ok());
        let values = || numbers.and_then(|(a, b)| a.partial_cmp(&b)).unwrap_or_else(|| a.cmp(b));
        rank(a).cmp(&rank(b)).then_with(|| if rank(a) == 1 { values() } else { Ordering::Equal })
    });
    compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The modulus and the remainder of a hash bound.
fn modulus(list: &[String]) -> Option<(i64, i64)> {
    let number = |i: usize, word: &str| list.get(i)?.strip_prefix(word)?.trim().parse::<i64>().ok();
    Some((number(0, "modulus")?, number(1, "remainder")?))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// A condition that a row fits a bound under a parent's key; `None` where it cannot be said or every row fits.
pub(crate) fn fits(parent: &Qualified, partition_by: &str, bound: &str) -> Option<String> {
    let (strategy, keys) = partition_by.split_once('(')?;
    let keys = split(keys.trim_end().strip_suffix(')')?).iter().map(|k| key(k)).collect::<Option<Vec<_>>>()?;
    let lists = lists(bound);
    match (strategy.trim().to_ascii_lowercase().as_str(), &lists[..]) {
        ("range", [from, to]) if from.len() == keys.len() && to.len() == keys.len() => {
            let given: Vec<_> = keys.iter().map(|k| format!("{k} IS NOT NULL")).collect();
            Some(format!("({} AND {} AND {})", given.join(" AND "), at_least(&keys, from), below(&keys, to)))
        }
        ("list", [values]) => {
            let key = keys.first()?;
            let some: Vec<_> = values.iter().filter(|v| !v.eq_ignore_ascii_case("null")).cloned().collect();
            let listed = (!some.is_empty()).then(|| format!("{key} IN ({})", some.join(", ")));
            let null = (some.len() < values.len()).then(|| format!("{key} IS NULL"));
            Some(format!("COALESCE({}, false)", listed.into_iter().chain(null).collect::<Vec<_>>().join(" OR ")))
        }
        ("hash", [numbers]) => {
            let number = |at: usize| numbers.get(at)?.split_whitespace().next_back().map(str::to_owned);
            let parent = literal(&qualified(parent));
            Some(format!(
                "satisfies_hash_partition({parent}::regclass, {}, {}, {})",
                number(0)?,
                number(1)?,
                keys.join(", ")
            ))
        }
        _ => None,
    }
}

/// A key's column or expression, without operator class and collation.
fn key(text: &str) -> Option<String> {
    let text = text.trim();
    let simple = text.split_whitespace().next()?;
    let closed = simple.matches('(').count() == simple.matches(')').count() && !simple.contains('"');
    match text.rfind(')') {
        Some(end) if !closed || simple.contains('(') => text[end + 1..].trim().is_empty().then(|| text.to_owned()),
        _ if simple.contains('"') => text.ends_with('"').then(|| text.to_owned()),
        _ => Some(simple.to_owned()),
    }
}

/// The lists in parentheses of a bound.
fn lists(bound: &str) -> Vec<Vec<String>> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    let mut at = 0;
    for token in tokens(bound) {
        match token.text {
            "(" => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    found.push(split(&bound[start..at]));
                }
            }
            _ => {}
        }
        at += token.text.len();
    }
    found
}

/// The parts of a list, split at its outer commas.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0_usize);
    for token in tokens(list) {
        match token.text {
            "," if depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        part.push_str(token.text);
    }
    parts.push(part.trim().to_owned());
    parts
}

fn at_least(keys: &[String], values: &[String]) -> String {
    compared(keys, values, (">", ">="), ("MINVALUE", "MAXVALUE"))
}

fn below(keys: &[String], values: &[String]) -> String {
    compared(keys, values, ("<", "<"), ("MAXVALUE", "MINVALUE"))
}

/// Whether keys compare with values, the first unequal pair deciding. `words` are the values that all and that none pass.
fn compared(keys: &[String], values: &[String], signs: (&str, &str), words: (&str, &str)) -> String {
    let (Some(key), Some(value)) = (keys.first(), values.first()) else { return "true".to_owned() };
    if value.eq_ignore_ascii_case(words.0) {
        return "true".to_owned();
    }
    if value.eq_ignore_ascii_case(words.1) {
        return "false".to_owned();
    }
    if keys.len() == 1 {
        return format!("{key} {} {value}", signs.1);
    }
    let rest = compared(&keys[1..], &values[1..], signs, words);
    format!("({key} {} {value} OR ({key} = {value} AND {rest}))", signs.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_bound_are_the_same() {
        let cases = [
            ("for values in (1,2)", "FOR VALUES IN ('1', '2')", true),
            (
                "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
                "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00')",
                true,
            ),
            (
                "FOR VALUES FROM ('2020-04-01 01:00:00+01') TO (MAXVALUE)",
                "FOR VALUES FROM ('2020-04-01 00:00:00+00') TO (MAXVALUE)",
                true,
            ),
            (
                "FOR VALUES FROM ('2024-01-01'::date) TO (maxvalue)",
                "FOR VALUES FROM ('2024-01-01') TO (MAXVALUE)",
                true,
            ),
            ("FOR VALUES FROM (-5) TO (5)", "FOR VALUES FROM ('-5') TO (5)", true),
            ("FOR VALUES IN ('a')", "FOR VALUES IN ('A')", false),
            (
                "FOR VALUES FROM ('2024-01-01') TO ('2024-03-01')",
                "FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
                false,
            ),
            ("range(created_at)", "RANGE (created_at)", true),
        ];
        for (declared, catalog, alike) in cases {
            assert_eq!(same(declared, catalog), alike, "{declared} | {catalog}");
        }
    }

    #[test]
    fn bounds_meet_where_a_row_fits_both() {
        let cases = [
            ("FOR VALUES FROM (1) TO (10)", "FOR VALUES FROM (9) TO (20)", true),
            ("FOR VALUES FROM (1) TO (10)", "FOR VALUES FROM (10) TO (20)", false),
            ("FOR VALUES FROM (MINVALUE) TO (10)", "FOR VALUES FROM (-5) TO (MAXVALUE)", true),
            (
                "FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')",
                "FOR VALUES FROM ('2024-06-01') TO ('2025-01-01')",
                true,
            ),
            (
                "FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')",
                "FOR VALUES FROM ('2024-07-01 00:00:00+00') TO ('2025-01-01')",
                false,
            ),
            ("FOR VALUES FROM (1, 5) TO (1, 9)", "FOR VALUES FROM (1, 8) TO (2, 0)", true),
            ("FOR VALUES IN ('a', 'b')", "FOR VALUES IN ('b', NULL)", true),
            ("FOR VALUES IN ('a')", "FOR VALUES IN ('b')", false),
            ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 3)", true),
            ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 2)", false),
            ("DEFAULT", "FOR VALUES IN ('a')", false),
        ];
        for (a, b, wanted) in cases {
            assert_eq!((meet(a, b), meet(b, a)), (wanted, wanted), "{a} | {b}");
        }
    }

    #[test]
    fn a_row_fits_what_the_bound_says() {
        let parent = Qualified::new(None, mig_plan::Name::new("p").unwrap());
        let cases = [
            ("RANGE (a)", "FOR VALUES FROM (1) TO (5)", Some("(a IS NOT NULL AND a >= 1 AND a < 5)")),
            (
                "RANGE (a, b)",
                "FOR VALUES FROM (1, MINVALUE) TO (5, 2)",
                Some(
                    "(a IS NOT NULL AND b IS NOT NULL AND (a > 1 OR (a = 1 AND true)) AND (a < 5 OR (a = 5 AND b < 2)))",
                ),
            ),
            (
                "LIST (lower(a))",
                "FOR VALUES IN ('x', NULL)",
                Some("COALESCE(lower(a) IN ('x') OR lower(a) IS NULL, false)"),
            ),
            (
                "HASH (a)",
                "FOR VALUES WITH (modulus 4, remainder 1)",
                Some("satisfies_hash_partition('p'::regclass, 4, 1, a)"),
            ),
            ("LIST (a)", "DEFAULT", None),
        ];
        for (by, bound, wanted) in cases {
            assert_eq!(fits(&parent, by, bound).as_deref(), wanted, "{by} {bound}");
        }
    }
}
