//! What a table has from its parents, as a partition or by `INHERITS`. In a schema such a table lists only what is its own: further
//! columns, and of its parents' columns those in which it differs. What it has from its parents comes, changes and goes with them.
//!
//! An entry for a parent's column has no type. Its value is [`ColumnValue::Plain`] where that is the parent's, and the default `NULL`
//! where the parent has one and it has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql, Table,
    schema::Index, split_path,
};

#[cfg(feature = "driver")]
use super::names;

/// How deep tables inherit from tables, at most: a guard against circles.
const DEEPEST: usize = 64;

/// The settings that name parents.
const PARENTS: [&str; 2] = ["partition_of", "inherits"];

/// The parents of a table.
pub(crate) fn parents(table: &Table) -> Vec<Qualified> {
    let named = PARENTS.iter().filter_map(|key| table.options.get(*key)).flat_map(|paths| paths.split(','));
    named.filter_map(|path| path_of(path.trim())).collect()
}

/// Lets a table name a parent by its new name.
pub(crate) fn rename_parent(table: &mut Table, from: &Qualified, to: &Qualified) {
    for key in PARENTS {
        let Some(paths) = table.options.get_mut(key) else { continue };
        let renamed = |path: &str| {
            let is_it = path_of(path.trim()).as_ref() == Some(from);
            if is_it { to.to_string() } else { path.trim().to_owned() }
        };
        *paths = paths.split(',').map(renamed).collect::<Vec<_>>().join(", ");
    }
}

/// A dotted path as a name.
pub(crate) fn path_of(dotted: &str) -> Option<Qualified> {
    let mut parts = split_path(dotted).ok()?;
    let name = parts.pop()?;
    Some(Qualified::new(parts.pop(), name))
}

/// Before the name of a parent's index or key: the setting with the name that a partition has for its share in it, where that is not
/// the one that the server gives.
pub(crate) const NAME_OF: &str = "name_of.";

/// The setting of an index of a table with partitions that those need not have their shares in.
pub(crate) const ONLY: &str = "only";

/// The setting of an index of a partition with the path of the index over it that it is attached to, where that is the parent's only.
pub(crate) const ATTACHED: &str = "attached_to";

/// The path of the index that one is attached to.
pub(crate) fn attached_to(index: &Index) -> Option<Qualified> {
    index.options.get(ATTACHED).and_then(|path| path_of(path))
}

/// Whether a share in an index has a name that the server gives: `kind` is the kind of constraint that it carries, if any.
#[cfg(feature = "driver")]
pub(crate) fn is_given_name(table: &str, columns: &str, kind: Option<char>, name: &str) -> bool {
    let suffix = match kind {
        Some('p') => "pkey",
        Some('u') => "key",
        Some('x') => "excl",
        _ => "idx",
    };
    let mut passed: Vec<String> = Vec::new();
    for _ in 0..GIVEN {
        let given = names::derived(table, columns, suffix, &|name| passed.iter().any(|p| p == name));
        if given.as_str() == name {
            return true;
        }
        passed.push(given.as_str().to_owned());
    }
    false
}

/// How many numbered names of the server are told from a user's.
#[cfg(feature = "driver")]
const GIVEN: usize = 12;

/// Whether a table is a partition of another.
pub(crate) fn is_partition(table: &Table) -> bool {
    table.options.contains_key("partition_of")
}

/// The parents of a table, their parents, and so on.
pub(crate) fn ancestors(schema: &Schema, at: &Qualified) -> Vec<Qualified> {
    let mut found: Vec<Qualified> = schema.table(at).map(parents).unwrap_or_default();
    let mut next = 0;
    while next < found.len() && next < DEEPEST {
        let more = schema.table(&found[next]).map(parents).unwrap_or_default();
        found.extend(more.into_iter().filter(|at| !found.contains(at)).collect::<Vec<_>>());
        next += 1;
    }
    found
}

/// The tables that have a table among their parents.
pub(crate) fn children<'a>(schema: &'a Schema, of: &'a Qualified) -> impl Iterator<Item = (Qualified, &'a Table)> {
    schema.tables().filter(move |(_, table)| parents(table).contains(of))
}

