//! Tables attached to parents and detached, and rows divided among other tables, as SQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, ColumnValue, Complaint, DraftCheck, Hazard, HazardCode, Name, Object, ObjectKind, Qualified,
    Rendered, Rule, Schema, Sql, Table,
    kind::{AddConstraint, Regroup},
    plan::CheckSql,
};

use super::{WORK, constraint, enums, limit, locked, meta, object, shares};
use crate::dialect::{
    bound, inherit,
    names::{generated, list, literal, qualified, quote},
    references, versions,
};

/// Tables and indexes.
type Set = BTreeMap<Address, Arc<Object>>;

/// The SQL that regroups.
pub(crate) fn regroup(k: &Regroup, (before, after): (&Schema, &Schema), version: u32) -> Result<Rendered, Complaint> {
    let at = Address::table(&k.table);
    let (Some(was), Some(is)) = (table_in(&k.from, &k.table), table_in(&k.to, &k.table)) else {
        return Err(super::missing(&at));
    };
    let (old, new) = (inherit::parents(was), inherit::parents(is));
    if old == new && was == is {
        return shift(k, (before, after));
    }
    if old == new {
        return divide(k, (was, is), before, after);
    }
    let name = qualified(&k.table);
    let mut sql = Vec::new();
    for parent in &old {
        sql.extend(leave((&k.table, parent), (was, is), (before, &k.to), version));
    }
    for parent in &new {
        sql.extend(join(&k.table, parent, is, after));
    }
    let parents = old.iter().chain(&new).map(qualified).collect::<Vec<_>>().join(", ");
    let mut out = if new.is_empty() {
        meta(sql, format!("ACCESS EXCLUSIVE on {parents} and {name}, an instant"))
    } else {
        let mut out = meta(
            sql,
            format!("SHARE UPDATE EXCLUSIVE on {parents}, ACCESS EXCLUSIVE on {name}, while its rows are checked"),
        );
        limit(&mut out.action, WORK);
        out
    };
    let says = match (new.first(), old.first()) {
        (Some(parent), _) => format!("rows of {} are seen through {parent} from then on", k.table),
        (None, Some(parent)) => format!("rows of {} are not seen through {parent} any more", k.table),
        (None, None) => String::new(),
    };
    out.hazards.push(Hazard::new(HazardCode::BlocksClients, &at, says));
    for parent in &new {
        out.checks.extend(place_checks(&k.table, parent, is, before, after));
    }
    Ok(out)
}

fn table_in<'a>(set: &'a Set, at: &Qualified) -> Option<&'a Table> {
    match set.get(&Address::table(at)).map(|o| &o.body) {
        Some(Body::Table(table)) => Some(table),
        _ => None,
    }
}

/// The statements that take a table from a parent; what it keeps gets the names that it shall have.
fn leave(
    (at, parent): (&Qualified, &Qualified),
    (was, is): (&Table, &Table),
    (before, set): (&Schema, &Set),
    version: u32,
) -> Vec<String> {
    let (name, from) = (qualified(at), qualified(parent));
    if !inherit::is_partition(was) {
        return vec![format!("ALTER TABLE {name} NO INHERIT {from}")];
    }
    let (mut sql, mut lost) = (Vec::new(), Vec::new());
    let mut used = BTreeSet::new();
    for (of, theirs) in inherit::passed_indexes(before, at) {
        let own = set.iter().find(|(own, object)| {
            matches!(&object.body, Body::Index(index) if inherit::is_share(theirs, index, at)) && !used.contains(*own)
        });
        if let Some((own, _)) = own {
            used.insert(own.clone());
            sql.push(share_named(at, &of.qualified(), own.name()));
        }
    }
    for above in inherit::ancestors(before, at) {
        let constraints = before.table(&above).into_iter().flat_map(|t| &t.constraints);
        for (theirs, constraint) in constraints {
            let own = is.constraints.iter().find(|(_, c)| c.rule == constraint.rule).map(|(name, _)| name);
            match (&constraint.rule, own) {
                (Rule::Check { .. }, _) | (_, None) => {}
                (Rule::ForeignKey(fk), Some(own)) => {
                    sql.push(key_named(at, &above, theirs, own));
                    if version < versions::DETACHED_KEEP_KEYS && super::is_partitioned(before, &fk.references) {
                        let (table, name, constraint) = (at.clone(), own.clone(), constraint.clone());
                        lost.extend(super::constraint::add_sql(&AddConstraint { table, name, constraint }));
                    }
                }
                (_, Some(own)) => sql.push(share_named(at, &above.sibling(theirs.clone()), own)),
            }
        }
    }
    sql.push(format!("ALTER TABLE {from} DETACH PARTITION {name}"));
    sql.extend(lost);
    sql
}

