//! Which columns move to another type beside running clients, and how: by an exchange of names where every value can be told back, and by
//! taking the old column's place in `contract` where it cannot.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, ColumnValue, Constraint, Context, Group, Kind, Name, Object, ObjectKind, Qualified, Rule, Sql,
    kind::{AlterColumn, Selection},
    schema::IndexedBy,
    table::ForeignKey,
};

use super::{fill, supplant, twins::Hidden};
use crate::dialect::{
    casts, keep,
    names::{generated, quote},
    published,
    render::{index::can_beside, is_partitioned},
    routine,
};

/// The columns of all tables that move.
pub(crate) struct Movers<'a> {
    columns: BTreeMap<Qualified, Vec<&'a AlterColumn>>,
    settling: BTreeSet<Qualified>,
}

impl<'a> Movers<'a> {
    /// Every recipe that asks gets the same answer.
    pub(crate) fn of(context: &Context<'a>) -> Self {
        let found = Self::candidates(context, true);
        let keyless = |table: &Qualified| {
            let columns = || found.columns.get(table).into_iter().flatten();
            context.renamed.table(table).and_then(keep::key_of).is_none()
                && !columns().all(|k| found.leads_to(table, &k.from.name, context).is_some())
        };
        if found.settling.iter().any(keyless) { Self::candidates(context, false) } else { found }
    }

    /// With or without the columns whose values cannot be told back.
    fn candidates(context: &Context<'a>, all: bool) -> Self {
        let mut columns: BTreeMap<Qualified, Vec<&'a AlterColumn>> = BTreeMap::new();
        for group in context.retyping.iter().filter(|g| g.at.kind() == ObjectKind::Table) {
            let table = group.at.qualified();
            let alters = group.changes.iter().filter_map(|c| if let Kind::AlterColumn(k) = c { Some(k) } else { None });
            let moving = |k: &&AlterColumn| {
                (moves(k, group) || all && converts(k, group, context)) && is_free(&table, &k.from.name, context)
            };
            let found: Vec<_> = alters.filter(|k| k.from.data_type != k.to.data_type).collect();
            if !found.is_empty() && holds_twins(&table, context) && published::lets_update(&table, context.renamed) {
                columns.insert(table.clone(), found.into_iter().filter(moving).collect());
            }
        }
        let mut movers = Self { columns, settling: BTreeSet::new() };
        if movers.columns.is_empty() {
            return movers;
        }
        while movers.part(context) {}
        movers.columns.retain(|_, columns| !columns.is_empty());
        movers.settle(context);
        movers
    }

    /// Takes a column back whose counterpart in a foreign key changes its type and does not move: the two go the same way.
    fn part(&mut self, context: &Context<'a>) -> bool {
        let retyped: BTreeSet<Address> = context.retyping.iter().flat_map(|g| &g.changes).filter_map(retyped).collect();
        for (own, theirs) in pairs(context) {
            let goes = |at: &Address| self.moves(at);
            if !(retyped.contains(&own) && retyped.contains(&theirs)) || goes(&own) == goes(&theirs) {
                continue;
            }
            let one = if goes(&own) { own } else { theirs };
            if let Some(columns) = one.relation().and_then(|table| self.columns.get_mut(&table)) {
                let before = columns.len();
                let group = context.retyping.iter().find(|g| Some(g.at.qualified()) == one.relation());
                columns.retain(|k| k.from.name != *one.name() || group.is_some_and(|group| moves(k, group)));
                if columns.len() != before {
                    return true;
                }
            }
        }
        false
    }