/// All tables under a table, parents first.
pub(crate) fn descendants(schema: &Schema, of: &Qualified) -> Vec<Qualified> {
    let mut found: Vec<Qualified> = Vec::new();
    let mut next = vec![of.clone()];
    while let Some(at) = next.pop() {
        for (child, _) in children(schema, &at) {
            if !found.contains(&child) {
                found.push(child.clone());
                next.insert(0, child);
            }
        }
    }
    found
}

/// What a parent's column is in a table that says nothing about it. Numbers of an identity column are given by the parent.
pub(crate) fn passed_on(column: &Column) -> Column {
    let mut passed = Column { comment: None, ..column.clone() };
    passed.options.retain(|key, _| matches!(key.as_str(), "storage" | "compression"));
    if matches!(passed.value, ColumnValue::Identity { .. }) {
        passed.value = ColumnValue::Plain;
    }
    passed
}

/// A column as it is in a table that says `own` about it.
pub(crate) fn merged(parent: &Column, own: &Column) -> Column {
    let mut merged = passed_on(parent);
    merged.not_null |= own.not_null;
    merged.comment.clone_from(&own.comment);
    merged.options.extend(own.options.clone());
    match &own.value {
        ColumnValue::Plain => {}
        ColumnValue::Default(value) if value.as_str() == NO_DEFAULT => merged.value = ColumnValue::Plain,
        other => merged.value = other.clone(),
    }
    merged
}

/// The default of a column that has none although its parent has one.
const NO_DEFAULT: &str = "NULL";

