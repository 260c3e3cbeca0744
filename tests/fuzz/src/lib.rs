//! What must hold for any bytes. The fuzz targets call it with bytes that libFuzzer makes, `tests/found.rs` with those that once broke it.

use std::collections::BTreeMap;

use mig_compiler::{
    Options, SpecFile, compile, fmt, import,
    spec::{self, Engines},
};
use mig_plan::{
    Address, Body, Column, ColumnValue, Constraint, Dialect, Live, Name, Object, ObjectKind, Plan, Qualified, Rule,
    Sameness, Schema, Snapshot, Sql, Table,
    plan::base_fingerprint,
    schema::{Index, IndexPart, IndexedBy, Validity, View},
    sql::tokens,
    states::States,
};

/// What stands between the specs of the database as it is and those of the goal.
const DIVIDER: &str = "\n#=====\n";

const NAMES: [&str; 3] = [mig_sqlite::NAME, mig_postgres::NAME, mig_mysql::NAME];

fn dialects() -> [Box<dyn Dialect>; 3] {
    [
        mig_sqlite::dialect("3", None),
        mig_postgres::dialect("15", Name::new("public").ok()),
        mig_mysql::dialect("mariadb-10.11/utf8mb4_general_ci", None),
    ]
}

/// Reads specs, formats them, and, if two sets of them stand there, compiles the way from the first to the second.
///
/// # Panics
/// If formatting twice changes something, or the plan is not one that its own reader takes.
pub fn specs(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (base, goal) = text.split_once(DIVIDER).unwrap_or(("", text));
    if let Ok(once) = fmt::fmt(goal) {
        assert_eq!(fmt::fmt(&once).as_deref(), Ok(&*once), "formatting again changes what was formatted");
    }
    let options = Options { engines: &NAMES, ..Options::default() };
    for dialect in dialects() {
        let Some(snapshot) = snapshot(base, &*dialect) else { continue };
        let Ok(compiled) = compile(&[file(goal)], &snapshot, &*dialect, &options) else { continue };
        let read = Plan::from_bytes(&compiled.plan.to_bytes());
        assert_eq!(read.as_ref(), Ok(&compiled.plan), "the plan's reader refuses what the compiler wrote");
    }
}

/// Reads a plan file; then takes it as if its header were right, to reach what stands behind.
pub fn plan(data: &[u8]) {
    if let Ok(read) = Plan::from_bytes(data) {
        assert_eq!(read.to_bytes(), data, "reading and writing gives other bytes");
    }
    let Ok(mut forged) = serde_json::from_slice::<Plan>(data) else { return };
    forged.base = base_fingerprint(&forged.footprint);
    let _ = forged.states();
    let mut states = States::new(forged.base_schema());
    for step in &forged.steps {
        let _ = step.change.touches(states.last());
        if states.push(&step.change).is_err() {
            break;
        }
    }
}

/// Takes a text for every place of a schema that holds SQL.
///
/// # Panics
/// If cutting the text into tokens loses some of it, or the text does not mean the same as itself.
pub fn normal_form(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let whole: String = tokens(text).map(|token| token.text).collect();
    assert_eq!(whole, text, "the tokens are not the text");
    for token in tokens(text) {
        let _ = token.identifier();
    }
    let sql = Sql::new(text);
    for dialect in dialects() {
        let _ = (dialect.mentions(&sql), dialect.unsteady(&sql), dialect.data_type(text, &Schema::default()));
        let Ok(normal) = dialect.normalize(around(&sql, &*dialect)) else { continue };
        for (at, object) in &normal.objects {
            let _ = dialect.references(at, object, &normal);
            assert_ne!(
                dialect.same_text(object, &sql, &sql),
                Sameness::Different,
                "{at}: not the same as itself: {text:?}"
            );
        }
        let simple = dialect.simplify(&normal);
        assert_eq!(dialect.normalize(simple).as_ref(), Ok(&normal), "what was simplified does not come back");
    }
}

fn file(text: &str) -> SpecFile {
    SpecFile { path: "specs/x.toml".to_owned(), text: text.to_owned() }
}

/// A database that was made from specs.
fn snapshot(specs: &str, dialect: &dyn Dialect) -> Option<Snapshot> {
    let engines = Engines { this: dialect.engine(), all: &NAMES };
    let document = spec::parse(&[file(specs)], engines).ok()?;
    let schema = spec::resolve(&document, dialect).ok()?.goal;
    let mut snapshot = Snapshot::empty(dialect.engine(), dialect.version(), dialect.default_schema());
    snapshot.depends = schema.objects.iter().map(|(at, o)| (at.clone(), dialect.references(at, o, &schema))).collect();
    snapshot.schema = Live(schema);
    let imported = import(&snapshot, dialect);
    assert!(spec::parse(&imported, engines).is_ok(), "what import writes cannot be read: {imported:#?}");
    Some(snapshot)
}

/// A schema that says the text wherever one can be said.
fn around(sql: &Sql, dialect: &dyn Dialect) -> Schema {
    let name = |text: &str| Name::new(text).expect("it is not empty");
    let at = |text: &str| Qualified::new(dialect.default_schema(), name(text));
    let column = |called: &str, value: ColumnValue| Column {
        name: name(called),
        data_type: "integer".to_owned(),
        not_null: false,
        value,
        collation: None,
        comment: None,
        options: BTreeMap::new(),
    };
    let columns = vec![column("a", ColumnValue::Plain), column("b", ColumnValue::Default(sql.clone()))];
    let mut table = Table { columns, ..Table::default() };
    table.constraints.insert(name("t_check"), Constraint::new(Rule::Check { expression: sql.clone() }));
    let part = IndexPart {
        what: IndexedBy::Expression(sql.clone()),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
    };
    let index = Index {
        table: at("t"),
        unique: false,
        method: None,
        parts: vec![part],
        include: Vec::new(),
        predicate: Some(sql.clone()),
        nulls_not_distinct: false,
        options: BTreeMap::new(),
        validity: Validity::Valid,
    };
    let view = View { query: sql.clone(), columns: Vec::new(), options: BTreeMap::new() };
    let mut schema = Schema::default();
    let objects = &mut schema.objects;
    objects.insert(Address::table(&at("t")), Object::new(Body::Table(table)).into());
    objects.insert(Address::index(&at("i")), Object::new(Body::Index(index)).into());
    objects.insert(Address::new(ObjectKind::View, &at("v")), Object::new(Body::View(view)).into());
    schema
}