    /// A table settles if one of its columns does, or one that a foreign key ties to one of them.
    fn settle(&mut self, context: &Context<'a>) {
        for (table, columns) in &self.columns {
            let group = context.retyping.iter().find(|g| g.at.qualified() == *table);
            if columns.iter().any(|k| !group.is_some_and(|group| moves(k, group))) {
                self.settling.insert(table.clone());
            }
        }
        let tied: Vec<(Qualified, Qualified)> = pairs(context)
            .filter(|(own, theirs)| self.moves(own) && self.moves(theirs))
            .filter_map(|(own, theirs)| Some((own.relation()?, theirs.relation()?)))
            .collect();
        let mut grows = true;
        while grows {
            let before = self.settling.len();
            for (a, b) in &tied {
                if self.settling.contains(a) || self.settling.contains(b) {
                    self.settling.extend([a.clone(), b.clone()]);
                }
            }
            grows = self.settling.len() != before;
        }
    }

    /// The foreign key from a column to another one that moves, and that other one.
    pub(super) fn leads_to(
        &self,
        table: &Qualified,
        column: &Name,
        context: &Context<'a>,
    ) -> Option<(&'a ForeignKey, &'a Name)> {
        let constraints = context.renamed.table(table).map(|t| &t.constraints)?;
        constraints.values().filter_map(Constraint::foreign_key).find_map(|fk| {
            let at = fk.columns.iter().position(|c| c == column)?;
            let referenced = fk.referenced.get(at)?;
            self.moves(&Address::column(&fk.references, referenced)).then_some((fk, referenced))
        })
    }

    fn moves(&self, at: &Address) -> bool {
        let columns = at.relation().and_then(|table| self.columns.get(&table));
        columns.is_some_and(|columns| columns.iter().any(|k| k.from.name == *at.name()))
    }

    /// Whether a change of a column is one of these.
    pub(crate) fn has(&self, change: &AlterColumn) -> bool {
        self.moves(&Address::column(&change.table, &change.from.name))
    }

    /// Whether the new columns of a table take the place of the old ones, instead of exchanging names with them.
    pub(crate) fn settles(&self, table: &Qualified) -> bool {
        self.settling.contains(table)
    }

    /// The columns of a table that move, by their names, with their hidden twins' names.
    pub(crate) fn hidden(&self, table: &Qualified) -> Hidden {
        let name = |k: &&AlterColumn| generated("_mig_twin_", &(table, &k.from.name), k.from.name.as_str());
        self.columns.get(table).into_iter().flatten().map(|k| (k.from.name.clone(), name(k))).collect()
    }

    /// Whether a foreign key goes from the old columns to the new ones with these moves.
    pub(crate) fn carry(&self, table: &Qualified, constraint: &Constraint) -> bool {
        let Some(fk) = constraint.foreign_key() else { return false };
        let own = fk.columns.iter().any(|c| self.settles(table) && self.moves(&Address::column(table, c)));
        let theirs = |c: &Name| self.settles(&fk.references) && self.moves(&Address::column(&fk.references, c));
        own || fk.referenced.iter().any(theirs)
    }
}

fn retyped(change: &Kind) -> Option<Address> {
    match change {
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type => Some(Address::column(&k.table, &k.from.name)),
        _ => None,
    }
}

/// The columns that foreign keys tie to each other.
fn pairs<'a>(context: &Context<'a>) -> impl Iterator<Item = (Address, Address)> + use<'a> {
    let schema = context.renamed;
    schema.tables().flat_map(|(table, content)| {
        let keys = content.constraints.values().filter_map(Constraint::foreign_key);
        let tied = keys.flat_map(|fk| fk.columns.iter().zip(&fk.referenced).map(move |(c, r)| (fk, c, r)));
        let tied = tied.map(|(fk, c, r)| (Address::column(&table, c), Address::column(&fk.references, r)));
        tied.collect::<Vec<_>>()
    })
}

/// The expression that a column's new values are given by, if any is declared.
pub(super) fn declared<'g>(change: &'g AlterColumn, group: &'g Group) -> Option<&'g Sql> {
    change.using.as_ref().or_else(|| group.fill.as_ref().and_then(|f| f.set.get(&change.from.name)))
}