/// What a table has to say about a parent's column that shall be as given; `None` if nothing.
fn difference(parent: &Column, wanted: &Column) -> Option<Column> {
    let base = passed_on(parent);
    let typeless = wanted.data_type.is_empty();
    let value = match (&base.value, &wanted.value) {
        (_, ColumnValue::Plain) if typeless => ColumnValue::Plain,
        (a, b) if a == b || *b == parent.value => ColumnValue::Plain,
        (ColumnValue::Default(_), ColumnValue::Plain) => ColumnValue::Default(Sql::new(NO_DEFAULT)),
        (ColumnValue::Generated { .. }, ColumnValue::Plain) => ColumnValue::Plain,
        (ColumnValue::Plain, ColumnValue::Default(value)) if value.as_str().eq_ignore_ascii_case(NO_DEFAULT) => {
            ColumnValue::Plain
        }
        (_, other) => other.clone(),
    };
    let options: BTreeMap<_, _> =
        wanted.options.iter().filter(|(key, value)| base.options.get(*key) != Some(value)).map(owned).collect();
    let not_null = wanted.not_null && !base.not_null;
    let says = not_null || !value.is_plain() || !options.is_empty() || wanted.comment.is_some();
    says.then(|| Column {
        name: wanted.name.clone(),
        data_type: String::new(),
        not_null,
        value,
        collation: None,
        comment: wanted.comment.clone(),
        options,
    })
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// A parent's column as it is there, where a table has it from a parent.
pub(crate) fn above(schema: &Schema, table: &Qualified, column: &Name) -> Option<Column> {
    let own = schema.table(table)?;
    parents(own).iter().find_map(|parent| whole(schema, parent)?.column(column).cloned())
}

/// The table with what it has from its parents; constraints under the names that the server would choose.
pub(crate) fn whole(schema: &Schema, at: &Qualified) -> Option<Table> {
    complete(schema, at, 0)
}

fn complete(schema: &Schema, at: &Qualified, depth: usize) -> Option<Table> {
    let mut table = schema.table(at)?.clone();
    let partition = is_partition(&table);
    let own = std::mem::take(&mut table.columns);
    let mut columns: Vec<Column> = Vec::new();
    for parent in parents(&table).iter().filter(|_| depth < DEEPEST) {
        let Some(from) = complete(schema, parent, depth + 1) else { continue };
        for column in &from.columns {
            match own.iter().find(|c| c.name == column.name) {
                _ if columns.iter().any(|c| c.name == column.name) => {}
                Some(own) => columns.push(merged(column, own)),
                None => columns.push(passed_on(column)),
            }
        }
        inherit_constraints(at, &mut table, &from, partition);
    }
    let further = own.into_iter().filter(|c| !columns.iter().any(|there| there.name == c.name)).collect::<Vec<_>>();
    columns.extend(further);
    table.columns = columns;
    Some(table)
}

fn inherit_constraints(at: &Qualified, table: &mut Table, from: &Table, partition: bool) {
    for (name, constraint) in from.constraints.iter().filter(|(_, c)| is_passed_on(c, partition)) {
        let same = |c: &Constraint| constraint.key().is_some() && c.rule == constraint.rule;
        if table.constraints.values().any(same) {
            continue;
        }
        let copy = Constraint { comment: None, ..constraint.clone() };
        let taken: BTreeSet<Name> = table.constraints.keys().cloned().collect();
        let said = table.options.get(&format!("{NAME_OF}{name}")).and_then(|name| Name::new(name.as_str()).ok());
        let name = match copy.rule {
            Rule::Check { .. } | Rule::ForeignKey(_) => name.clone(),
            _ => said.unwrap_or_else(|| super::constraint_name(at, &copy, &taken)),
        };
        table.constraints.entry(name).or_insert(copy);
    }
}

/// Whether tables under another have its constraint too.
fn is_passed_on(constraint: &Constraint, partition: bool) -> bool {
    match constraint.rule {
        Rule::Check { .. } => !constraint.options.contains_key("no_inherit"),
        _ => partition,
    }
}

/// A table with parents as it would stand without them, with copies of the indexes that it has from them.
pub(crate) fn standing_alone(at: &Qualified, schema: &Schema) -> Option<BTreeMap<Address, Arc<Object>>> {
    let address = Address::table(at);
    let object = schema.objects.get(&address)?;
    let Body::Table(own) = &object.body else { return None };
    if parents(own).is_empty() {
        return None;
    }
    let mut table = whole(schema, at)?;
    table
        .options
        .retain(|key, _| !matches!(key.as_str(), "partition_of" | "inherits" | "bound") && !key.starts_with(NAME_OF));
    let mut out = BTreeMap::new();
    let mut taken: BTreeSet<Name> = schema.objects.keys().map(|at| at.name().clone()).collect();
    for (theirs, index) in passed_indexes(schema, at) {
        let copy = copied(index, at);
        let said =
            own.options.get(&format!("{NAME_OF}{}", theirs.name())).and_then(|name| Name::new(name.as_str()).ok());
        let name = said.unwrap_or_else(|| super::index_name(&copy, &taken));
        taken.insert(name.clone());
        out.insert(Address::index(&at.sibling(name)), Object::new(Body::Index(copy)).into());
    }
    out.insert(address, Arc::new(Object { body: Body::Table(table), ..Object::clone(object) }));
    Some(out)
}

/// The indexes of the tables over a partition, of which it has its share.
pub(crate) fn passed_indexes<'a>(schema: &'a Schema, at: &Qualified) -> Vec<(&'a Address, &'a Index)> {
    let mut found = Vec::new();
    let mut here = at.clone();
    for _ in 0..DEEPEST {
        let Some(table) = schema.table(&here).filter(|t| is_partition(t)) else { break };
        let Some(parent) = parents(table).pop() else { break };
        let of_parent = schema.indexes().filter(|(_, i)| i.table == parent && !i.options.contains_key(ONLY));
        found.extend(of_parent);
        here = parent;
    }
    found
}

/// A parent's index as one of a table under it.
fn copied(index: &Index, table: &Qualified) -> Index {
    let mut copy = Index { table: table.clone(), ..index.clone() };
    copy.options.retain(|key, _| key.starts_with("with.") || key == "tablespace");
    copy
}

/// Tables in an order in which each comes after its parents.
pub(crate) fn parents_first(schema: &Schema) -> Vec<Qualified> {
    let depth = |at: &Qualified| {
        let mut depth = 0;
        let mut level: Vec<Qualified> = vec![at.clone()];
        while depth < DEEPEST {
            level = level.iter().filter_map(|at| schema.table(at)).flat_map(parents).collect();
            if level.is_empty() {
                break;
            }
            depth += 1;
        }
        depth
    };
    let mut all: Vec<(usize, Qualified)> = schema.tables().map(|(at, _)| (depth(&at), at)).collect();
    all.sort();
    all.into_iter().map(|(_, at)| at).collect()
}

