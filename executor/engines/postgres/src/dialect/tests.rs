//! The SQL of each kind of change, and the steps of each recipe.

use std::collections::BTreeMap;

use mig_plan::{
    Action, Address, Body, Column, ColumnValue, Constraint, Context, Dialect, Fill, Group, HazardCode, Kind, Name,
    Object, ObjectKind, Phase, Qualified, Rule, Schema, Snapshot, Sql, Table,
    kind::{
        AddColumn, AddConstraint, AlterColumn, Comment, Create, Drop, DropColumn, DropConstraint, Rename, RenameMember,
        Replace, ValidateConstraint,
    },
    schema::{Index, IndexPart, IndexedBy, Validity},
    table::{ForeignKey, Key, ReferentialAction},
};

use super::Postgres;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn public(text: &str) -> Qualified {
    Qualified::new(Some(name("public")), name(text))
}

fn column(text: &str, data_type: &str) -> Column {
    Column {
        name: name(text),
        data_type: data_type.to_owned(),
        not_null: false,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    }
}

fn key(columns: &[&str]) -> Key {
    Key { columns: columns.iter().map(|c| name(c)).collect(), include: vec![], nulls_not_distinct: false }
}

/// One table `users (id, email, age, user)` with a primary key.
fn base() -> Schema {
    let mut users = Table {
        columns: vec![
            Column { not_null: true, ..column("id", "bigint") },
            column("email", "character varying(20)"),
            column("age", "integer"),
            column("user", "text"),
        ],
        ..Table::default()
    };
    users.constraints.insert(name("users_pkey"), Constraint::new(Rule::PrimaryKey(key(&["id"]))));
    let mut schema = Schema::default();
    schema.objects.insert(Address::table(&public("users")), Object::new(Body::Table(users)).into());
    let mood = Body::Enum { values: vec!["sad".to_owned(), "ok".to_owned()] };
    schema.objects.insert(Address::new(ObjectKind::Enum, &public("mood")), Object::new(mood).into());
    schema
}

fn sql_of(action: &Action) -> Vec<String> {
    match action {
        Action::Transaction(t) => t.sql.iter().map(mig_plan::Statement::sql).collect(),
        Action::Statement(s) => vec![s.sql.sql()],
        Action::Batches(b) => b.first.sql.iter().chain(&b.next.sql).map(mig_plan::Statement::sql).collect(),
        Action::Nothing {} => vec![],
    }
}

/// The SQL of a change on the base, and of its undo.
fn both(change: impl Into<Kind>) -> (Vec<String>, Vec<String>) {
    let (dialect, before, change) = (Postgres::new("15", None), base(), change.into());
    let mut after = before.clone();
    after.apply(&change).unwrap();
    let rendered = dialect.render(&change, &before, &after).unwrap();
    let undo = dialect.render_undo(&change, &before, &after).unwrap();
    (sql_of(&rendered.action), sql_of(&undo.action))
}

fn check(change: impl Into<Kind>, sql: &[&str], undo: &[&str]) {
    let (done, undone) = both(change);
    assert_eq!(done, sql);
    assert_eq!(undone, undo);
}

fn drafts(changes: Vec<Kind>, fill: Option<Fill>) -> Vec<(Phase, String)> {
    let schema = base();
    let mut snapshot = Snapshot::empty("postgres", "15", Some(name("public")));
    snapshot.schema = mig_plan::Live(schema.clone());
    let (tables, columns) = (BTreeMap::new(), BTreeMap::new());
    let at = changes[0].address().holder();
    let group = Group { at, changes, fill };
    let context = Context {
        snapshot: &snapshot,
        renamed: &schema,
        goal: &schema,
        tables: &tables,
        columns: &columns,
        groups: std::slice::from_ref(&group),
        retyping: &[&group],
    };
    let made = Postgres::new("15", None).recipe(&group, &context).unwrap();
    // Whatever a recipe says can be done in its order.
    let mut state = schema.clone();
    for draft in &made {
        state.apply(&draft.change).unwrap();
    }
    made.iter().map(|d| (d.phase, d.change.slug().to_owned())).collect()
}

#[test]
fn columns() {
    let users = public("users");
    check(
        AddColumn {
            table: users.clone(),
            column: Column { comment: Some("it's".to_owned()), ..column("order", "text") },
        },
        &["ALTER TABLE public.users ADD COLUMN \"order\" text", "COMMENT ON COLUMN public.users.\"order\" IS 'it''s'"],
        &["ALTER TABLE public.users DROP COLUMN \"order\""],
    );
    let from = column("email", "character varying(20)");
    let to = Column { data_type: "text".to_owned(), value: ColumnValue::Default(Sql::new("'x'")), ..from.clone() };
    check(
        AlterColumn { table: users.clone(), from: from.clone(), to: to.clone(), using: None },
        &[
            "ALTER TABLE public.users ALTER COLUMN email TYPE text",
            "ALTER TABLE public.users ALTER COLUMN email SET DEFAULT 'x'",
        ],
        &[
            "ALTER TABLE public.users ALTER COLUMN email DROP DEFAULT",
            "ALTER TABLE public.users ALTER COLUMN email TYPE character varying(20)",
        ],
    );
    let (done, undone) = both(DropColumn { table: users, column: from });
    assert!(
        done[1].starts_with("CREATE TABLE mig_trash.kept_")
            && done[1].ends_with("AS SELECT id, email AS email FROM public.users")
    );
    assert_eq!(done[2], "ALTER TABLE public.users DROP COLUMN email");
    assert_eq!(undone[0], "ALTER TABLE public.users ADD COLUMN email character varying(20)");
    assert!(undone[1].starts_with("UPDATE public.users AS t SET email = k.email FROM mig_trash.kept_"));
}

