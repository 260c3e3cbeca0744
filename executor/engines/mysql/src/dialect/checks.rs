//! Questions about the rows, asked before the first write. They advise; what the server would silently change stops the run.

use mig_plan::{
    Address, Body, CheckSql, ColumnValue, DraftCheck, Kind, Name, Past, Qualified, Rule, Schema,
    kind::{AddColumn, AlterColumn},
    schema::{Index, IndexedBy},
    table::ForeignKey,
};

use super::{
    define, kept,
    names::{list, literal, object, quote},
    online::is_identity,
    shadow, table, types, weigh,
};
use crate::flavor::charset_of;

/// The questions that a change raises.
pub(crate) fn of(change: &Kind, before: &Schema) -> Vec<DraftCheck> {
    match change {
        Kind::AddConstraint(_) if shadow::is_held(change, before) => vec![],
        Kind::Rebuild(k) => table::parts(&k.table, &k.from, &k.to).iter().flat_map(|part| of(part, before)).collect(),
        Kind::AddColumn(k) => added(k).into_iter().collect(),
        Kind::AlterColumn(k) => altered(k, before),
        Kind::AddConstraint(k) => match &k.constraint.rule {
            Rule::ForeignKey(fk) => orphans(&change.address(), &k.table, fk, before).into_iter().collect(),
            Rule::Check { expression } if !define::is_column_check(&k.constraint) => {
                let says = format!("every row of {} obeys {}", k.table, k.name);
                rows(&change.address(), says, &k.table, &format!("NOT ({expression})"), before, false)
                    .into_iter()
                    .collect()
            }
            Rule::PrimaryKey(key) => alike(&change.address(), &k.table, &key.columns, before).into_iter().collect(),
            _ => vec![],
        },
        Kind::Create(k) => match &k.object.body {
            Body::Index(index) if index.unique => unique(index, before).into_iter().collect(),
            _ => vec![],
        },
        Kind::Replace(k) => match (&k.from.body, &k.to.body) {
            (Body::Index(was), Body::Index(index)) if index.unique && !was.unique => {
                unique(index, before).into_iter().collect()
            }
            _ => vec![],
        },
        _ => vec![],
    }
}

/// A question over tables as they were; not where one has a name that another had, which nothing could mean then.
pub(crate) fn over_past(sql: &str, past: &[Past]) -> Option<String> {
    let taken = |base: &Qualified| past.iter().any(|other| other.table == *base && other.base != *base);
    let table = |past: &Past| {
        let (now, was) = (object(&past.table), object(&past.base));
        (!taken(&past.base)).then(|| format!("{now} AS (SELECT {} FROM {was})", past.columns(quote)))
    };
    let tables = past.iter().map(table).collect::<Option<Vec<_>>>()?;
    Some(format!("WITH {}\n{sql}", tables.join(", ")))
}

/// A check that counts rows by a condition.
fn rows(at: &Address, says: String, of: &Qualified, wrong: &str, before: &Schema, stops: bool) -> Option<DraftCheck> {
    let columns = before.table(of)?;
    let from = object(of);
    let shown = kept::key(columns).unwrap_or_else(|| columns.columns.iter().take(3).map(|c| c.name.clone()).collect());
    Some(DraftCheck {
        at: at.clone(),
        says,
        help: vec!["correct or remove those rows".to_owned(), "or give them values by a `[transform]`".to_owned()],
        count: CheckSql::new(format!("SELECT COUNT(*) FROM {from} WHERE {wrong}")),
        sample: Some(CheckSql::new(format!("SELECT {} FROM {from} WHERE {wrong} LIMIT 5", list(&shown)))),
        stops,
    })
}

/// The server gives old rows a value of its own making; a person has not asked for it.
fn added(k: &AddColumn) -> Option<DraftCheck> {
    if !k.column.not_null || !matches!(k.column.value, ColumnValue::Plain) {
        return None;
    }
    Some(DraftCheck {
        at: Address::column(&k.table, &k.column.name),
        says: format!("{} has no rows, so {} needs no value", k.table, k.column.name),
        help: vec![
            format!("give {} a default", k.column.name),
            format!("set its value for old rows in `[transform.{}]`", k.table),
            format!("or let it be NULL: write `?` after its type"),
        ],
        count: CheckSql::new(format!("SELECT COUNT(*) FROM {}", object(&k.table))),
        sample: None,
        stops: true,
    })
}