/// The statements that give a table to a parent.
fn join(at: &Qualified, parent: &Qualified, is: &Table, after: &Schema) -> Vec<String> {
    match is.options.get("bound").filter(|_| inherit::is_partition(is)) {
        Some(bound) => attach(at, parent, bound, after),
        None => vec![format!("ALTER TABLE {} INHERIT {}", qualified(at), qualified(parent))],
    }
}

/// The statements that make a table a partition. What excludes rows in it as in the parent gives way to its share: the server would
/// build that beside it.
pub(crate) fn attach(at: &Qualified, parent: &Qualified, bound: &str, schema: &Schema) -> Vec<String> {
    let (name, to) = (qualified(at), qualified(parent));
    let excludes = |table: Table| table.constraints.values().any(|c| matches!(c.rule, Rule::Exclude { .. }));
    let own = inherit::whole(schema, parent).is_some_and(excludes).then(|| {
        let (table, above) = (literal(&name), literal(&to));
        block(
            &format!(
                "SELECT k.conname FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_constraint AS p\n      \
                 ON pg_catalog.pg_get_constraintdef(p.oid) = pg_catalog.pg_get_constraintdef(k.oid)\n    \
                 WHERE k.conrelid = {table}::pg_catalog.regclass AND k.contype = 'x' AND k.conparentid = 0\n      \
                 AND p.conrelid = {above}::pg_catalog.regclass AND p.contype = 'x'"
            ),
            &format!("'ALTER TABLE %s DROP CONSTRAINT %I', {table}::pg_catalog.regclass, share.conname"),
        )
    });
    own.into_iter().chain([format!("ALTER TABLE {to} ATTACH PARTITION {name} {bound}")]).collect()
}

/// A statement that renames a partition's share in an index of a table over it, whatever the server has called it.
pub(crate) fn share_named(at: &Qualified, of: &Qualified, to: &Name) -> String {
    let (table, of) = (literal(&qualified(at)), literal(&qualified(of)));
    let name = literal(to.as_str());
    block(
        &format!(
            "SELECT c.oid, c.relname FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid\n    \
         WHERE i.indrelid = {table}::pg_catalog.regclass AND c.relispartition AND c.relname <> {name}\n      \
         AND pg_catalog.pg_partition_root(c.oid) = {of}::pg_catalog.regclass",
        ),
        &format!("'ALTER INDEX %s RENAME TO %I', share.oid::pg_catalog.regclass, {name}"),
    )
}

/// The same for its share in a foreign key.
fn key_named(at: &Qualified, above: &Qualified, of: &Name, to: &Name) -> String {
    let (table, parent) = (literal(&qualified(at)), literal(&qualified(above)));
    let (of, name) = (literal(of.as_str()), literal(to.as_str()));
    block(
        &format!(
            "WITH RECURSIVE up AS (\n      SELECT k.oid, k.conname, k.conparentid FROM pg_catalog.pg_constraint AS k\n      \
         WHERE k.conrelid = {table}::pg_catalog.regclass AND k.contype = 'f' AND k.conparentid <> 0\n      UNION ALL\n      \
         SELECT up.oid, up.conname, p.conparentid FROM up JOIN pg_catalog.pg_constraint AS p ON p.oid = up.conparentid\n      \
         WHERE p.conparentid <> 0)\n    \
         SELECT up.oid, up.conname FROM up JOIN pg_catalog.pg_constraint AS top ON top.oid = up.conparentid\n    \
         WHERE top.conrelid = {parent}::pg_catalog.regclass AND top.conname = {of} AND up.conname <> {name}",
        ),
        &format!("'ALTER TABLE %s RENAME CONSTRAINT %I TO %I', {table}::pg_catalog.regclass, share.conname, {name}"),
    )
}

