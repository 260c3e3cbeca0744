//! Columns that the server numbers. It demands a key that begins with such a column at every moment, so where that key changes by a
//! step of its own, one of mig's own stands in for it.

use std::{collections::BTreeMap, sync::Arc};

use mig_plan::{
    Address, Body, Column, ColumnValue, Context, Draft, Name, Object, Phase, Qualified, Schema,
    kind::{AddColumn, AlterColumn, Create, Drop, DropColumn},
    schema::{Index, IndexPart, IndexedBy, Validity},
};

use crate::dialect::{names, normalize::index_at, online::is_identity};

/// What stands in for a key, and what takes its place.
pub(super) struct Prop {
    at: Address,
    object: Arc<Object>,
    /// The index that the column has in the end, if it comes with the plan.
    comes: Option<(Address, Arc<Object>)>,
}

impl Prop {
    /// Before anything of the table changes.
    pub(super) fn stand(&self) -> Draft {
        Draft::new(Create::new(self.at.clone(), self.object.clone()), Phase::Expand, "stands in for a key that changes")
    }

    /// When the columns have their form.
    pub(super) fn leave(&self) -> Vec<Draft> {
        let comes = self.comes.iter().map(|(at, object)| {
            Draft::new(Create::new(at.clone(), object.clone()), Phase::Contract, format!("makes {at}"))
        });
        let goes = Drop::new(self.at.clone(), self.object.clone());
        comes.chain([Draft::new(goes, Phase::Contract, "the keys are there again")]).collect()
    }
}

/// The indexes that a table needs for a while.
pub(super) fn props(at: &Qualified, context: &Context<'_>) -> Vec<Prop> {
    let (live, goal) = (numbered(context.renamed, at), numbered(context.goal, at));
    let columns = live.iter().chain(goal.iter().filter(|name| live.as_ref() != Some(*name)));
    columns.filter_map(|column| prop(at, column, context)).collect()
}

/// Whether an index comes with the numbering of its table.
pub(super) fn brings(at: &Address, of: &Index, context: &Context<'_>) -> bool {
    props(&of.table, context).iter().any(|prop| prop.comes.as_ref().is_some_and(|(comes, _)| comes == at))
}

fn prop(at: &Qualified, column: &Name, context: &Context<'_>) -> Option<Prop> {
    let (live, goal) = (keys(context.renamed, at, column), keys(context.goal, at, column));
    // What keeps its name is exchanged in one statement, and so is a primary key together with its columns.
    let is_new = context.renamed.table(at)?.column(column).is_none();
    let primary = |keys: &Keys| keys.contains_key(names::PRIMARY);
    let numbered_then = numbered(context.goal, at).as_ref() == Some(column);
    let enough = if numbered_then {
        live.keys().any(|name| goal.contains_key(name))
            || primary(&goal) && (is_new || primary(&live) || live.is_empty())
    } else {
        live.is_empty() || primary(&live)
    };
    if enough {
        return None;
    }
    let comes = goal.values().flatten().next().filter(|_| numbered_then).cloned();
    let part = IndexPart {
        what: IndexedBy::Column(column.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
    };
    let index = Index {
        table: at.clone(),
        unique: false,
        method: None,
        parts: vec![part],
        include: vec![],
        predicate: None,
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity: Validity::Valid,
    };
    let mark = mig_plan::Fingerprint::of(&(at, column, "numbers"));
    let name = names::own("key", &mark, column.as_str());
    let object = Arc::new(Object::new(Body::Index(index)));
    Some(Prop { at: Address::index(&index_at(at, &name)), object, comes })
}

/// The keys that begin with a column: the primary one without more, indexes as they are.
type Keys = BTreeMap<String, Option<(Address, Arc<Object>)>>;

fn keys(schema: &Schema, at: &Qualified, column: &Name) -> Keys {
    let primary = schema.table(at).and_then(|t| t.primary_key()).filter(|(_, key)| key.columns.first() == Some(column));
    let mut out: Keys = primary.map(|_| (names::PRIMARY.to_owned(), None)).into_iter().collect();
    for (place, index) in schema.indexes_of(at) {
        let begins = index.parts.first().is_some_and(|part| part.what == IndexedBy::Column(column.clone()));
        if let Some(object) = schema.objects.get(place).filter(|_| begins) {
            out.insert(place.name().as_str().to_owned(), Some((place.clone(), object.clone())));
        }
    }
    out
}

fn numbered(schema: &Schema, at: &Qualified) -> Option<Name> {
    let table = schema.table(at)?;
    let column = table.columns.iter().find(|c| is_identity(c))?;
    // Engines that number within groups have the column behind others in its key.
    (!keys(schema, at, &column.name).is_empty()).then(|| column.name.clone())
}

fn plain(column: &Column) -> Column {
    Column { value: ColumnValue::Plain, ..column.clone() }
}

/// A numbered column that goes loses its numbering first, together with the keys.
pub(super) fn leaves(k: &DropColumn) -> (AlterColumn, DropColumn) {
    let bare = plain(&k.column);
    let (table, from, to) = (k.table.clone(), k.column.clone(), bare.clone());
    (AlterColumn { table, from, to, using: None }, DropColumn { table: k.table.clone(), column: bare })
}

/// A numbered column that comes with a key which is not the primary one: the server numbers the rows when the key is there.
pub(super) fn comes(k: &AddColumn) -> (AddColumn, AlterColumn) {
    let bare = Column { not_null: false, ..plain(&k.column) };
    let (table, from, to) = (k.table.clone(), bare.clone(), k.column.clone());
    (AddColumn { table: k.table.clone(), column: bare }, AlterColumn { table, from, to, using: None })
}
