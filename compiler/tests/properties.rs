//! Properties that hold for every pair of schemas, on every engine: replaying a plan gives the goal, undoing it gives the base, a goal
//! compiled against itself gives nothing, and the order of the input does not show.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use mig_compiler::{Intent, Managed, Move, Options, Place, compile, compile_intent, import};
use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Dialect, Fingerprint, Live, Name, Object, ObjectKind, Plan,
    Qualified, Rule, Schema, Snapshot, Sql, Table,
    schema::{Index, IndexPart, IndexedBy, Validity, View},
    table::{ForeignKey, Key, ReferentialAction},
};
use proptest::prelude::*;

/// The engines, each with types that a column may have.
fn engines() -> Vec<(Box<dyn Dialect>, &'static [&'static str])> {
    vec![
        (mig_sqlite::dialect("3", None), &["INTEGER", "TEXT", "REAL", "varchar(20)"]),
        (
            mig_postgres::dialect("15", Some(Name::new("public").unwrap())),
            &["integer", "text", "bigint", "character varying(20)", "numeric(10,2)"],
        ),
    ]
}

/// A schema in the small: numbers that stand for names, types and choices.
#[derive(Clone, Debug)]
struct Sketch {
    tables: BTreeMap<u8, TableSketch>,
}

#[derive(Clone, Debug)]
struct TableSketch {
    columns: BTreeMap<u8, (u8, bool, Option<u8>)>,
    key: bool,
    unique: Option<u8>,
    check: Option<u8>,
    foreign_key: Option<(u8, u8)>,
    index: Option<(u8, bool, bool)>,
    view: bool,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let column = (0u8..5, any::<bool>(), proptest::option::of(0u8..3));
    let table = (
        proptest::collection::btree_map(0u8..5, column, 1..5),
        any::<bool>(),
        proptest::option::of(0u8..5),
        proptest::option::of(0u8..5),
        proptest::option::of((0u8..5, 0u8..4)),
        proptest::option::of((0u8..5, any::<bool>(), any::<bool>())),
        any::<bool>(),
    )
        .prop_map(|(columns, key, unique, check, foreign_key, index, view)| TableSketch {
            columns,
            key,
            unique,
            check,
            foreign_key,
            index,
            view,
        });
    proptest::collection::btree_map(0u8..4, table, 0..4).prop_map(|tables| Sketch { tables })
}

fn name(text: impl AsRef<str>) -> Name {
    Name::new(text).unwrap()
}

/// The sketch as a schema in the engine's form.
fn schema(sketch: &Sketch, dialect: &dyn Dialect, types: &[&str]) -> Schema {
    let at = |text: String| Qualified::new(dialect.default_schema(), name(text));
    let mut declared = Schema::default();
    for (n, table) in &sketch.tables {
        let own = at(format!("t{n}"));
        let mut content = Table::default();
        content.columns.push(plain_column("id", types[0], true));
        for (c, (kind, not_null, default)) in &table.columns {
            let mut column = plain_column(&format!("c{c}"), types[usize::from(*kind) % types.len()], *not_null);
            if let Some(default) = default {
                column.value = ColumnValue::Default(Sql::new(format!("{default}")));
                if column.data_type.to_lowercase().contains(['x', 'h']) {
                    column.value = ColumnValue::Default(Sql::new(format!("'{default}'")));
                }
            }
            content.columns.push(column);
        }
        let has = |c: &u8| table.columns.contains_key(c);
        let constraints = &mut content.constraints;
        let mut add = |constraint: Constraint| {
            let taken: BTreeSet<Name> = constraints.keys().cloned().collect();
            constraints.insert(dialect.default_constraint_name(&own, &constraint, &taken), constraint);
        };
        if table.key || sketch.tables.values().any(|t| t.foreign_key.is_some_and(|(_, to)| to == *n)) {
            add(Constraint::new(Rule::PrimaryKey(key("id"))));
        }
        if let Some(c) = table.unique.filter(has) {
            add(Constraint::new(Rule::Unique(key(&format!("c{c}")))));
        }
        if let Some(c) = table.check.filter(has) {
            add(Constraint::new(Rule::Check { expression: Sql::new(format!("c{c} IS NOT NULL")) }));
        }
        if let Some((c, to)) = table.foreign_key.filter(|(c, to)| has(c) && sketch.tables.contains_key(to)) {
            add(Constraint::new(Rule::ForeignKey(ForeignKey {
                columns: vec![name(format!("c{c}"))],
                references: at(format!("t{to}")),
                referenced: vec![name("id")],
                on_update: ReferentialAction::NoAction,
                on_delete: ReferentialAction::Cascade,
                on_delete_columns: Vec::new(),
                match_full: false,
            })));
        }
        declared.objects.insert(Address::table(&own), Object::new(Body::Table(content)).into());
        if let Some((c, unique, partial)) = table.index.filter(|(c, ..)| has(c)) {
            let index = index(own.clone(), &format!("c{c}"), unique, partial);
            let at = own.sibling(name(format!("t{n}_i")));
            declared.objects.insert(Address::index(&at), Object::new(Body::Index(index)).into());
        }
        if table.view {
            let view = View {
                query: Sql::new(format!("SELECT id FROM {own}")),
                columns: Vec::new(),
                options: BTreeMap::new(),
            };
            let at = own.sibling(name(format!("v{n}")));
            declared.objects.insert(Address::new(ObjectKind::View, &at), Object::new(Body::View(view)).into());
        }
    }
    dialect.normalize(declared).unwrap()
}