/// A statement that runs another for each row `share` of a query.
pub(super) fn block(query: &str, formatted: &str) -> String {
    format!(
        "DO $mig$\nDECLARE share record;\nBEGIN\n  FOR share IN\n    {query}\n  LOOP\n    \
         EXECUTE pg_catalog.format({formatted});\n  END LOOP;\nEND\n$mig$"
    )
}

/// The questions whether the rows of a table fit its place under a parent, and whether the parent's default partition holds rows
/// that belong to it.
pub(crate) fn place_checks(
    at: &Qualified,
    parent: &Qualified,
    is: &Table,
    before: &Schema,
    after: &Schema,
) -> Vec<DraftCheck> {
    let by = |schema: &Schema| schema.table(parent)?.options.get("partition_by").cloned();
    let (Some(by), Some(bound)) = (by(after), is.options.get("bound")) else { return Vec::new() };
    let Some(fits) = bound::fits(parent, &by, bound) else { return Vec::new() };
    let key = Sql::new(by.clone());
    let columns = inherit::whole(before, parent).map(|table| table.columns).unwrap_or_default();
    let of_enum = columns.iter().any(|c| key.mentions(&c.name) && enums::is_one(&c.data_type, before));
    let check = |of: &Qualified, says: String, wrong: String, help: &str| DraftCheck {
        at: Address::table(of),
        says,
        help: vec![help.to_owned(), "choose another bound".to_owned()],
        count: CheckSql::new(format!("SELECT count(*) FROM {} WHERE {wrong}", qualified(of))),
        sample: None,
        stops: !of_enum,
    };
    let mut checks = Vec::new();
    if before.table(at).is_some() {
        let says = format!("every row of {at} fits {bound} of {parent}");
        checks.push(check(at, says, format!("NOT {fits}"), "move or delete the rows that do not fit"));
    }
    let is_default = |table: &Table| table.options.get("bound").is_some_and(|b| b.eq_ignore_ascii_case("default"));
    let others = inherit::children(before, parent).filter(|(other, table)| is_default(table) && other != at);
    for (other, _) in others {
        let says = format!("no row of the default partition {other} belongs to {at}");
        checks.push(check(&other, says, fits.clone(), "move these rows out of the default partition first"));
    }
    checks
}

/// The foreign keys of other tables that lead to those of a set.
fn inbound(schema: &Schema, set: &Set) -> Vec<AddConstraint> {
    let of = set.keys().filter(|at| at.kind() == ObjectKind::Table).map(Address::qualified);
    let keys = of.flat_map(|of| {
        let keys = schema.references_to(&of).filter(|(from, ..)| !set.contains_key(&Address::table(from)));
        let keys: Vec<_> = keys
            .map(|(table, name, constraint)| AddConstraint {
                table,
                name: name.clone(),
                constraint: constraint.clone(),
            })
            .collect();
        keys
    });
    keys.collect()
}

/// Where rows wait that leave one partition for another.
const MOVED: &str = "pg_temp._mig_moved";

