use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Name, Object, ObjectKind, Qualified, Rule, Schema, Snapshot, Sql,
    Table,
    schema::{Domain, Extension, Index, IndexPart, IndexedBy, Live, Sequence, SequenceOptions, Source, Validity, View},
    table::{Deferral, ForeignKey, Key, ReferentialAction},
};
use proptest::prelude::*;

use super::import;
use crate::spec::{Engines, SpecFile, fake::Fake, parse, resolve};

fn without_opaque(schema: &Schema) -> Schema {
    let objects = schema.objects.iter().filter(|(at, _)| !schema.is_opaque(at));
    Schema { objects: objects.map(|(at, object)| (at.clone(), object.clone())).collect() }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn q(schema: &str, text: &str) -> Qualified {
    Qualified::new(Some(name(schema)), name(text))
}

fn column(text: &str, data_type: &str, not_null: bool) -> Column {
    Column {
        name: name(text),
        data_type: data_type.to_owned(),
        not_null,
        value: ColumnValue::Plain,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    }
}

fn key(columns: &[&str]) -> Key {
    Key { columns: columns.iter().map(|c| name(c)).collect(), include: Vec::new(), nulls_not_distinct: false }
}

fn round_trip(schema: &Schema) -> Vec<SpecFile> {
    let mut snapshot = Snapshot::empty("fake", "1", Some(name("public")));
    snapshot.schema = Live(schema.clone());
    let files = import(&snapshot, &Fake);
    let shown = || files.iter().map(|f| format!("--- {}\n{}", f.path, f.text)).collect::<String>();
    let document = parse(&files, Engines::only("fake")).unwrap_or_else(|e| panic!("{e:#?}\n{}", shown()));
    let intent = resolve(&document, &Fake).unwrap_or_else(|e| panic!("{e:#?}\n{}", shown()));
    assert_eq!(intent.goal, without_opaque(schema), "{}", shown());
    files
}

fn users() -> Table {
    let mut table = Table::default();
    let mut id = column("id", "bigint", true);
    let sequence = SequenceOptions { start: Some(10), cycle: true, ..SequenceOptions::default() };
    id.value = ColumnValue::Identity { always: false, sequence };
    let mut email = column("email", "text", true);
    email.comment = Some("how to \"reach\" them".to_owned());
    email.value = ColumnValue::Default(Sql::new("''"));
    let mut age = column("age", "integer", false);
    age.value = ColumnValue::Default(Sql::new("0"));
    let mut shout = column("shout", "text", false);
    shout.value = ColumnValue::Generated { expression: Sql::new("upper(email)"), stored: false };
    shout.collation = Some("C".to_owned());
    shout.options = BTreeMap::from([("statistics".to_owned(), "100".to_owned())]);
    table.columns = vec![id, email, age, shout];
    let add = |table: &mut Table, at: &str, rule| {
        table.constraints.insert(name(at), Constraint::new(rule));
    };
    add(&mut table, "users_pkey", Rule::PrimaryKey(key(&["id"])));
    add(&mut table, "users_email_key", Rule::Unique(key(&["email"])));
    add(&mut table, "adult", Rule::Check { expression: Sql::new("(age >\n 17)") });
    table.constraints.get_mut(&name("adult")).unwrap().validity = Validity::NotValid;
    table.options = BTreeMap::from([("unlogged".to_owned(), "true".to_owned())]);
    table
}

fn shop() -> Schema {
    let mut schema = Schema::default();
    let mut put = |at: Address, body| {
        schema.objects.insert(at, Object { comment: Some("it's".to_owned()), ..Object::new(body) }.into())
    };
    put(Address::table(&q("public", "users")), Body::Table(users()));
    let mut orders =
        Table { columns: vec![column("id", "uuid", true), column("user", "bigint", false)], ..Table::default() };
    let fk = ForeignKey {
        columns: vec![name("user")],
        references: q("public", "users"),
        referenced: vec![name("id")],
        on_update: ReferentialAction::Cascade,
        on_delete: ReferentialAction::SetNull,
        on_delete_columns: vec![name("user")],
        match_full: true,
    };
    let mut constraint = Constraint::new(Rule::ForeignKey(fk));
    constraint.deferral = Deferral::InitiallyDeferred;
    orders.constraints.insert(name("odd name"), constraint);
    put(Address::table(&q("auth", "orders")), Body::Table(orders));
    let part = |what| IndexPart { what, collation: None, opclass: None, descending: false, nulls_first: None };
    let mut opclass = part(IndexedBy::Column(name("email")));
    opclass.opclass = Some("text_pattern_ops".to_owned());
    let mut last = part(IndexedBy::Column(name("age")));
    (last.descending, last.nulls_first) = (true, Some(false));
    let index = Index {
        table: q("public", "users"),
        unique: true,
        method: Some("gist".to_owned()),
        parts: vec![part(IndexedBy::Expression(Sql::new("lower(email)"))), opclass, last],
        include: vec![name("id")],
        predicate: Some(Sql::new("(age > 1)")),
        nulls_not_distinct: true,
        options: BTreeMap::from([("with.fillfactor".to_owned(), "70".to_owned())]),
        validity: Validity::Valid,
    };
    put(Address::index(&q("public", "users_expr_email_age_idx")), Body::Index(index));
    put(Address::global(ObjectKind::Namespace, name("auth")), Body::Namespace {});
    let extension = Extension { schema: Some(name("public")), version: None };
    put(Address::global(ObjectKind::Extension, name("uuid-ossp")), Body::Extension(extension));
    let values = vec!["it's".to_owned(), "\"b\"".to_owned(), String::new()];
    put(Address::new(ObjectKind::Enum, &q("public", "mood")), Body::Enum { values });
    let domain = Domain {
        base: "public.mood".to_owned(),
        not_null: true,
        default: Some(Sql::new("'b'")),
        collation: None,
        checks: BTreeMap::from([(name("d_check"), Sql::new("true")), (name("other"), Sql::new("value <> ''"))]),
        comments: BTreeMap::from([(name("other"), "it's \"said\"".to_owned())]),
    };
    put(Address::new(ObjectKind::Domain, &q("public", "d")), Body::Domain(domain));
    let sequence = Sequence {
        data_type: "integer".to_owned(),
        options: SequenceOptions { increment: Some(-1), ..SequenceOptions::default() },
        owned_by: Some(Address::column(&q("public", "users"), &name("age"))),
    };
    put(Address::new(ObjectKind::Sequence, &q("public", "s")), Body::Sequence(sequence));
    let query = Sql::new(" SELECT '\\d' AS a,\n    b\n   FROM users");
    let view = View { query, columns: vec![name("a"), name("B c")], options: BTreeMap::new() };
    put(Address::new(ObjectKind::MaterializedView, &q("public", "m")), Body::View(view.clone()));
    put(Address::new(ObjectKind::View, &q("public", "v")), Body::View(view));
    let source = |create: &[&str]| {
        let opaque = Address::global(ObjectKind::Opaque, name("cast.x\ny"));
        let needs = BTreeSet::from([Address::table(&q("public", "users")), opaque]);
        Body::Source(Source { create: create.iter().map(|s| Sql::new(*s)).collect(), needs })
    };
    let body = "CREATE FUNCTION f(a text) AS $$\nselect 'x''''\"\"\"y'\n$$\n";
    put(Address::routine(ObjectKind::Function, &q("public", "F (x)"), "a text, b \"t.t\"[]"), source(&[body]));
    put(
        Address::member(ObjectKind::Trigger, &q("public", "users"), name("t.t")),
        source(&["CREATE\nTRIGGER", "ALTER"]),
    );
    put(Address::global(ObjectKind::EventTrigger, name("\"e\"")), source(&["CREATE EVENT TRIGGER"]));
    let opaque = Body::Opaque { what: "cast".to_owned(), digest: "x".to_owned() };
    put(Address::global(ObjectKind::Opaque, name("cast.x\ny")), opaque);
    schema
}

#[test]
fn every_kind_round_trips() {
    let files = round_trip(&shop());
    assert_eq!(files.len(), 1);
    let text = &files[0].text;
    assert!(text.contains("#   cast: "), "{text}");
    assert!(text.find("[table.users").unwrap() < text.find("[table.\"auth.orders\"").unwrap(), "{text}");
    assert!(!text.contains("users_email_key") && !text.contains("users_pkey") && !text.contains("_idx"), "{text}");
    assert!(text.contains("columns = [\"lower(email)\", { column = \"email\", opclass"), "{text}");
    assert!(text.contains("\"age desc nulls last\"]"), "{text}");
}

#[test]
fn many_tables_have_files_of_their_own() {
    let mut schema = shop();
    for i in 0..8 {
        let at = q("public", &format!("T{i}"));
        let table = Table { columns: vec![column("a", "text", false)], ..Table::default() };
        schema.objects.insert(Address::table(&at), Object::new(Body::Table(table)).into());
    }
    let same = q("public", "t1");
    schema.objects.insert(Address::table(&same), Object::new(Body::Table(Table::default())).into());
    let files = round_trip(&schema);
    let paths: BTreeSet<_> = files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths.len(), files.len());
    for path in ["types.toml", "users.toml", "auth.orders.toml", "t1.toml", "t1_2.toml", "views.toml", "functions.toml"]
    {
        assert!(paths.contains(path), "{path}: {paths:?}");
    }
}

