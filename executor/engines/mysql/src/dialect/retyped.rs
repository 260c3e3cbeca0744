//! Values that a new type does not give back. They are kept when a column gets it, with what becomes of them, and come back where nobody
//! has written since.

use mig_plan::{
    Column, ColumnValue, Constraint, Kind, Name, Qualified, RenderedUndo, Rule, Schema, Table,
    kind::{AlterColumn, Rebuild},
    schema::IndexedBy,
};

use super::{
    define, index, kept,
    names::quote,
    online::is_identity,
    render::prepared,
    table::{self, Clauses},
    text, types, weigh,
};
use crate::flavor::Flavor;

/// Columns of a table whose old values are kept.
pub(crate) struct Retyped {
    at: Qualified,
    was: Table,
    is: Table,
    /// Each as it was and as it is then.
    columns: Vec<(Column, Column)>,
    key: Vec<Name>,
    kept: Name,
}

/// The columns that get a type in a change which does not give their values back; nothing if there are none, or if they cannot be told or
/// put back.
pub(crate) fn of(change: &Kind, before: &Schema) -> Option<Retyped> {
    let at = match change {
        Kind::AlterColumn(k) => &k.table,
        Kind::Rebuild(k) => &k.table,
        _ => return None,
    };
    let mut after = before.clone();
    after.apply(change).ok()?;
    let (was, is) = (before.table(at)?.clone(), after.table(at)?.clone());
    let key = kept::key(&was).filter(|key| {
        let stays = kept::key(&is).as_ref() == Some(key) && key.iter().all(|k| was.column(k) == is.column(k));
        let plain =
            |table: &Table| !["system_versioned", "partition_by"].iter().any(|o| table.options.contains_key(*o));
        stays && plain(&was) && plain(&is)
    })?;
    let free = |name: &Name| [before, &after].iter().all(|schema| is_free(at, name, schema));
    let columns: Vec<_> = losing(&was, &is).filter(|(from, _)| free(&from.name)).collect();
    (!columns.is_empty()).then(|| Retyped { at: at.clone(), was, is, columns, key, kept: kept::values(change) })
}

/// Columns whose values become others in a change and are not kept.
pub(crate) fn lost(change: &Kind, before: &Schema) -> Vec<Name> {
    let (Kind::AlterColumn(AlterColumn { table: at, .. }) | Kind::Rebuild(Rebuild { table: at, .. })) = change else {
        return Vec::new();
    };
    let mut after = before.clone();
    let (Ok(()), Some(was)) = (after.apply(change), before.table(at)) else { return Vec::new() };
    let Some(is) = after.table(at) else { return Vec::new() };
    let kept = of(change, before).map(|kept| kept.columns).unwrap_or_default();
    let is_kept = |name: &Name| kept.iter().any(|(from, _)| from.name == *name);
    losing(was, is).map(|(from, _)| from.name).filter(|name| !is_kept(name)).collect()
}

/// The columns of which a value may become another.
fn losing(was: &Table, is: &Table) -> impl Iterator<Item = (Column, Column)> {
    let pairs = was.columns.iter().filter_map(|from| Some((from.clone(), is.column(&from.name)?.clone())));
    pairs.filter(|(from, to)| loses(from, to))
}

/// Whether a value can become another on the way into a type, and the server says nothing.
fn loses(from: &Column, to: &Column) -> bool {
    let own = |c: &Column| !matches!(c.value, ColumnValue::Generated { .. }) && !is_identity(c);
    let both = |is: &dyn Fn(&Column) -> bool| is(from) && is(to);
    let refused = both(&|c| types::range(&c.data_type).is_some())
        || both(&|c| types::is_text(&c.data_type)) && types::base(&to.data_type) != "char"
        || both(&|c| types::is_binary(&c.data_type)) && !pads(from, to);
    own(from) && own(to) && from.data_type != to.data_type && !refused && !weigh::widens(from, to)
}

/// Whether a type fills up its bytes with zeros, so that nobody can tell afterwards how many there were.
fn pads(from: &Column, to: &Column) -> bool {
    types::is_binary(&from.data_type) && types::base(&to.data_type) == "binary" && from.data_type != to.data_type
}

/// A value without the zeros that its type gave it, where the old one has no room for them.
fn unpadded(from: &Column, to: &Column) -> String {
    let name = format!("t.{}", quote(&to.name));
    match types::argument(&from.data_type).filter(|_| pads(from, to)) {
        Some(room) => {
            format!("IF({name} = RPAD(LEFT({name}, {room}), LENGTH({name}), X'00'), LEFT({name}, {room}), {name})")
        }
        None => name,
    }
}

/// Whether a column can go and another of its name come: nothing stands on it but what goes and comes in the same statement, which is
/// indexes, unique keys and the checks of its table.
fn is_free(at: &Qualified, name: &Name, schema: &Schema) -> bool {
    let Some(table) = schema.table(at) else { return false };
    let says = |sql: &mig_plan::Sql| text::mentions(sql).contains(name);
    let constrained = table.constraints.iter().any(|(of, c)| match &c.rule {
        Rule::PrimaryKey(key) => key.columns.contains(name),
        Rule::Unique(_) => false,
        Rule::ForeignKey(fk) => fk.columns.contains(name),
        Rule::Check { expression } => define::is_column_check(c) && (of == name || says(expression)),
        Rule::Exclude { .. } => true,
    });
    let computed =
        table.columns.iter().any(|c| matches!(&c.value, ColumnValue::Generated { expression, .. } if says(expression)));
    let referred =
        schema.references_to(at).any(|(_, _, c)| c.foreign_key().is_some_and(|fk| fk.referenced.contains(name)));
    !constrained && !computed && !referred
}