/// Gives partitions of a table other bounds, and rows to the one that they then belong to. Partitions that take no rows over stay as
/// they are.
fn shift(k: &Regroup, (before, after): (&Schema, &Schema)) -> Result<Rendered, Complaint> {
    let at = Address::table(&k.table);
    let name = qualified(&k.table);
    let whole = inherit::whole(before, &k.table).ok_or_else(|| super::missing(&at))?;
    let by = whole.options.get("partition_by").cloned().unwrap_or_default();
    let of = |set: &Set| -> BTreeMap<Qualified, String> {
        let tables = set.keys().filter(|at| at.kind() == ObjectKind::Table).map(Address::qualified);
        let bound = |of: &Qualified| table_in(set, of)?.options.get("bound").cloned();
        let own = |of: &Qualified| table_in(set, of).is_some_and(|t| inherit::parents(t).contains(&k.table));
        tables.filter(|of| own(of)).filter_map(|of| Some((of.clone(), bound(&of)?))).collect()
    };
    let (old, new) = (of(&k.from), of(&k.to));
    let keys = inbound(before, &k.from);
    let mut sql: Vec<String> = keys
        .iter()
        .map(|key| format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(&key.table), quote(&key.name)))
        .collect();
    sql.extend(old.keys().map(|of| format!("ALTER TABLE {name} DETACH PARTITION {}", qualified(of))));
    let given = whole.columns.iter().filter(|c| !matches!(c.value, ColumnValue::Generated { .. }));
    let columns = list(&given.map(|c| c.name.clone()).collect::<Vec<_>>());
    sql.push(format!("CREATE TEMPORARY TABLE _mig_moved ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA"));
    let away = |of: &Qualified, which: String| {
        let of = qualified(of);
        [
            format!("INSERT INTO {MOVED} SELECT {columns} FROM {of} WHERE {which}"),
            format!("DELETE FROM {of} WHERE {which}"),
        ]
    };
    let back =
        |from: &str| format!("INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE\nSELECT {columns} FROM {from}");
    for (of, bound) in new.iter().filter(|(of, _)| old.contains_key(*of)) {
        sql.extend(bound::fits(&k.table, &by, bound).into_iter().flat_map(|fits| away(of, format!("NOT {fits}"))));
    }
    let rest = default_partition(after, &k.table).filter(|rest| !new.contains_key(rest));
    for bound in rest.iter().flat_map(|_| new.values()) {
        let fits = bound::fits(&k.table, &by, bound).into_iter();
        sql.extend(fits.flat_map(|fits| rest.iter().flat_map(move |rest| away(rest, fits.clone()))));
    }
    for (of, bound) in new.iter().filter(|(of, _)| old.contains_key(*of)) {
        sql.extend(attach(of, &k.table, bound, after));
    }
    let is_new = |of: &Qualified| k.to.contains_key(&Address::table(of)) && !k.from.contains_key(&Address::table(of));
    for of in in_order(&k.table, after).iter().filter(|of| is_new(of)) {
        let address = Address::table(of);
        let Some(object) = k.to.get(&address) else { continue };
        sql.extend(object::create_sql(&address, object, after)?);
    }
    sql.extend(shares::in_order(k.to.iter().filter(|(address, _)| !k.from.contains_key(*address)), after));
    sql.push(back(MOVED));
    for of in old.keys().filter(|of| !new.contains_key(*of)).map(qualified) {
        sql.push(back(&of));
        sql.push(format!("DROP TABLE {of}"));
    }
    sql.push(format!("DROP TABLE {MOVED}"));
    sql.extend(inbound(after, &k.to).iter().flat_map(constraint::add_sql));
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {name}, while rows go from one partition to another"));
    limit(&mut out.action, WORK);
    locked(&mut out.action, &name);
    let says = format!("rows of {} go from one partition to another while readers and writers wait", k.table);
    out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &at, says));
    out.checks.extend(old.keys().filter_map(|of| unplaced(&k.table, of, &by, after)));
    Ok(out)
}

fn default_partition(schema: &Schema, parent: &Qualified) -> Option<Qualified> {
    let is_default = |table: &Table| table.options.get("bound").is_some_and(|b| b.eq_ignore_ascii_case("default"));
    inherit::children(schema, parent).find(|(_, table)| is_default(table)).map(|(at, _)| at)
}