#[test]
fn constraints() {
    let users = public("users");
    let fk = ForeignKey {
        columns: vec![name("age")],
        references: users.clone(),
        referenced: vec![name("id")],
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::SetNull,
        on_delete_columns: vec![],
        match_full: false,
    };
    let constraint = Constraint { validity: Validity::NotValid, ..Constraint::new(Rule::ForeignKey(fk)) };
    check(
        AddConstraint { table: users.clone(), name: name("users_age_fkey"), constraint },
        &[
            "ALTER TABLE public.users ADD CONSTRAINT users_age_fkey FOREIGN KEY (age) REFERENCES public.users (id) ON DELETE SET NULL NOT VALID",
        ],
        &["ALTER TABLE public.users DROP CONSTRAINT users_age_fkey"],
    );
    let constraint = Constraint::new(Rule::PrimaryKey(key(&["id"])));
    check(
        DropConstraint { table: users, name: name("users_pkey"), constraint },
        &["ALTER TABLE public.users DROP CONSTRAINT users_pkey"],
        &["ALTER TABLE public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id)"],
    );
}

#[test]
fn objects() {
    let index = Index {
        table: public("users"),
        unique: true,
        method: None,
        parts: vec![IndexPart {
            what: IndexedBy::Expression(Sql::new("lower(email)")),
            collation: None,
            opclass: None,
            descending: true,
            nulls_first: None,
        }],
        include: vec![name("user")],
        predicate: Some(Sql::new("age > 1")),
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity: Validity::Valid,
    };
    check(
        Create::new(Address::index(&public("i")), Object::new(Body::Index(index))),
        &["CREATE UNIQUE INDEX CONCURRENTLY i ON public.users ((lower(email)) DESC) INCLUDE (\"user\") WHERE age > 1"],
        &["DROP INDEX CONCURRENTLY IF EXISTS public.i"],
    );
    let users = Address::table(&public("users"));
    let (done, undone) = both(Drop::new(users.clone(), base().objects[&users].clone()));
    assert!(done[1].starts_with("ALTER TABLE public.users RENAME TO kept_"));
    assert!(done[2].ends_with(" SET SCHEMA mig_trash"));
    assert!(undone[0].ends_with(" SET SCHEMA public"));
    assert!(undone[1].ends_with(" RENAME TO users"));
    let mood = Address::new(ObjectKind::Enum, &public("mood"));
    let with = |values: &[&str]| Object::new(Body::Enum { values: values.iter().map(|v| (*v).to_owned()).collect() });
    let (done, undone) =
        both(Replace { at: mood.clone(), from: with(&["sad", "ok"]).into(), to: with(&["sad", "mid", "ok"]).into() });
    assert_eq!(done, ["ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'mid' AFTER 'sad'"]);
    assert_eq!(undone[1], "CREATE TYPE public.mood AS ENUM ('sad', 'ok')");
    check(
        Comment { at: mood, from: None, to: Some("a\\b".to_owned()) },
        &["COMMENT ON TYPE public.mood IS E'a\\\\b'"],
        &["COMMENT ON TYPE public.mood IS NULL"],
    );
}

#[test]
fn renames() {
    let users = Address::table(&public("users"));
    check(
        Rename::new(users.clone(), Address::table(&public("people"))),
        &["ALTER TABLE public.users RENAME TO people"],
        &["ALTER TABLE public.people RENAME TO users"],
    );
    check(
        RenameMember {
            from: Address::column(&public("users"), &name("user")),
            to: name("login"),
            carries: BTreeMap::new(),
        },
        &["ALTER TABLE public.users RENAME COLUMN \"user\" TO login"],
        &["ALTER TABLE public.users RENAME COLUMN login TO \"user\""],
    );
}

#[test]
fn a_required_column_is_filled_before_it_is_required() {
    let table = public("users");
    let add = AddColumn { table: table.clone(), column: Column { not_null: true, ..column("handle", "text") } };
    let fill = Fill {
        set: [(name("handle"), Sql::new("lower(email)"))].into(),
        back: Default::default(),
        rows: Default::default(),
        batch_rows: None,
    };
    let steps = drafts(vec![add.clone().into()], Some(fill));
    let words: Vec<_> = steps.iter().map(|(phase, slug)| format!("{phase} {slug}")).collect();
    assert_eq!(
        words,
        [
            "expand add-column",
            "backfill backfill",
            "contract add-constraint",
            "contract backfill",
            "contract validate-constraint",
            "contract alter-column",
            "contract drop-constraint",
        ]
    );
    assert_eq!(drafts(vec![add.clone().into()], None), [(Phase::Expand, "add-column".to_owned())]);
    let schema = base();
    let rendered = Postgres::new("15", None).render(&add.into(), &schema, &schema).unwrap();
    assert!(rendered.checks[0].stops && rendered.hazards.iter().any(|h| h.code == HazardCode::NeedsEmptyTable));
}

