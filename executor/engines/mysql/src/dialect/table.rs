//! Changes of a table as clauses of one ALTER TABLE.

use mig_plan::{
    Address, Constraint, Kind, Name, Qualified, Rule, Schema, Table,
    kind::{
        AddColumn, AddConstraint, AlterColumn, AlterTable, Comment, DropColumn, DropConstraint, Rebuild, RenameMember,
    },
    schema::{Index, IndexedBy},
};

use super::{
    define, index,
    names::{self, literal, quote},
    refs, shadow, types,
};
use crate::flavor::{Flavor, charset_of};

/// The clauses of a change of a table. The last may be one that no comma can stand before: that of partitions.
#[derive(Debug, Default)]
pub(crate) struct Clauses {
    pub(crate) list: Vec<String>,
    pub(crate) partitions: Option<String>,
}

impl Clauses {
    /// The statement, with what is demanded of the server.
    pub(crate) fn statement(&self, table: &Qualified, demanded: Option<&str>) -> String {
        let mut out = format!("ALTER TABLE {}", quote(&table.name));
        let mut list = self.list.clone();
        // The server takes no such demand together with partitions.
        list.extend(demanded.filter(|_| self.partitions.is_none()).map(str::to_owned));
        let list = list.join(",\n  ");
        if !list.is_empty() {
            out.push_str(if list.contains(",\n") { "\n  " } else { " " });
            out.push_str(&list);
        }
        if let Some(partitions) = &self.partitions {
            out.push_str(if list.is_empty() { " " } else { "\n  " });
            out.push_str(partitions);
        }
        out
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.partitions.is_none()
    }

    fn one(clause: String) -> Self {
        Self { list: vec![clause], partitions: None }
    }
}

/// The clauses of a change; nothing if it is no change of a table.
pub(crate) fn clauses(flavor: &Flavor, change: &Kind, before: &Schema, after: &Schema) -> Option<Clauses> {
    let table = |at: &Qualified| after.table(at).cloned().unwrap_or_default();
    Some(match change {
        Kind::AddColumn(AddColumn { table: at, column }) => {
            let place = position(&table(at), &table(at), &column.name);
            Clauses::one(format!("ADD COLUMN {}{place}", define::column(flavor, &table(at), column)))
        }
        Kind::AlterColumn(AlterColumn { table: at, from, to, .. }) if is_remade(from, to) => {
            let was = before.table(at).cloned().unwrap_or_default();
            let place = position(&was, &table(at), &to.name);
            let mut list = vec![
                format!("DROP COLUMN {}", quote(&from.name)),
                format!("ADD COLUMN {}{place}", define::column(flavor, &table(at), to)),
            ];
            // The server would leave an index as many characters of the new column as the old one had.
            if from.data_type != to.data_type {
                list.extend(made_again(at, &from.name, before));
            }
            Clauses { list, partitions: None }
        }
        Kind::AlterColumn(AlterColumn { table: at, to, .. }) => {
            Clauses::one(format!("MODIFY COLUMN {}", define::column(flavor, &table(at), to)))
        }
        Kind::DropColumn(DropColumn { column, .. }) => Clauses::one(format!("DROP COLUMN {}", quote(&column.name))),
        Kind::AddConstraint(AddConstraint { table: at, name, constraint }) => {
            // The name that one of mig's own stood for came back: the index was made outright for that.
            let held = constraint.foreign_key().filter(|_| shadow::is_held(change, before));
            let stood_for = held.is_some() && !names::is_own(name.as_str());
            let mut list = if stood_for { vec![] } else { again(at, name, constraint, before) };
            list.push(match held {
                Some(fk) => format!("ADD CONSTRAINT {} {}", quote(name), define::foreign_key_unchecked(fk)),
                None => add_constraint(flavor, &table(at), name, constraint)?,
            });
            Clauses { list, partitions: None }
        }
        Kind::DropConstraint(DropConstraint { table: at, name, constraint }) => {
            Clauses::one(drop_constraint(flavor, &table(at), name, constraint)?)
        }
        Kind::RenameMember(RenameMember { from, to, .. }) if from.kind() == mig_plan::ObjectKind::Column => {
            Clauses::one(format!("RENAME COLUMN {} TO {}", quote(from.name()), quote(to)))
        }
        Kind::AlterTable(AlterTable { table: at, from, to }) => settings(flavor, &table(at), from, to),
        Kind::Comment(comment) => on_comment(flavor, comment, after)?,
        Kind::Rebuild(rebuild) => all(flavor, rebuild, before),
        _ => return None,
    })
}