/// The question whether a row of a partition fits none of those that will be there.
fn unplaced(parent: &Qualified, of: &Qualified, by: &str, after: &Schema) -> Option<DraftCheck> {
    let fit = inherit::children(after, parent)
        .map(|(_, table)| bound::fits(parent, by, table.options.get("bound")?))
        .collect::<Option<Vec<_>>>()?;
    Some(DraftCheck {
        at: Address::table(of),
        says: format!("every row of {of} fits a partition of {parent}"),
        help: vec!["move or delete the rows that fit none".to_owned(), "choose other bounds".to_owned()],
        count: CheckSql::new(format!("SELECT count(*) FROM {} WHERE NOT ({})", qualified(of), fit.join(" OR "))),
        sample: None,
        stops: true,
    })
}

/// Makes a table anew with its rows, divided as it shall be.
fn divide(k: &Regroup, tables: (&Table, &Table), before: &Schema, after: &Schema) -> Result<Rendered, Complaint> {
    let at = Address::table(&k.table);
    let (was, is) = tables;
    let name = qualified(&k.table);
    let mut sql = Vec::new();
    for key in inbound(before, &k.from) {
        sql.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", qualified(&key.table), quote(&key.name)));
    }
    let statistics: Vec<_> = statistics(&k.table, before);
    sql.extend(statistics.iter().map(|(at, _)| format!("DROP STATISTICS {}", qualified(&at.qualified()))));
    sql.extend(freed(&k.from, before));
    let old: Vec<_> =
        in_order(&k.table, before).into_iter().filter(|of| k.from.contains_key(&Address::table(of))).collect();
    if let Some(parent) = was.options.get("partition_of") {
        sql.push(format!("ALTER TABLE {} DETACH PARTITION {name}", super::table::path(parent)));
    }
    sql.extend(old.iter().map(|of| format!("ALTER TABLE {} RENAME TO {}", qualified(of), quote(&aside(k, of).name))));
    let order = in_order(&k.table, after);
    let is_index = |name: &str| k.to.keys().any(|at| at.kind() == ObjectKind::Index && at.name().as_str() == name);
    let mut keys = Vec::new();
    for of in order.iter().filter(|of| k.to.contains_key(&Address::table(of))) {
        let Some(object) = k.to.get(&Address::table(of)) else { continue };
        let mut first = object.clone();
        if let Body::Table(table) = &mut Arc::make_mut(&mut first).body {
            // Shares in indexes get their names once the indexes are there.
            table.options.retain(|key, _| key.strip_prefix(inherit::NAME_OF).is_none_or(|of| !is_index(of)));
            let apart = |c: &mig_plan::Constraint| c.foreign_key().is_some() || !c.validity.is_valid();
            for (name, constraint) in table.constraints.clone().into_iter().filter(|(_, c)| apart(c)) {
                table.constraints.remove(&name);
                keys.push(AddConstraint { table: of.clone(), name, constraint });
            }
        }
        sql.extend(object::create_sql(&Address::table(of), &first, after)?);
    }
    sql.extend(copies(k, &old, (was, is), before, after));
    sql.extend(shares::in_order(k.to.iter(), after));
    sql.extend(keys.iter().flat_map(constraint::add_sql));
    sql.extend(owned(&k.table, is, after));
    sql.extend(inbound(after, &k.to).iter().flat_map(constraint::add_sql));
    sql.extend(old.iter().rev().map(|of| format!("DROP TABLE {}", qualified(&aside(k, of)))));
    for (_, object) in &statistics {
        if let Body::Source(source) = &object.body {
            sql.extend(source.create.iter().map(|sql| sql.as_str().trim_end_matches(';').to_owned()));
        }
    }
    let mut out = meta(sql, format!("ACCESS EXCLUSIVE on {name}, while every row is copied: readers and writers wait"));
    limit(&mut out.action, WORK);
    locked(&mut out.action, &name);
    let says = format!("every row of {} is copied while readers and writers wait", k.table);
    out.hazards.push(Hazard::new(HazardCode::RewriteUnderLock, &at, says));
    out.checks.extend(homeless(k, is));
    Ok(out)
}

