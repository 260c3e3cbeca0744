//! Indexes.

use std::collections::{BTreeMap, HashMap};

use mig_plan::{
    Body, Name, ObjectKind, Sql,
    schema::{Index, IndexPart, IndexedBy, Validity},
};

use super::{Assembled, Book, Odd, address, class, flag, option, qualified, settings};
use crate::{
    dialect::inherit::{ATTACHED, ONLY},
    driver::rows::{ClassRow, IndexRow, Rows},
};

/// Downwards, in an index part's options.
const DESCENDING: i16 = 1;
/// NULLs first, in an index part's options.
const NULLS_FIRST: i16 = 2;

/// Indexes that stand on their own.
pub(super) fn indexes(rows: &Rows, book: &Book<'_>, out: &mut Assembled) -> Result<(), Odd> {
    let classes: HashMap<u32, &ClassRow> = rows.classes.iter().map(|c| (c.oid, c)).collect();
    for i in rows.indexes.iter().filter(|i| i.parent.is_none() || i.attached_to.is_some()) {
        let parts = (0..i.key_columns).map(|at| part(i, at, book, &classes)).collect::<Result<_, _>>()?;
        let body = Index {
            table: qualified(&i.table_schema, &i.table_name)?,
            unique: i.unique,
            method: i.method.clone(),
            parts,
            include: book.names(i.relation, i.keys.get(i.key_columns..).unwrap_or_default())?,
            predicate: i.predicate.as_ref().map(Sql::new),
            nulls_not_distinct: i.nulls_not_distinct,
            options: options(i)?,
            validity: if i.valid || i.divided { Validity::Valid } else { Validity::NotValid },
        };
        let at = address(ObjectKind::Index, &i.schema, &i.name)?;
        out.add((class::CLASS, i.oid), at, i.comment.as_ref(), Body::Index(body));
    }
    shares(rows, out);
    Ok(())
}

/// A partition's share in an index stands for that one.
fn shares(rows: &Rows, out: &mut Assembled) {
    let above: HashMap<u32, u32> =
        rows.indexes.iter().filter(|i| i.attached_to.is_none()).filter_map(|i| Some((i.oid, i.parent?))).collect();
    for &share in above.keys() {
        let mut top = share;
        while let Some(parent) = above.get(&top) {
            top = *parent;
        }
        if let Some(address) = out.places.get(&(class::CLASS, top, 0)).cloned() {
            out.places.insert((class::CLASS, share, 0), address);
        }
    }
}

fn options(i: &IndexRow) -> Result<BTreeMap<String, String>, Odd> {
    let mut options = BTreeMap::new();
    settings(&mut options, "with.", i.settings.as_ref());
    option(&mut options, "tablespace", i.tablespace.as_deref());
    flag(&mut options, "clustered", i.clustered);
    flag(&mut options, "replica_identity", i.replica_identity);
    flag(&mut options, ONLY, i.divided && !i.valid);
    if let Some((schema, name)) = &i.attached_to {
        option(&mut options, ATTACHED, Some(qualified(schema, name)?.to_string()));
    }
    Ok(options)
}

fn part(i: &IndexRow, at: usize, book: &Book<'_>, classes: &HashMap<u32, &ClassRow>) -> Result<IndexPart, Odd> {
    let column = i.keys.get(at).and_then(|n| book.columns.get(&(i.relation, *n)));
    let text = i.texts.as_ref().and_then(|t| t.get(at));
    let what = match (column, text) {
        (Some((name, _)), _) => IndexedBy::Column(Name::new(*name)?),
        (None, text) => IndexedBy::Expression(Sql::new(text.map_or("", String::as_str))),
    };
    let options = i.options.get(at).copied().unwrap_or_default();
    let descending = options & DESCENDING != 0;
    let nulls_first = options & NULLS_FIRST != 0;
    Ok(IndexPart {
        what,
        collation: collation(i, at, column.map(|(_, c)| *c)),
        opclass: opclass(i, at, classes),
        descending,
        nulls_first: (nulls_first != descending).then_some(nulls_first),
    })
}

/// The collation, where it is not that of what is indexed.
fn collation(i: &IndexRow, at: usize, column: Option<u32>) -> Option<String> {
    let own = *i.collations.get(at)?;
    let named = || i.collation_names.as_ref().and_then(|n| n.get(at)).map_or("\"default\"", String::as_str).to_owned();
    match column {
        _ if own == 0 => None,
        Some(column) => (own != column).then(named),
        // The collation of an expression is known to the server's deparser only.
        None => {
            let said = format!("{} COLLATE ", i.texts.as_ref()?.get(at)?);
            i.definition.as_ref()?.contains(&said).then(named)
        }
    }
}

/// The operator class, where it is not the default or has parameters.
fn opclass(i: &IndexRow, at: usize, classes: &HashMap<u32, &ClassRow>) -> Option<String> {
    let class = classes.get(i.classes.get(at)?)?;
    let settings = i.class_settings.iter().flatten().find(|(number, _)| *number == at + 1).map(|(_, s)| {
        let each = s.iter().map(|setting| {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            format!("{name}='{}'", value.replace('\'', "''"))
        });
        each.collect::<Vec<_>>().join(", ")
    });
    match settings {
        Some(settings) => Some(format!("{} ({settings})", class.name)),
        None => (!class.standard).then(|| class.name.clone()),
    }
}