/// Whether the new values can be made beside running clients, though the old ones may not come back from them.
fn converts(change: &AlterColumn, group: &Group, context: &Context<'_>) -> bool {
    let plain = |value: &ColumnValue| matches!(value, ColumnValue::Plain | ColumnValue::Default(_));
    let own = Address::column(&change.table, &change.from.name);
    let counted = context.renamed.objects.values().chain(context.goal.objects.values());
    let counted =
        counted.into_iter().any(|o| matches!(&o.body, Body::Sequence(s) if s.owned_by.as_ref() == Some(&own)));
    let kinds = [ObjectKind::Enum, ObjectKind::Domain, ObjectKind::Type];
    let changing = |data_type: &str| {
        let of = |at: &Address| data_type.trim_end_matches("[]") == at.qualified().to_string();
        context.groups.iter().any(|g| kinds.contains(&g.at.kind()) && of(&g.at) && !supplant::goes_to(change, &g.at))
    };
    let types = [&change.from.data_type, &change.to.data_type];
    let way = match declared(change, group) {
        // Rows that a transform leaves out have no value of the new type.
        Some(_) => {
            let by = made_by(change, group, context);
            let whole = group.fill.as_ref().is_none_or(|f| f.rows == Selection::default());
            whole && !casts::is_volatile(by.as_str())
        }
        None => !casts::has_no_way(change, context.renamed) && casts::fit(change) != casts::Fit::Metadata,
    };
    way && plain(&change.from.value)
        && plain(&change.to.value)
        && !counted
        && types.iter().all(|t| !t.is_empty() && !changing(t))
        && !fill::base_names(group, context)
            .keys()
            .any(|base| declared(change, group).is_some_and(|e| e.mentions(base)))
}

/// What the new value of a row is. New columns that it reads are made from the same row.
pub(super) fn made_by(change: &AlterColumn, group: &Group, context: &Context<'_>) -> Sql {
    let Some(expression) = declared(change, group) else {
        let cast = casts::using(change, context.renamed).unwrap_or_else(|| quote(&change.from.name));
        return Sql::new(cast);
    };
    let new = fill::new_columns(group);
    over_new(expression, &new, group, context, new.len())
}

/// An expression over the row with the new columns that it mentions; each at most as deep as there are such columns.
pub(super) fn over_new(
    expression: &Sql,
    new: &BTreeSet<&Name>,
    group: &Group,
    context: &Context<'_>,
    depth: usize,
) -> Sql {
    let set = group.fill.as_ref().map(|f| &f.set);
    let read = new.iter().filter(|name| expression.mentions(name));
    let read: Vec<(&Name, &Sql)> = read.filter_map(|name| Some((*name, set?.get(*name)?))).collect();
    if read.is_empty() || depth == 0 {
        return expression.clone();
    }
    let alias = quote(&group.at.qualified().name);
    let made =
        read.iter().map(|(name, by)| format!("({}) AS {}", over_new(by, new, group, context, depth - 1), quote(name)));
    let table = context.renamed.table(&group.at.qualified());
    let own = table.into_iter().flat_map(|t| &t.columns).filter(|c| expression.mentions(&c.name));
    let own = own.map(|c| format!("{alias}.{0} AS {0}", quote(&c.name)));
    let all = own.chain(made).collect::<Vec<_>>().join(", ");
    Sql::new(format!("(SELECT ({expression}) FROM (SELECT {all}) AS {alias})"))
}

/// Whether the new type takes what old clients write, and gives back what they wrote.
fn moves(change: &AlterColumn, group: &Group) -> bool {
    let declared = group.fill.as_ref().is_some_and(|f| f.set.contains_key(&change.from.name));
    let plain = |value: &ColumnValue| !matches!(value, ColumnValue::Generated { .. });
    change.using.is_none()
        && !declared
        && plain(&change.from.value)
        && plain(&change.to.value)
        && change.from.collation == change.to.collation
        && !change.from.data_type.is_empty()
        && casts::moves_beside(change)
}