/// Whether a computed column must go and come, in one statement: the server does not turn one that is computed when read into one that
/// is stored, or back.
pub(crate) fn is_remade(from: &mig_plan::Column, to: &mig_plan::Column) -> bool {
    use mig_plan::ColumnValue::Generated;
    matches!((&from.value, &to.value), (Generated { stored: a, .. }, Generated { stored: b, .. }) if a != b)
}

/// The indexes over a column go and come.
fn made_again(at: &Qualified, column: &Name, schema: &Schema) -> Vec<String> {
    let over = |index: &Index| index.parts.iter().any(|part| part.what == IndexedBy::Column(column.clone()));
    let own = schema.indexes_of(at).filter(|(_, index)| over(index));
    own.filter_map(|(at, index)| Some((at, schema.objects.get(at)?, index)))
        .flat_map(|(at, object, of)| {
            [format!("DROP INDEX {}", quote(at.name())), format!("ADD {}", index::definition(at, object, of))]
        })
        .collect()
}

/// Where a column stands in `wanted`, as ADD COLUMN says it: after the nearest column before it that is in `there`; nothing if it
/// stands behind all of those.
pub(crate) fn position(wanted: &Table, there: &Table, name: &Name) -> String {
    let Some(at) = wanted.columns.iter().position(|c| c.name == *name) else { return String::new() };
    let is_there = |c: &&mig_plan::Column| c.name != *name && there.column(&c.name).is_some();
    if !wanted.columns[at..].iter().any(|c| is_there(&c)) {
        return String::new();
    }
    match wanted.columns[..at].iter().rev().find(is_there) {
        Some(before) => format!(" AFTER {}", quote(&before.name)),
        None => " FIRST".to_owned(),
    }
}

/// An index that the server made for a foreign key goes when a later key makes one; made again outright, it stays.
fn again(at: &Qualified, name: &Name, constraint: &Constraint, before: &Schema) -> Vec<String> {
    let Some(fk) = constraint.foreign_key() else { return vec![] };
    let carries = |index: &Index| refs::leads(index, &fk.columns) && index.parts.len() == fk.columns.len();
    let own = before.indexes_of(at).filter(|(at, index)| carries(index) && !index.unique && at.name() != name);
    own.filter_map(|(at, index)| Some((at, before.objects.get(at)?, index)))
        .flat_map(|(at, object, of)| {
            [format!("DROP INDEX {}", quote(at.name())), format!("ADD {}", index::definition(at, object, of))]
        })
        .collect()
}

fn add_constraint(flavor: &Flavor, table: &Table, name: &Name, constraint: &Constraint) -> Option<String> {
    if define::is_column_check(constraint) {
        return Some(format!("MODIFY COLUMN {}", define::column(flavor, table, table.column(name)?)));
    }
    Some(format!("ADD {}", define::constraint(name, constraint)))
}

fn drop_constraint(flavor: &Flavor, table: &Table, name: &Name, constraint: &Constraint) -> Option<String> {
    Some(match &constraint.rule {
        Rule::PrimaryKey(_) => "DROP PRIMARY KEY".to_owned(),
        Rule::ForeignKey(_) => format!("DROP FOREIGN KEY {}", quote(name)),
        Rule::Unique(_) => format!("DROP INDEX {}", quote(name)),
        _ if define::is_column_check(constraint) => {
            format!("MODIFY COLUMN {}", define::column(flavor, table, table.column(name)?))
        }
        _ => format!("DROP CONSTRAINT {}", quote(name)),
    })
}