fn plain_column(called: &str, data_type: &str, not_null: bool) -> Column {
    Column {
        name: name(called),
        data_type: data_type.to_owned(),
        not_null,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    }
}

fn key(column: &str) -> Key {
    Key { columns: vec![name(column)], include: Vec::new(), nulls_not_distinct: false }
}

fn index(table: Qualified, column: &str, unique: bool, partial: bool) -> Index {
    let what = IndexedBy::Column(name(column));
    Index {
        table,
        unique,
        method: None,
        parts: vec![IndexPart { what, collation: None, opclass: None, descending: false, nulls_first: None }],
        include: Vec::new(),
        predicate: partial.then(|| Sql::new(format!("{column} IS NOT NULL"))),
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity: Validity::Valid,
    }
}

fn intent(goal: Schema, moves: (Vec<Move>, Vec<Move>)) -> Intent {
    Intent {
        specs_digest: Fingerprint::of(&goal),
        goal,
        spans: BTreeMap::new(),
        table_moves: moves.0,
        column_moves: moves.1,
        constraint_moves: Vec::new(),
        object_moves: Vec::new(),
        enum_value_moves: Vec::new(),
        declared_checks: Vec::new(),
        declared_probes: Vec::new(),
        declared_datasets: Vec::new(),
        sources: Default::default(),
        rows: Default::default(),
        rows_left: Default::default(),
        fills: BTreeMap::new(),
        to_save: Vec::new(),
        removed: BTreeSet::new(),
        managed: Managed::default(),
    }
}

/// The schema as a pull gives it, with what each object needs.
fn snapshot(schema: Schema, dialect: &dyn Dialect) -> Snapshot {
    let mut snapshot = Snapshot::empty(dialect.engine(), dialect.version(), dialect.default_schema());
    for (at, object) in &schema.objects {
        let needs = dialect.references(at, object, &schema);
        snapshot.depends.insert(at.clone(), needs);
    }
    snapshot.schema = Live(schema);
    snapshot
}

fn plan(base: &Schema, goal: &Schema, dialect: &dyn Dialect) -> Plan {
    let result = compile_intent(
        &intent(goal.clone(), Default::default()),
        &snapshot(base.clone(), dialect),
        dialect,
        &Options::default(),
    );
    result.unwrap_or_else(|e| panic!("{e:#?}\nbase {base:#?}\ngoal {goal:#?}")).plan
}