/// What the kept values are called.
fn old(nth: usize) -> String {
    format!("_mig_old{nth}")
}

/// What those are called that they become.
fn became(nth: usize) -> String {
    format!("_mig_new{nth}")
}

impl Retyped {
    /// A column of the same type that holds anything, under another name.
    fn bare(&self, flavor: &Flavor, of: &Table, column: &Column, name: Name) -> String {
        let bare = Column { name, not_null: false, value: ColumnValue::Plain, comment: None, ..column.clone() };
        define::column(flavor, of, &Column { options: Default::default(), ..bare })
    }

    /// Where the values are kept.
    pub(crate) fn table(&self) -> &Name {
        &self.kept
    }

    /// Statements that keep the values, each of which can be run again.
    pub(crate) fn keep(&self, flavor: &Flavor) -> Vec<String> {
        let (kept, table) = (quote(&self.kept), quote(&self.at.name));
        let keys: Vec<_> = self.key.iter().map(quote).collect();
        let (mut defined, mut held, mut into, mut values) = (Vec::new(), Vec::new(), keys.clone(), keys.clone());
        for (nth, (from, to)) in self.columns.iter().enumerate() {
            let name = quote(&from.name);
            defined.extend(Name::new(became(nth)).map(|new| self.bare(flavor, &self.is, to, new)));
            held.push(format!("{name} AS {}", old(nth)));
            into.extend([old(nth), became(nth)]);
            values.extend([name.clone(), name]);
        }
        defined.push(format!("PRIMARY KEY ({})", keys.join(", ")));
        vec![
            format!(
                "CREATE TABLE IF NOT EXISTS {kept} ({}) AS SELECT {}, {} FROM {table} WHERE FALSE",
                defined.join(", "),
                keys.join(", "),
                held.join(", ")
            ),
            format!("DELETE FROM {kept}"),
            format!("INSERT INTO {kept} ({}) SELECT {} FROM {table}", into.join(", "), values.join(", ")),
        ]
    }

    /// What takes the change back: columns of the old types are filled beside, and take the places of those that are there in the one
    /// statement that does all else.
    pub(crate) fn back(&self, flavor: &Flavor, mut clauses: Clauses, before: &Schema) -> RenderedUndo {
        let (kept, table) = (quote(&self.kept), quote(&self.at.name));
        let mut prepare = Vec::new();
        for (nth, (from, to)) in self.columns.iter().enumerate() {
            let (name, back) = (quote(&from.name), kept::returning(&from.name));
            let (set, stays) = (quote(&back), kept::undated(&self.is, "t", &[]));
            let bytes = |value: String| match types::is_text(&to.data_type) {
                true => format!("CAST({value} AS BINARY)"),
                false => value,
            };
            prepare.extend([
                format!(
                    "ALTER TABLE {table} ADD COLUMN {}{}",
                    flavor.if_not_exists(),
                    self.bare(flavor, &self.was, from, back)
                ),
                format!("UPDATE {table} AS t SET t.{set} = {}{stays}", unpadded(from, to)),
                format!(
                    "UPDATE {table} AS t JOIN {kept} AS k ON {} AND {} <=> {} SET t.{set} = k.{}{stays}",
                    kept::same_key(&self.key, "t", "k"),
                    bytes(format!("t.{name}")),
                    bytes(format!("k.{}", became(nth))),
                    old(nth)
                ),
            ]);
            let full = define::column(flavor, &self.was, from);
            let place = table::position(&self.was, &self.is, &from.name);
            let modified = format!("MODIFY COLUMN {name} ");
            clauses.list.retain(|clause| !clause.starts_with(&modified));
            clauses.list.extend([format!("DROP COLUMN {name}"), format!("CHANGE COLUMN {set} {full}{place}")]);
        }
        self.constraints_again(&mut clauses);
        for (at, of) in before.indexes_of(&self.at) {
            let on = |name: &Name| self.columns.iter().any(|(from, _)| from.name == *name);
            let concerned = of.parts.iter().any(|part| matches!(&part.what, IndexedBy::Column(name) if on(name)));
            if let Some(object) = before.objects.get(at).filter(|_| concerned) {
                let made = index::definition(at, object, of);
                clauses.list.extend([format!("DROP INDEX {}", quote(at.name())), format!("ADD {made}")]);
            }
        }
        let action = prepared(prepare, clauses.statement(&self.at, None));
        let says = "gives it its form again, with the values that were kept where nobody has written since".to_owned();
        RenderedUndo { says, action, hazards: vec![] }
    }

    /// Unique keys and checks over the columns go, and come as they were.
    fn constraints_again(&self, clauses: &mut Clauses) {
        let on = |c: &Constraint| {
            let over = |name: &Name| match &c.rule {
                Rule::Unique(key) => key.columns.contains(name),
                Rule::Check { expression } => text::mentions(expression).contains(name),
                _ => false,
            };
            !define::is_column_check(c) && self.columns.iter().any(|(from, _)| over(&from.name))
        };
        let dropped = |name: &Name, c: &Constraint| match c.rule {
            Rule::Unique(_) => format!("DROP INDEX {}", quote(name)),
            _ => format!("DROP CONSTRAINT {}", quote(name)),
        };
        let going = self.is.constraints.iter().filter(|(_, c)| on(c)).map(|(name, c)| dropped(name, c));
        let coming = self.was.constraints.iter().filter(|(_, c)| on(c));
        let coming = coming.map(|(name, c)| format!("ADD {}", define::constraint(name, c)));
        for clause in going.chain(coming).collect::<Vec<_>>() {
            if !clauses.list.contains(&clause) {
                clauses.list.push(clause);
            }
        }
    }
}