/// A table and all that are under it, parents first.
fn in_order(top: &Qualified, schema: &Schema) -> Vec<Qualified> {
    let mut order = vec![top.clone()];
    let mut next = 0;
    while next < order.len() {
        let children: Vec<_> = inherit::children(schema, &order[next]).map(|(at, _)| at).collect();
        order.extend(children.into_iter().filter(|at| !order.contains(at)).collect::<Vec<_>>());
        next += 1;
    }
    order
}

/// Extended statistics of a table.
fn statistics<'a>(of: &Qualified, schema: &'a Schema) -> Vec<(&'a Address, &'a Arc<Object>)> {
    let table = Address::table(of);
    let all = schema.objects.iter().filter(|(at, _)| at.kind() == ObjectKind::Statistics);
    all.filter(|(at, object)| references::of(at, object, schema, None).contains(&table)).collect()
}

/// What frees the names that the new tables take: of keys, indexes and sequences.
fn freed(from: &Set, before: &Schema) -> Vec<String> {
    let mut sql = Vec::new();
    for (at, object) in from {
        match &object.body {
            Body::Table(table) => {
                let name = qualified(&at.qualified());
                let keys = table
                    .constraints
                    .iter()
                    .filter(|(_, c)| matches!(c.rule, Rule::PrimaryKey(_) | Rule::Unique(_) | Rule::Exclude { .. }));
                // A key may be referred to from inside the set.
                sql.extend(keys.map(|(key, _)| format!("ALTER TABLE {name} DROP CONSTRAINT {} CASCADE", quote(key))));
                for column in &table.columns {
                    if matches!(column.value, ColumnValue::Identity { .. }) {
                        sql.push(format!("ALTER TABLE {name} ALTER COLUMN {} DROP IDENTITY", quote(&column.name)));
                    }
                }
            }
            Body::Index(_) => sql.push(format!("DROP INDEX {}", qualified(&at.qualified()))),
            _ => {}
        }
    }
    for (at, object) in &before.objects {
        if let Body::Sequence(sequence) = &object.body
            && sequence.owned_by.as_ref().is_some_and(|owner| from.contains_key(&owner.holder()))
        {
            sql.push(format!("ALTER SEQUENCE {} OWNED BY NONE", qualified(&at.qualified())));
        }
    }
    sql
}

/// The name of an old table while its rows are copied.
fn aside(k: &Regroup, of: &Qualified) -> Qualified {
    of.sibling(generated("_mig_old_", &(k, of), of.name.as_str()))
}

/// The statements that copy the rows: those of a table that comes back as an heir into that one, all others into the table itself.
fn copies(k: &Regroup, old: &[Qualified], (was, is): (&Table, &Table), before: &Schema, after: &Schema) -> Vec<String> {
    let tables = k.to.keys().filter(|at| at.kind() == ObjectKind::Table).count();
    let whole =
        |schema: &Schema, at: &Qualified, own: &Table| inherit::whole(schema, at).unwrap_or_else(|| own.clone());
    let own = whole(after, &k.table, is);
    if is.options.contains_key("partition_by") || tables == 1 {
        return vec![copy(&k.table, &qualified(&aside(k, &k.table)), &whole(before, &k.table, was), &own)];
    }
    let with_rows = old.iter().filter_map(|of| Some((of, table_in(&k.from, of)?)));
    let with_rows = with_rows.filter(|(_, table)| !table.options.contains_key("partition_by"));
    let statement = |(of, table): (&Qualified, &Table)| {
        let from = format!("ONLY {}", qualified(&aside(k, of)));
        let heir = table_in(&k.to, of).map(|heir| whole(after, of, heir));
        let to = if heir.is_some() { of } else { &k.table };
        copy(to, &from, &whole(before, of, table), heir.as_ref().unwrap_or(&own))
    };
    with_rows.map(statement).collect()
}