#[test]
fn an_empty_database_is_one_empty_file() {
    assert_eq!(round_trip(&Schema::default()).len(), 1);
}

fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[a\"'.()\\\\ ?A🎉é,\n\t\u{1}-]{1,8}",
        Just("x".repeat(63)),
        Just("select desc nulls last".to_owned()),
        Just("fake".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn odd_names_and_texts_round_trip(
        tables in prop::collection::btree_map(odd(), (prop::collection::btree_map(odd(), (any::<bool>(), prop::option::of(odd())), 1..4), odd(), odd()), 1..4)
    ) {
        let mut schema = Schema::default();
        for (table_name, (columns, constraint, text)) in &tables {
            let at = q("public", table_name);
            let mut table = Table::default();
            for (column_name, (not_null, default)) in columns {
                let mut made = column(column_name, "text", *not_null);
                made.value = default.as_ref().map_or(ColumnValue::Plain, |d| ColumnValue::Default(Sql::new(d)));
                made.comment = default.clone();
                table.columns.push(made);
            }
            let names: Vec<Name> = table.columns.iter().map(|c| c.name.clone()).collect();
            let unique = Rule::Unique(Key { columns: names.clone(), include: Vec::new(), nulls_not_distinct: false });
            table.constraints.insert(name(constraint), Constraint::new(unique));
            let fk = ForeignKey {
                columns: names.clone(), references: at.clone(), referenced: names.clone(), on_update: ReferentialAction::NoAction,
                on_delete: ReferentialAction::SetNull, on_delete_columns: names.clone(), match_full: false,
            };
            table.constraints.insert(name(&format!("{}2", &constraint.chars().take(9).collect::<String>())), Constraint::new(Rule::ForeignKey(fk)));
            schema.objects.insert(Address::table(&at), Object { comment: Some(text.clone()), ..Object::new(Body::Table(table)) }.into());
            let parts = names.iter().map(|n| IndexPart {
                what: IndexedBy::Column(n.clone()), collation: None, opclass: None, descending: n.as_str().len() % 2 == 0, nulls_first: None,
            });
            let mut parts: Vec<_> = parts.collect();
            parts.push(IndexPart {
                what: IndexedBy::Expression(Sql::new(text)), collation: None, opclass: None, descending: true, nulls_first: Some(true),
            });
            let index = Index {
                table: at.clone(), unique: false, method: None, parts, include: names, predicate: None, nulls_not_distinct: false,
                options: BTreeMap::from([(text.clone(), text.clone())]), validity: Validity::Valid,
            };
            let index_name = format!("i{}", table_name.chars().take(5).collect::<String>());
            schema.objects.insert(Address::index(&q("public", &format!("zz{index_name}{}", schema.objects.len()))), Object::new(Body::Index(index)).into());
            let trigger = Source { create: vec![Sql::new(text)], needs: BTreeSet::from([Address::column(&at, &name(columns.keys().next().unwrap()))]) };
            schema.objects.insert(Address::member(ObjectKind::Trigger, &at, name(constraint)), Object::new(Body::Source(trigger)).into());
        }
        round_trip(&schema);
    }
}
