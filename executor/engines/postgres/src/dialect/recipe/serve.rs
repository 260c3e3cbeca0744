//! Columns that are renamed while their table keeps its name: a hidden column is kept equal to each, filled and proved, and shown under
//! the old name in the transaction of the rename. From then until `contract` each follows the other.

use std::{collections::BTreeMap, sync::Arc};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Context, Draft, Hazard, HazardCode, Kind, Name, Object, ObjectKind,
    Phase, Qualified, Rule, Schema, Sql,
    kind::{
        AddConstraint, Backfill, Create, Drop, DropConstraint, RenameMember, Serve, Sync, Twin, Twins, Unsync,
        ValidateConstraint,
    },
    schema::{Index, Source, Validity},
};

use super::{
    constraint, movers, retrace,
    twins::{Hidden, over},
    warned,
};
use crate::dialect::{
    names::{generated, qualified, quote},
    render::{backfill::same_value, index::can_beside, twins as sql},
};

/// The columns of one table that are served under both names, by their new names.
pub(super) struct Served<'a> {
    table: Qualified,
    base: &'a Schema,
    renames: Vec<&'a RenameMember>,
    columns: Vec<&'a Column>,
}

impl<'a> Served<'a> {
    /// The renames of one table's columns that can be served, if there are any. `changes` are all declared renames.
    pub(super) fn of(table: &Qualified, changes: &'a [Kind], context: &Context<'a>) -> Option<Self> {
        let base = &context.snapshot.schema.0;
        let content = base.table(table).filter(|_| movers::holds_twins(table, context))?;
        let mut served = Self { table: table.clone(), base, renames: Vec::new(), columns: Vec::new() };
        for change in changes {
            let carries = match change {
                Kind::RenameMember(k)
                    if k.from.kind() == ObjectKind::Column && k.from.relation().as_ref() == Some(table) =>
                {
                    served.renames.push(k);
                    served.columns.push(content.column(k.from.name()).filter(|_| serves(table, k, context))?);
                    continue;
                }
                Kind::RenameMember(k) => &k.carries,
                Kind::Rename(k) => &k.carries,
                _ => continue,
            };
            // Its table would be given as it is without the hidden columns.
            if carries.contains_key(&Address::table(table)) {
                return None;
            }
        }
        (!served.renames.is_empty()).then_some(served)
    }

    /// A rename that leaves the hidden columns where they are.
    fn with_hidden(&self, rename: &RenameMember) -> RenameMember {
        let mut rename = rename.clone();
        let own = rename.carries.get_mut(&Address::table(&self.table));
        if let Some(Body::Table(table)) = own.map(|o| &mut Arc::make_mut(o).body) {
            table.columns.extend(self.twins().pairs.into_iter().map(|pair| pair.hidden));
        }
        rename
    }

    /// Whether a rename is one of these.
    pub(super) fn has(&self, change: &Kind) -> bool {
        self.renames.iter().any(|k| matches!(change, Kind::RenameMember(other) if *k == other))
    }

    fn hidden(&self) -> Hidden {
        let name = |c: &&Column| generated("_mig_twin_", &(&self.table, &c.name, "served"), c.name.as_str());
        self.columns.iter().map(|c| (c.name.clone(), name(c))).collect()
    }

    /// The columns with their hidden twins, under their names of before.
    fn twins(&self) -> Twins {
        let hidden = self.hidden();
        let pairs = self.columns.iter().map(|column| Twin {
            column: column.name.clone(),
            data_type: column.data_type.clone(),
            hidden: Column {
                name: hidden[&column.name].clone(),
                not_null: false,
                value: ColumnValue::Plain,
                comment: None,
                ..(*column).clone()
            },
            by: None,
            back: None,
        });
        let trigger = generated("zzz_mig_", &(&self.table, &hidden), self.table.name.as_str());
        let create = sql::trigger(&qualified(&self.table), &quote(&trigger)).map(Sql::new).to_vec();
        Twins {
            table: self.table.clone(),
            trigger,
            object: Object::new(Body::Source(Source { create, needs: Default::default() })).into(),
            pairs: pairs.collect(),
            exchanged: false,
            settles: false,
            served: false,
        }
    }

    /// The same under their new names.
    fn renamed(&self) -> Twins {
        let mut twins = self.twins();
        for (pair, rename) in twins.pairs.iter_mut().zip(&self.renames) {
            pair.column.clone_from(&rename.to);
        }
        twins
    }

    /// The same while the hidden columns are shown under the old names.
    fn shown(&self) -> Twins {
        let mut twins = self.renamed();
        for (pair, rename) in twins.pairs.iter_mut().zip(&self.renames) {
            pair.hidden.name.clone_from(rename.from.name());
        }
        Twins { served: true, ..twins }
    }