fn altered(k: &AlterColumn, before: &Schema) -> Vec<DraftCheck> {
    let at = Address::column(&k.table, &k.from.name);
    let name = quote(&k.from.name);
    let mut out = Vec::new();
    if !k.from.not_null && k.to.not_null && !is_identity(&k.to) {
        let says = format!("{at} has a value in every row");
        out.extend(rows(&at, says, &k.table, &format!("{name} IS NULL"), before, true));
    }
    let charset = k.to.collation.as_deref().map(charset_of).filter(|c| *c != "utf8mb4");
    if let Some(charset) = charset
        && k.from.collation != k.to.collation
        && types::is_text(&k.from.data_type)
    {
        let there = format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY)");
        let back = format!("CAST(CONVERT(CONVERT({name} USING {charset}) USING utf8mb4) AS BINARY)");
        let says = format!("every character of {at} is in {charset}");
        out.extend(rows(&at, says, &k.table, &format!("{there} <> {back}"), before, true));
    }
    if k.from.data_type == k.to.data_type || weigh::widens(&k.from, &k.to) {
        return out;
    }
    let length = types::argument(&k.to.data_type).and_then(|n| n.parse::<u64>().ok());
    let to = types::base(&k.to.data_type);
    let wrong = match (to, length, types::range(&k.to.data_type)) {
        ("varchar" | "char", Some(length), _) => Some(format!("CHAR_LENGTH({name}) > {length}")),
        ("varbinary" | "binary", Some(length), _) => Some(format!("LENGTH({name}) > {length}")),
        ("enum", ..) => {
            let members: Vec<_> = types::members(&k.to.data_type).iter().map(|m| literal(m)).collect();
            Some(format!("{name} NOT IN ({})", members.join(", ")))
        }
        (_, _, Some((low, high))) if types::range(&k.from.data_type).is_some() => {
            Some(format!("{name} NOT BETWEEN {low} AND {high}"))
        }
        (_, _, Some(_)) if types::is_text(&k.from.data_type) => Some(format!("{name} NOT REGEXP '^ *[-+]?[0-9]+ *$'")),
        _ => None,
    };
    if let Some(wrong) = wrong {
        let says = format!("every value of {at} fits {}", k.to.data_type);
        out.extend(rows(&at, says, &k.table, &wrong, before, true));
    }
    out
}

fn orphans(at: &Address, from: &Qualified, fk: &ForeignKey, before: &Schema) -> Option<DraftCheck> {
    let own = before.table(from)?;
    let parent = before.table(&fk.references)?;
    let known =
        fk.columns.iter().all(|c| own.column(c).is_some()) && fk.referenced.iter().all(|c| parent.column(c).is_some());
    if !known {
        return None;
    }
    let joined: Vec<_> =
        fk.columns.iter().zip(&fk.referenced).map(|(a, b)| format!("p.{} = c.{}", quote(b), quote(a))).collect();
    let given: Vec<_> = fk.columns.iter().map(|c| format!("c.{} IS NOT NULL", quote(c))).collect();
    let wrong = format!(
        "{} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        given.join(" AND "),
        object(&fk.references),
        joined.join(" AND ")
    );
    let shown: Vec<_> = fk.columns.iter().map(|c| format!("c.{}", quote(c))).collect();
    Some(DraftCheck {
        at: at.clone(),
        says: format!("every row of {from} has its counterpart in {}", fk.references),
        help: vec![format!("remove those rows, or add what they refer to to {}", fk.references)],
        count: CheckSql::new(format!("SELECT COUNT(*) FROM {} c WHERE {wrong}", object(from))),
        sample: Some(CheckSql::new(format!(
            "SELECT {} FROM {} c WHERE {wrong} LIMIT 5",
            shown.join(", "),
            object(from)
        ))),
        stops: true,
    })
}

fn unique(index: &Index, before: &Schema) -> Option<DraftCheck> {
    let parts = index.parts.iter().map(|part| match &part.what {
        IndexedBy::Column(name) if part.opclass.is_none() => Some(name.clone()),
        _ => None,
    });
    let columns: Vec<Name> = parts.collect::<Option<_>>()?;
    // It is about the rows of a table, which are there before the index is.
    alike(&Address::table(&index.table), &index.table, &columns, before)
}

fn alike(at: &Address, of: &Qualified, columns: &[Name], before: &Schema) -> Option<DraftCheck> {
    let table = before.table(of)?;
    if columns.iter().any(|c| table.column(c).is_none()) {
        return None;
    }
    let given: Vec<_> = columns.iter().map(|c| format!("{} IS NOT NULL", quote(c))).collect();
    let groups = format!(
        "SELECT {} FROM {} WHERE {} GROUP BY {} HAVING COUNT(*) > 1",
        list(columns),
        object(of),
        given.join(" AND "),
        list(columns)
    );
    Some(DraftCheck {
        at: at.clone(),
        says: format!("no two rows of {of} are alike in {}", list(columns)),
        help: vec!["change or remove the duplicates".to_owned()],
        count: CheckSql::new(format!("SELECT COUNT(*) FROM ({groups}) q")),
        sample: Some(CheckSql::new(format!("{groups} LIMIT 5"))),
        stops: true,
    })
}