type Options = std::collections::BTreeMap<String, String>;

/// Settings that come, change and go. Columns that have the table's collation follow it, as the model says.
fn settings(flavor: &Flavor, table: &Table, from: &Options, to: &Options) -> Clauses {
    let mut out = Clauses::default();
    for (key, value) in to.iter().filter(|(key, value)| from.get(*key) != Some(*value)) {
        match key.as_str() {
            "partition_by" => out.partitions = Some(format!("PARTITION BY {value}")),
            "collation" => {
                out.list.push(format!("DEFAULT CHARACTER SET {} COLLATE {value}", charset_of(value)));
                let follow = |c: &&mig_plan::Column| c.collation.is_none() && types::is_text(&c.data_type);
                for column in table.columns.iter().filter(follow) {
                    let mut said = column.clone();
                    said.collation = Some(value.clone());
                    out.list.push(format!("MODIFY COLUMN {}", define::column(flavor, table, &said)));
                }
            }
            _ => out.list.extend(define::option(key, value)),
        }
    }
    if is_aria(to) && !is_aria(from) && !to.contains_key("page_checksum") {
        out.list.push("PAGE_CHECKSUM=1".to_owned());
    }
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        if key == "partition_by" {
            out.partitions = Some("REMOVE PARTITIONING".to_owned());
        } else {
            out.list.extend(define::option_gone(key, table.options.get("engine").map(String::as_str)));
        }
    }
    out
}

fn on_comment(flavor: &Flavor, comment: &Comment, after: &Schema) -> Option<Clauses> {
    use mig_plan::ObjectKind as K;
    let text = literal(comment.to.as_deref().unwrap_or_default());
    match comment.at.kind() {
        K::Table => Some(Clauses::one(format!("COMMENT={text}"))),
        K::Column => {
            let table = after.table(&comment.at.relation()?)?;
            let column = table.column(comment.at.name())?;
            Some(Clauses::one(format!("MODIFY COLUMN {}", define::column(flavor, table, column))))
        }
        K::Constraint => {
            let constraint = after.constraint(&comment.at)?;
            let table = after.table(&comment.at.relation()?)?;
            let name = comment.at.name();
            let list = vec![
                drop_constraint(flavor, table, name, constraint)?,
                add_constraint(flavor, table, name, constraint)?,
            ];
            Some(Clauses { list, partitions: None })
        }
        _ => None,
    }
}

/// The plain changes that lead from one form of a table to another.
pub(crate) fn parts(at: &Qualified, from: &Table, to: &Table) -> Vec<Kind> {
    let mut out: Vec<Kind> = Vec::new();
    for (name, constraint) in from.constraints.iter().filter(|(name, c)| to.constraints.get(*name) != Some(*c)) {
        let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
        out.push(DropConstraint { table, name, constraint }.into());
    }
    for column in from.columns.iter().filter(|c| to.column(&c.name).is_none()) {
        out.push(DropColumn { table: at.clone(), column: column.clone() }.into());
    }
    for column in &to.columns {
        match from.column(&column.name) {
            None => out.push(AddColumn { table: at.clone(), column: column.clone() }.into()),
            Some(was) if was != column => {
                out.push(AlterColumn { table: at.clone(), from: was.clone(), to: column.clone(), using: None }.into());
            }
            Some(_) => {}
        }
    }
    for (name, constraint) in to.constraints.iter().filter(|(name, c)| from.constraints.get(*name) != Some(*c)) {
        let (table, name, constraint) = (at.clone(), name.clone(), constraint.clone());
        out.push(AddConstraint { table, name, constraint }.into());
    }
    if from.options != to.options {
        out.push(AlterTable { table: at.clone(), from: from.options.clone(), to: to.options.clone() }.into());
    }
    out
}