/// Whether a table can have a hidden column for a while.
pub(crate) fn holds_twins(table: &Qualified, context: &Context<'_>) -> bool {
    let Some(content) = context.renamed.table(table) else { return false };
    let related = ["partition_of", "inherits", "of_type"];
    let has_heirs = context.renamed.tables().any(|(_, other)| {
        let parents = ["partition_of", "inherits"].into_iter().filter_map(|key| other.options.get(key));
        parents.flat_map(|p| p.split(',')).any(|p| p.trim() == table.to_string())
    });
    let whole_rows = [context.renamed, context.goal].into_iter().flat_map(|schema| schema.objects.values());
    !is_partitioned(context.renamed, table)
        && !related.iter().any(|k| content.options.contains_key(*k))
        && !has_heirs
        && !whole_rows.into_iter().any(|object| routine::gives_rows_of(object, table))
}

/// Whether whatever is built on a column can be built on its twin as well, and stays what it is.
fn is_free(table: &Qualified, column: &Name, context: &Context<'_>) -> bool {
    let at = Address::column(table, column);
    let (Some(now), Some(goal)) = (context.renamed.table(table), context.goal.table(table)) else { return false };
    let mentions = |text: &Sql| text.mentions(column);
    let same = |name: &Name, c: &Constraint| {
        goal.constraints
            .get(name)
            .is_some_and(|g| Constraint { validity: g.validity, comment: g.comment.clone(), ..c.clone() } == *g)
    };
    let constraints = now.constraints.iter().all(|(name, c)| match &c.rule {
        Rule::Exclude { definition } => !mentions(definition),
        Rule::Check { expression } => {
            !mentions(expression) || (same(name, c) && c.validity.is_valid() && c.options.is_empty())
        }
        Rule::PrimaryKey(key) | Rule::Unique(key) => {
            let concerned = key.columns.contains(column) || key.include.contains(column);
            let plain = c.options.keys().all(|o| o.starts_with("with.") || o == "tablespace");
            !concerned || (same(name, c) && plain)
        }
        Rule::ForeignKey(fk) => {
            !fk.columns.contains(column) || (same(name, c) && c.validity.is_valid() && c.options.is_empty())
        }
    });
    let referring = context.renamed.references_to(table).all(|(from, name, c)| {
        let concerned = c.foreign_key().is_some_and(|fk| fk.referenced.contains(column));
        let goal = context.goal.table(&from).and_then(|t| t.constraints.get(name));
        !concerned
            || (goal.is_some_and(|g| g.rule == c.rule && g.deferral == c.deferral)
                && c.validity.is_valid()
                && c.options.is_empty()
                && !is_partitioned(context.renamed, &from))
    });
    let indexes = context.renamed.indexes_of(table).all(|(at, index)| {
        let texts = index.parts.iter().filter_map(|p| match &p.what {
            IndexedBy::Expression(text) => Some(text),
            IndexedBy::Column(_) => None,
        });
        if texts.chain(&index.predicate).any(mentions) {
            return false;
        }
        let part = index.parts.iter().find(|p| p.what == IndexedBy::Column(column.clone()));
        let concerned = part.is_some() || index.include.contains(column);
        let object = context.renamed.objects.get(at);
        let stays = object.is_some() && object == context.goal.objects.get(at);
        !concerned
            || (stays
                && part.is_none_or(|p| p.opclass.is_none())
                && object.is_some_and(|o| {
                    can_beside(at, &Object { comment: None, ..Object::clone(o) }, index, context.renamed)
                }))
    });
    let computed = now.columns.iter().any(|c| match &c.value {
        ColumnValue::Generated { expression, .. } => mentions(expression),
        _ => false,
    });
    let granted = [context.renamed, context.goal].into_iter().any(|schema| {
        let object = schema.objects.get(&Address::table(table));
        object.is_some_and(|o| o.grants.iter().any(|g| g.column.as_ref() == Some(column)))
    });
    let bound = context.snapshot.depends.iter().any(|(by, needs)| {
        matches!(by.kind(), ObjectKind::Statistics | ObjectKind::Policy | ObjectKind::Rule) && needs.contains(&at)
    });
    constraints && referring && indexes && !computed && !granted && !bound
}