    fn words(&self) -> String {
        self.columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// All drafts, in phase order.
    pub(super) fn drafts(&self) -> Vec<Draft> {
        let words = self.words();
        let why = format!("adds a hidden twin of {words}, kept equal by a trigger");
        let mut drafts = vec![Draft::new(Sync { twins: self.twins() }, Phase::Expand, why)];
        drafts.push(Draft::new(self.fill(), Phase::Backfill, "gives the hidden columns of existing rows their values"));
        let takes = "reads the whole table and writes an index; takes time and space";
        for (at, object) in self.indexes(&self.hidden()) {
            let why = "builds the twin of an index, for clients that use the old name";
            let create = Draft::new(Create::new(at, object), Phase::Backfill, why);
            drafts.push(warned(create, HazardCode::BuildsIndex, takes));
        }
        let (table, (name, constraint)) = (self.table.clone(), self.parity());
        let add = AddConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() };
        drafts.push(Draft::new(add, Phase::Backfill, "holds the hidden columns equal from now on"));
        let prove = ValidateConstraint { table: table.clone(), name: name.clone(), stood: false, forgets: false };
        drafts.push(Draft::new(prove, Phase::Backfill, "proves that they are equal in every row"));
        let drop = DropConstraint { table, name, constraint };
        let mark = format!("rename {words}");
        drafts.push(Draft::new(drop, Phase::Switch, "the proof has served").together(&mark));
        for rename in &self.renames {
            let why = format!("renames {}; its twin goes on under the old name", rename.from);
            let change = Kind::RenameMember(self.with_hidden(rename));
            drafts.push(Draft::new(change, Phase::Switch, why).together(&mark));
        }
        let old = self.renames.iter().map(|k| (k.to.clone(), k.from.name().clone())).collect();
        let serve = Serve { twins: self.renamed(), old, hides: false };
        let why = format!("serves clients that use {words} until contract");
        drafts.push(Draft::new(serve, Phase::Switch, why).together(&mark));
        drafts
    }

    /// The drafts of the end.
    pub(super) fn ends(&self) -> Vec<Draft> {
        let shown: Hidden = self.columns.iter().map(|c| (c.name.clone(), c.name.clone())).collect();
        let indexes = self.indexes(&shown).into_iter().map(|(at, object)| {
            Draft::new(Drop::new(at, object), Phase::Contract, "nobody uses the old name any more")
        });
        let why = format!("nobody uses {} any more", self.words());
        let end = Draft::new(Unsync { twins: self.shown() }, Phase::Contract, why);
        let says = "clients that use the old name get errors from then on";
        let at = Address::column(&self.table, self.renames.first().map_or(&self.table.name, |k| &k.to));
        let end = end.with(Hazard::new(HazardCode::RenameColumn, &at, says));
        indexes.chain(retrace::ended(end)).collect()
    }

    fn fill(&self) -> Backfill {
        let hidden = self.hidden();
        Backfill {
            table: self.table.clone(),
            alias: self.table.name.clone(),
            set: hidden.into_iter().map(|(column, twin)| (twin, Sql::new(quote(&column)))).collect(),
            columns: BTreeMap::new(),
            overwrites: false,
            rows: Default::default(),
            batch_rows: None,
        }
    }

    fn parity(&self) -> (Name, Constraint) {
        let hidden = self.hidden();
        let name = generated("_mig_eq_", &(&self.table, &hidden), self.table.name.as_str());
        let same = |c: &&Column| format!("({})", same_value(&c.data_type, &quote(&hidden[&c.name]), &quote(&c.name)));
        let parts: Vec<String> = self.columns.iter().map(same).collect();
        let rule = Rule::Check { expression: Sql::new(format!("({})", parts.join(" AND "))) };
        (name, Constraint { validity: Validity::NotValid, ..Constraint::new(rule) })
    }

    /// The twins of the indexes over these columns, those of keys among them, over columns under these names.
    fn indexes(&self, names: &Hidden) -> Vec<(Address, Object)> {
        let of = |at: &dyn std::fmt::Debug, tail: &Name| {
            let name = generated("_mig_ix_", &(format!("{at:?}"), &self.table, self.hidden()), tail.as_str());
            Address::index(&self.table.sibling(name))
        };
        let concerns = |index: &Index| {
            let part = |c: &&Column| mig_plan::schema::IndexedBy::Column(c.name.clone());
            self.columns
                .iter()
                .any(|c| index.parts.iter().any(|p| p.what == part(c)) || index.include.contains(&c.name))
        };
        let own = self.base.indexes_of(&self.table).filter_map(|(at, index)| {
            let object = Object { comment: None, ..Object::clone(self.base.objects.get(at)?) };
            (concerns(index) && can_beside(at, &object, index, self.base))
                .then(|| (of(at, at.name()), object, index.clone()))
        });
        let constraints = self.base.table(&self.table).into_iter().flat_map(|t| &t.constraints);
        let keys = constraints.filter_map(|(name, c)| {
            let object = constraint::index_of(&self.table, c.key()?, &BTreeMap::new());
            match &object.body {
                Body::Index(index) if concerns(index) => Some((of(name, name), object.clone(), index.clone())),
                _ => None,
            }
        });
        let made = own
            .chain(keys)
            .map(|(at, object, index)| (at, Object { body: Body::Index(over(&index, names)), ..object }));
        made.collect()
    }
}

/// Whether both names of a renamed column can be served: it changes in nothing else, and nothing else takes its old name.
fn serves(table: &Qualified, rename: &RenameMember, context: &Context<'_>) -> bool {
    let base = context.snapshot.schema.0.objects.get(&Address::table(table));
    let (Some(goal), Some(now)) = (context.goal.table(table), context.renamed.table(table)) else { return false };
    let column = now.column(&rename.to);
    let generated = column.is_none_or(|c| matches!(c.value, ColumnValue::Generated { .. }));
    let granted = base.is_none_or(|o| o.grants.iter().any(|g| g.column.as_ref() == Some(rename.from.name())));
    let other = context.columns.values().filter(|was| *was == &rename.to).count() > 0;
    !context.tables.contains_key(table)
        && goal.column(rename.from.name()).is_none()
        && now.column(rename.from.name()).is_none()
        && goal.column(&rename.to) == column
        && !generated
        && !granted
        && !other
}