/// Gives a table the columns that it has from its parents, which have theirs already.
pub(crate) fn expand(schema: &mut Schema, at: &Qualified) {
    let Some(own) = schema.table(at) else { return };
    let all: Vec<Table> = parents(own).iter().filter_map(|parent| schema.table(parent)).cloned().collect();
    let Some(table) = schema.table_mut(at).filter(|_| !all.is_empty()) else { return };
    let own = std::mem::take(&mut table.columns);
    for column in all.iter().flat_map(|parent| &parent.columns) {
        if table.column(&column.name).is_some() {
            continue;
        }
        table.columns.push(match own.iter().find(|c| c.name == column.name) {
            Some(said) if said.data_type.is_empty() => merged(column, said),
            Some(said) => Column { not_null: said.not_null || column.not_null, ..said.clone() },
            None => passed_on(column),
        });
    }
    let further: Vec<_> = own.into_iter().filter(|c| table.column(&c.name).is_none()).collect();
    table.columns.extend(further);
}

/// Leaves of expanded tables only what is their own.
pub(crate) fn lean(schema: &mut Schema) {
    let full = schema.clone();
    for (at, expanded) in full.tables().filter(|(_, table)| !parents(table).is_empty()) {
        let above: Vec<Table> = parents(expanded).iter().filter_map(|parent| whole(&full, parent)).collect();
        let partition = is_partition(expanded);
        let Some(table) = schema.table_mut(&at).filter(|_| !above.is_empty()) else { continue };
        table.columns = expanded
            .columns
            .iter()
            .filter_map(|column| match above.iter().find_map(|parent| parent.column(&column.name)) {
                Some(parent) => difference(parent, column),
                None => Some(column.clone()),
            })
            .collect();
        let passed: Vec<(&Name, &Constraint)> = above
            .iter()
            .flat_map(|parent| parent.constraints.iter().filter(|(_, c)| is_passed_on(c, partition)))
            .collect();
        table.constraints.retain(|name, constraint| {
            !passed.iter().any(|(its, theirs)| match &constraint.rule {
                Rule::Check { .. } => *its == name,
                rule => theirs.rule == *rule,
            })
        });
    }
}

/// Whether an index is a table's share in one of a table over it.
pub(crate) fn is_share(theirs: &Index, own: &Index, at: &Qualified) -> bool {
    same_index(&copied(theirs, at), own)
}

/// The names that the server gives the shares of partitions in an index or key, where they are free.
pub(crate) fn shares(at: &Address, schema: &Schema) -> Vec<Qualified> {
    let none = BTreeSet::new();
    let divided = |of: &Qualified| schema.table(of).is_some_and(|t| t.options.contains_key("partition_by"));
    if let Some(Body::Index(index)) = schema.objects.get(at).map(|o| &o.body) {
        if !divided(&index.table) || index.options.contains_key(ONLY) {
            return Vec::new();
        }
        let below = descendants(schema, &index.table).into_iter();
        return below.map(|of| of.sibling(super::index_name(&copied(index, &of), &none))).collect();
    }
    let of = at.relation().filter(|of| at.kind() == ObjectKind::Constraint && divided(of));
    let key = of.as_ref().and_then(|of| schema.table(of)?.constraints.get(at.name()));
    let (Some(of), Some(key)) = (of.as_ref(), key.filter(|c| c.key().is_some())) else { return Vec::new() };
    let below = descendants(schema, of).into_iter();
    below.map(|under| under.sibling(super::constraint_name(&under, key, &none))).collect()
}

/// The index or key of a table over a partition that has a name, and the name that the server gives the partition's share in it.
pub(crate) fn share(schema: &Schema, at: &Qualified, of: &str) -> Option<(Qualified, Name)> {
    let name = Name::new(of).ok()?;
    let taken: BTreeSet<Name> = schema.objects.keys().map(|at| at.name().clone()).collect();
    for above in ancestors(schema, at) {
        let place = above.sibling(name.clone());
        if let Some(constraint) = schema.table(&above).and_then(|t| t.constraints.get(&name)) {
            return Some((place, super::constraint_name(at, constraint, &taken)));
        }
        if let Some(Body::Index(index)) = schema.objects.get(&Address::index(&place)).map(|o| &o.body) {
            return Some((place, super::index_name(&copied(index, at), &taken)));
        }
    }
    None
}

fn same_index(a: &Index, b: &Index) -> bool {
    let mut b = b.clone();
    b.options.retain(|key, _| key.starts_with("with.") || key == "tablespace");
    *a == b
}