/// The statement that copies rows. What is computed is computed anew.
fn copy(to: &Qualified, from: &str, was: &Table, is: &Table) -> String {
    let given = |name: &Name, table: &Table| {
        table.column(name).is_some_and(|c| !matches!(c.value, ColumnValue::Generated { .. }))
    };
    let columns: Vec<Name> = is
        .columns
        .iter()
        .map(|c| c.name.clone())
        .filter(|name| given(name, is) && was.column(name).is_some())
        .collect();
    let value = |name: &Name| match (was.column(name), is.column(name)) {
        (Some(was), Some(is)) if was.data_type != is.data_type => format!("{}::{}", quote(name), is.data_type),
        _ => quote(name),
    };
    let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
    let columns = list(&columns);
    format!("INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE\nSELECT {values} FROM {from}", qualified(to),)
}

/// Gives sequences to the columns of the new table, and goes on counting where the old one was.
fn owned(table: &Qualified, is: &Table, after: &Schema) -> Vec<String> {
    let of = Address::table(table);
    let mut sql = Vec::new();
    for (at, object) in &after.objects {
        if let Body::Sequence(sequence) = &object.body
            && let Some(owner) = sequence.owned_by.as_ref().filter(|owner| owner.holder() == of)
        {
            let owner = format!("{}.{}", qualified(table), quote(owner.name()));
            sql.push(format!("ALTER SEQUENCE {} OWNED BY {owner}", qualified(&at.qualified())));
        }
    }
    let identity = is.columns.iter().filter(|c| matches!(c.value, ColumnValue::Identity { .. }));
    sql.extend(identity.map(|c| super::sequence::identity_goes_on(table, c, &ColumnValue::Plain, after)));
    sql
}

/// The question whether a row fits none of the new partitions.
fn homeless(k: &Regroup, is: &Table) -> Option<DraftCheck> {
    let by = is.options.get("partition_by")?;
    let children: Vec<&Table> =
        k.to.values()
            .filter_map(|object| match &object.body {
                Body::Table(table) if inherit::parents(table).contains(&k.table) => Some(table),
                _ => None,
            })
            .collect();
    let fit =
        children.iter().map(|t| bound::fits(&k.table, by, t.options.get("bound")?)).collect::<Option<Vec<_>>>()?;
    let fit = if fit.is_empty() { "false".to_owned() } else { fit.join(" OR ") };
    // What is a hash's own function of the new table cannot be asked before there is one.
    if fit.contains("satisfies_hash_partition") {
        return None;
    }
    Some(DraftCheck {
        at: Address::table(&k.table),
        says: format!("every row of {} fits one of its partitions", k.table),
        help: vec!["declare partitions for all rows, or a default partition".to_owned()],
        count: CheckSql::new(format!("SELECT count(*) FROM {} WHERE NOT ({fit})", qualified(&k.table))),
        sample: None,
        stops: true,
    })
}

/// Gives the shares of partitions in an index or key the names that they shall have.
pub(crate) fn shares_named(of: &Qualified, table: &Qualified, around: &Schema) -> Vec<String> {
    let key = format!("{}{}", inherit::NAME_OF, of.name);
    let below = inherit::descendants(around, table).into_iter();
    let named = below.filter_map(|at| {
        let name = around.table(&at)?.options.get(&key)?;
        Some(share_named(&at, of, &Name::new(name.as_str()).ok()?))
    });
    named.collect()
}

/// What takes a partition's names for its shares in indexes from some to others.
pub(crate) fn share_names(
    at: &Qualified,
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
    around: (&Schema, &Schema),
) -> Vec<String> {
    let names: BTreeSet<&str> =
        from.keys().chain(to.keys()).filter_map(|key| key.strip_prefix(inherit::NAME_OF)).collect();
    let mut sql = Vec::new();
    for of in names {
        let key = format!("{}{of}", inherit::NAME_OF);
        if from.get(&key) == to.get(&key) {
            continue;
        }
        let Some((place, given)) = inherit::share(around.0, at, of) else { continue };
        let name = to.get(&key).and_then(|name| Name::new(name.as_str()).ok()).unwrap_or(given);
        sql.push(share_named(at, &place, &name));
    }
    sql
}