#[test]
fn a_primary_key_is_built_beside_clients_and_exchanged_at_once() {
    let users = public("users");
    let key = |columns: &[&str]| Constraint::new(Rule::PrimaryKey(key(columns)));
    let old = DropConstraint { table: users.clone(), name: name("users_pkey"), constraint: key(&["id"]) };
    let new = AddConstraint { table: users.clone(), name: name("users_pkey"), constraint: key(&["id", "email"]) };
    let from = column("email", "character varying(20)");
    let required = AlterColumn { table: users, to: Column { not_null: true, ..from.clone() }, from, using: None };
    let steps = drafts(vec![old.into(), required.into(), new.into()], None);
    let slugs: Vec<_> = steps.iter().map(|(_, slug)| slug.as_str()).collect();
    assert_eq!(
        slugs,
        [
            "add-constraint",
            "validate-constraint",
            "alter-column",
            "drop-constraint",
            "build-key",
            "drop-constraint",
            "adopt-key"
        ]
    );
}

#[test]
fn checks_are_proved_apart() {
    let constraint = Constraint::new(Rule::Check { expression: Sql::new("age > 0") });
    let add = AddConstraint { table: public("users"), name: name("c"), constraint };
    let steps = drafts(vec![add.into()], None);
    assert_eq!(
        steps,
        [(Phase::Contract, "add-constraint".to_owned()), (Phase::Contract, "validate-constraint".to_owned())]
    );
    let mut schema = base();
    let rule =
        Constraint { validity: Validity::NotValid, ..Constraint::new(Rule::Check { expression: Sql::new("age > 0") }) };
    schema.table_mut(&public("users")).unwrap().constraints.insert(name("c"), rule);
    let prove = ValidateConstraint { table: public("users"), name: name("c"), stood: false, forgets: false };
    let rendered = Postgres::new("15", None).render(&prove.into(), &schema, &schema).unwrap();
    assert_eq!(
        rendered.checks[0].count.sql(),
        "SELECT count(*) FROM (\nSELECT 1 FROM public.users AS users WHERE NOT (age > 0)\n) AS wrong"
    );
}

#[test]
fn serial_is_taken_apart_and_put_together() {
    let dialect = Postgres::new("15", None);
    let mut declared = Schema::default();
    let mut table = Table { columns: vec![column("id", "bigserial")], ..Table::default() };
    table.constraints.insert(name("t_pkey"), Constraint::new(Rule::PrimaryKey(key(&["id"]))));
    declared.objects.insert(Address::table(&public("t")), Object::new(Body::Table(table)).into());
    let full = dialect.normalize(declared.clone()).unwrap();
    let id = full.table(&public("t")).unwrap().columns[0].clone();
    assert_eq!((id.data_type.as_str(), id.not_null), ("bigint", true));
    assert_eq!(id.value, ColumnValue::Default(Sql::new("nextval('public.t_id_seq'::regclass)")));
    assert!(full.objects.contains_key(&Address::new(ObjectKind::Sequence, &public("t_id_seq"))));
    assert_eq!(dialect.simplify(&full), declared);
}

#[test]
fn batches_are_bounded_by_the_key_and_not_by_its_text() {
    let set = [(name("email"), Sql::new("lower(email)"))].into();
    let table = public("users");
    let backfill = mig_plan::kind::Backfill {
        alias: name("users"),
        table,
        set,
        columns: BTreeMap::new(),
        overwrites: true,
        rows: Default::default(),
        batch_rows: Some(10),
    };
    let schema = base();
    let rendered = Postgres::new("15", None).render(&backfill.into(), &schema, &schema).unwrap();
    let Action::Batches(batches) = rendered.action else { panic!("not in batches") };
    assert_eq!(
        batches.next.bound.sql(),
        "SELECT batch.id::text FROM (\n    SELECT id FROM public.users WHERE id > $1::text::bigint AND id <= $3::text::bigint \
         ORDER BY id LIMIT $2::text::bigint\n\
         ) AS batch ORDER BY batch.id DESC LIMIT 1"
    );
    assert_eq!(
        batches.next.sql[0].sql(),
        "SELECT count(*) FROM (\n    SELECT FROM public.users AS _mig_t WHERE _mig_t.id > $1::text::bigint AND \
         _mig_t.id <= $2::text::bigint ORDER BY id FOR NO KEY UPDATE\n) AS locked"
    );
    assert!(batches.next.sql[1].sql().ends_with("_mig_t.id > $1::text::bigint AND _mig_t.id <= $2::text::bigint"));
}