/// Table and column order aside, the end of the plan's line of states holds the goal wherever the plan goes.
fn ends_at(plan: &Plan, goal: &Schema) {
    let states = plan.states().unwrap();
    for (at, object) in &states.last().objects {
        let sorted = |object: &Object| {
            let mut object = object.clone();
            if let Body::Table(table) = &mut object.body {
                table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            }
            object
        };
        assert_eq!(Some(sorted(object)), goal.objects.get(at).map(|o| sorted(o)), "{at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replay_gives_the_goal_and_undo_the_base(base in sketch(), goal in sketch()) {
        for (dialect, types) in engines() {
            let (base, goal) = (schema(&base, &*dialect, types), schema(&goal, &*dialect, types));
            // That undo gives the base is part of the proof without which no plan comes out.
            let plan = plan(&base, &goal, &*dialect);
            ends_at(&plan, &goal);
            let bytes = plan.to_bytes();
            prop_assert_eq!(Plan::from_bytes(&bytes).unwrap(), plan);
        }
    }

    #[test]
    fn a_goal_that_is_there_needs_nothing(goal in sketch()) {
        for (dialect, types) in engines() {
            let goal = schema(&goal, &*dialect, types);
            prop_assert!(plan(&goal, &goal, &*dialect).steps.is_empty());
        }
    }

    #[test]
    fn the_order_of_files_does_not_show(base in sketch(), goal in sketch(), turn in 0usize..7) {
        for (dialect, types) in engines() {
            let base = snapshot(schema(&base, &*dialect, types), &*dialect);
            let mut files = import(&snapshot(schema(&goal, &*dialect, types), &*dialect), &*dialect);
            let straight = compile(&files, &base, &*dialect, &Options::default()).unwrap();
            let by = turn % files.len().max(1);
            files.rotate_left(by);
            files.reverse();
            let turned = compile(&files, &base, &*dialect, &Options::default()).unwrap();
            prop_assert_eq!(straight.plan.to_bytes(), turned.plan.to_bytes());
        }
    }

    #[test]
    fn declared_renames_keep_the_table(base in sketch(), which in 0u8..4, column in 0u8..5) {
        for (dialect, types) in engines() {
            let base_schema = schema(&base, &*dialect, types);
            let from = Qualified::new(dialect.default_schema(), name(format!("t{which}")));
            let Some(table) = base_schema.table(&from) else { continue };
            let to = from.sibling(name("renamed"));
            let old = name(format!("c{column}"));
            let has_column = table.column(&old).is_some();
            let mut renamed = base_schema.clone();
            let mut declared = base.clone();
            declared.tables.get_mut(&which).unwrap().view = false;
            renamed.objects.retain(|at, _| at.kind() != ObjectKind::View);
            let place = Place::new("specs/x.toml".to_owned(), 0..0);
            let mut changes: Vec<mig_plan::Kind> = vec![mig_plan::kind::Rename {
                from: Address::table(&from), to: Address::table(&to), carries: BTreeMap::new(), moves: Default::default() }.into()];
            let tables = vec![Move { from: Address::table(&from), to: Address::table(&to), place: place.clone() }];
            let mut columns = Vec::new();
            if has_column {
                let (a, b) = (Address::column(&to, &old), Address::column(&to, &name("fresh")));
                changes.push(mig_plan::kind::RenameMember { from: a.clone(), to: name("fresh"), carries: BTreeMap::new() }.into());
                columns.push(Move { from: a, to: b, place });
            }
            let mut base_schema = base_schema;
            base_schema.objects.retain(|at, _| at.kind() != ObjectKind::View);
            for change in &changes {
                renamed.apply(change).unwrap();
            }
            // What the texts of the renamed table say follows.
            for (at, object) in &mut renamed.objects {
                let own = match &object.body {
                    Body::Index(index) => index.table == to,
                    _ => *at == Address::table(&to),
                };
                if own && has_column {
                    *object = mig_plan::kind::rename_in_texts(object, &old, &name("fresh"), &|n| dialect.quote(n)).into();
                }
            }
            let compiled = compile_intent(
                &intent(renamed, (tables, columns)),
                &snapshot(base_schema, &*dialect),
                &*dialect,
                &Options::default(),
            ).unwrap();
            for step in &compiled.plan.steps {
                // A view that served the old name may go in the end; rows never do.
                let loses = match &step.change {
                    mig_plan::Kind::Drop(drop) => drop.at.kind() != ObjectKind::View,
                    mig_plan::Kind::DropColumn(_) | mig_plan::Kind::Leave(_) => true,
                    _ => false,
                };
                prop_assert!(!loses, "{:?}", step.id);
            }
        }
    }
}