/// All changes of a table in one statement. A column that more than one of them speaks of is defined once, as it shall be.
fn all(flavor: &Flavor, rebuild: &Rebuild, before: &Schema) -> Clauses {
    let mut goal = before.clone();
    if let Some(table) = goal.table_mut(&rebuild.table) {
        *table = rebuild.to.clone();
    }
    let mut out = Clauses::default();
    let mut defined: Vec<String> = Vec::new();
    let added = |name: &Name| rebuild.from.column(name).is_none();
    for part in parts(&rebuild.table, &rebuild.from, &rebuild.to) {
        let own_check = match &part {
            Kind::AddConstraint(k) => define::is_column_check(&k.constraint).then_some(&k.name),
            Kind::DropConstraint(k) => define::is_column_check(&k.constraint).then_some(&k.name),
            _ => None,
        };
        // The definition of a column that comes or goes in this statement speaks of its check already.
        if own_check.is_some_and(|name| added(name) || rebuild.to.column(name).is_none()) {
            continue;
        }
        let Some(clauses) = clauses(flavor, &part, before, &goal) else { continue };
        for clause in clauses.list {
            // An index over two columns that are made again.
            if out.list.contains(&clause) {
                continue;
            }
            let column = clause.strip_prefix("MODIFY COLUMN ").map(|rest| first_name(rest).to_owned());
            if let Some(column) = column {
                if defined.contains(&column)
                    || rebuild.to.columns.iter().any(|c| added(&c.name) && quote(&c.name) == column)
                {
                    continue;
                }
                defined.push(column);
            }
            out.list.push(clause);
        }
        out.partitions = out.partitions.or(clauses.partitions);
    }
    out
}

/// The quoted name that a clause begins with.
fn first_name(clause: &str) -> &str {
    let end = clause.get(1..).and_then(|rest| rest.find('`')).map_or(clause.len(), |end| end + 2);
    &clause[..end]
}

fn is_aria(options: &Options) -> bool {
    options.get("engine").is_some_and(|e| e.eq_ignore_ascii_case("Aria"))
}

/// What goes around the statement with which a table leaves Aria, as the server would go on to show the options of that: before it, that
/// the table says nothing of crashes (whether it does, the catalog does not tell), and after it, that it says nothing of its pages.
pub(crate) fn leaves_aria(change: &Kind) -> Option<[String; 2]> {
    let (at, from, to) = match change {
        Kind::AlterTable(k) => (&k.table, &k.from, &k.to),
        Kind::Rebuild(k) => (&k.table, &k.from.options, &k.to.options),
        _ => return None,
    };
    let said = |what: &str| format!("ALTER TABLE {} {what}=DEFAULT", quote(&at.name));
    (is_aria(from) && !is_aria(to)).then(|| [said("TRANSACTIONAL"), said("PAGE_CHECKSUM")])
}

/// The table that a change of one table is about.
pub(crate) fn of(change: &Kind) -> Option<Qualified> {
    Some(match change {
        Kind::AddColumn(k) => k.table.clone(),
        Kind::AlterColumn(k) => k.table.clone(),
        Kind::DropColumn(k) => k.table.clone(),
        Kind::AddConstraint(k) => k.table.clone(),
        Kind::DropConstraint(k) => k.table.clone(),
        Kind::AlterTable(k) => k.table.clone(),
        Kind::Rebuild(k) => k.table.clone(),
        Kind::RenameMember(k) => k.from.relation()?,
        Kind::Comment(k) => match k.at.kind() {
            mig_plan::ObjectKind::Table => k.at.qualified(),
            mig_plan::ObjectKind::Column | mig_plan::ObjectKind::Constraint => k.at.relation()?,
            _ => return None,
        },
        _ => return None,
    })
}

/// The address of a table's change for messages.
pub(crate) fn address(table: &Qualified) -> Address {
    Address::table(table)
}
