use mig_plan::{Address, ColumnValue, Name, Qualified, Rule};

use super::{Engines, SpecFile, fake::Fake, parse, resolve};
use crate::{Diagnostic, Intent};

const ENGINES: Engines<'_> = Engines { this: "fake", all: &["fake", "other"] };

fn file(path: &str, text: &str) -> SpecFile {
    SpecFile { path: path.to_owned(), text: text.to_owned() }
}

fn compile(files: &[SpecFile]) -> Result<Intent, Vec<Diagnostic>> {
    resolve(&parse(files, ENGINES)?, &Fake)
}

fn intent(text: &str) -> Intent {
    compile(&[file("a.toml", text)]).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// Each error as code, the text it is at, and its help.
fn errors(text: &str) -> Vec<(&'static str, String, String)> {
    compile(&[file("a.toml", text)])
        .unwrap_err()
        .into_iter()
        .map(|e| (e.code, text[e.span.unwrap()].to_owned(), e.help.unwrap_or_default()))
        .collect()
}

fn q(name: &str) -> Qualified {
    Qualified::new(Some(Name::new("public").unwrap()), Name::new(name).unwrap())
}

const SHOP: &str = r#"
[table.users]
primary_key = ["id"]
comment = "people"
[table.users.columns]
id = { type = "bigint", identity = "always" }
email = "text"
nick = { type = { fake = "text?", other = "varchar" }, was = "name" }
active = { type = "boolean", default = true }
mood = "mood"
shout = { type = "text", generated = "upper(email)" }
[[table.users.uniques]]
columns = ["email"]
[[table.users.indexes]]
columns = ["lower(email)", "nick desc nulls last"]
where = "active"

[table.orders]
was = "purchases"
primary_key = { columns = ["id"], name = "orders_key" }
[table.orders.columns]
id = "uuid"
user_id = "bigint"
[[table.orders.foreign_keys]]
columns = ["user_id"]
references = "users"
on_delete = "set null (user_id)"

[enum.mood]
values = ["sad", { value = "glad", was = "happy" }]

[transform.users]
set.nick = "lower(email)"
batch_rows = 10
"#;

#[test]
fn a_project_resolves() {
    let intent = intent(SHOP);
    let users = intent.goal.table(&q("users")).unwrap();
    assert!(matches!(users.columns[0].value, ColumnValue::Identity { always: true, .. }));
    assert!(!users.columns[2].not_null && users.columns[1].not_null);
    assert_eq!(users.columns[4].data_type, "public.mood");
    assert!(users.constraints.contains_key(&Name::new("users_email_key").unwrap()));
    let orders = intent.goal.table(&q("orders")).unwrap();
    let Rule::ForeignKey(fk) = &orders.constraints[&Name::new("orders_user_id_fkey").unwrap()].rule else { panic!() };
    assert_eq!(fk.referenced, [Name::new("id").unwrap()]);
    assert_eq!(fk.on_delete_columns, [Name::new("user_id").unwrap()]);
    assert_eq!(intent.table_moves[0].from, Address::table(&q("purchases")));
    assert_eq!(intent.column_moves[0].from, Address::column(&q("users"), &Name::new("name").unwrap()));
    assert_eq!(intent.enum_value_moves[0].from, "happy");
    assert_eq!(intent.fills[&q("users")].batch_rows, Some(10));
    let (at, index) = intent.goal.indexes().next().unwrap();
    assert_eq!(at.name().as_str(), "users_expr_nick_idx");
    assert!(index.parts[1].descending && index.parts[1].nulls_first == Some(false));
}

#[test]
fn the_digest_is_of_what_is_meant() {
    let split = SHOP.find("[table.orders]").unwrap();
    let two = [file("z.toml", &SHOP[..split]), file("b.toml", &format!("# a remark\n{}", &SHOP[split..]))];
    assert_eq!(compile(&two).unwrap().specs_digest, intent(SHOP).specs_digest);
    assert_ne!(intent(&SHOP.replace("people", "users")).specs_digest, intent(SHOP).specs_digest);
}

#[test]
fn reading_errors_come_all_at_once() {
    let found = errors(
        "removed = 3\n[table.users]\nprimary_kye = [\"id\"]\n[table.users.columns]\nid = 5\nb = { typ = \"text\" }\n\
         [[table.users.checks]]\nname = \"x\"\n[tabel.x]\n[view.v]\nquery = { other = \"select 1\" }\n",
    );
    let codes: Vec<_> = found.iter().map(|(code, at, _)| (*code, at.as_str())).collect();
    assert!(codes.contains(&("MIG-E003", "3")), "{found:#?}");
    assert!(codes.contains(&("MIG-E002", "primary_kye")), "{found:#?}");
    assert!(codes.contains(&("MIG-E003", "5")), "{found:#?}");
    assert!(codes.contains(&("MIG-E002", "typ")), "{found:#?}");
    assert!(codes.contains(&("MIG-E002", "tabel")), "{found:#?}");
    assert!(found.iter().any(|(code, _, _)| *code == "MIG-E004"), "{found:#?}");
    assert!(found.iter().any(|(code, _, _)| *code == "MIG-E008"), "{found:#?}");
    assert!(found.iter().any(|(_, _, help)| help == "did you mean `primary_key`?"));
}

#[test]
fn a_single_bracket_where_two_belong_is_told() {
    let found = errors("[table.t.columns]\na = \"text\"\n[table.t.checks]\nexpr = \"a > ''\"\n");
    assert_eq!(found[0].0, "MIG-E003");
    assert!(found[0].2.contains("double brackets"), "{found:?}");
}

#[test]
fn every_syntax_error_is_told() {
    let found = errors("a = \nb = ]\n");
    assert!(found.len() >= 2 && found.iter().filter(|e| e.0 == "MIG-E001").count() >= 2, "{found:?}");
}

#[test]
fn resolving_errors_come_all_at_once() {
    let found = errors(
        r#"
[table.users]
primary_key = ["idd"]
[table.users.columns]
id = "bigintt"
a = { type = "text?", null = false, was = "x" }
b = { type = "text", was = "x", default = "1", generated = "2" }
[[table.users.foreign_keys]]
columns = ["a"]
references = "user"
[[table.users.indexes]]
columns = ["c"]
[[table.users.checks]]
expr = "true"
name = "a_name_that_is_far_too_long_for_this_engine_because_it_has_many_more_bytes"
[transform.usres]
set.a = "1"
[trigger."nope.t"]
sql = "create trigger"
[function.f]
sql = "x"
"#,
    );
    for (code, at, help) in [
        ("MIG-E012", "\"idd\"", "did you mean `id`?"),
        ("MIG-E010", "\"bigintt\"", "did you mean `bigint`?"),
        ("MIG-E009", "false", ""),
        ("MIG-E015", "\"x\"", ""),
        ("MIG-E011", "\"user\"", "did you mean `users`?"),
        ("MIG-E012", "\"c\"", ""),
        ("MIG-E011", "usres", "did you mean `users`?"),
        ("MIG-E011", "\"nope.t\"", ""),
        ("MIG-E006", "f", "write `f()` if it takes none"),
    ] {
        let hit = found.iter().any(|e| e.0 == code && e.1 == at && e.2 == help);
        assert!(hit, "{code} {at}: {found:#?}");
    }
    assert!(found.iter().any(|e| e.0 == "MIG-E016"));
}

#[test]
fn two_places_are_shown_for_one_name() {
    let one = file("a.toml", "[table.t.columns]\na = \"text\"\n");
    let two = file("b.toml", "[table.\"public.t\".columns]\nb = \"text\"\n");
    let errors = compile(&[two, one]).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!((errors[0].code, errors[0].path.as_deref()), ("MIG-E007", Some("b.toml")));
    assert_eq!(errors[0].related[0].path, "a.toml");
}

#[test]
fn the_engine_complains_at_the_place() {
    let found = errors("[table.t.columns]\na = { type = \"text\", options.wrong = true }\n");
    assert_eq!(found, [("MIG-E017", "a".to_owned(), String::new())]);
}

#[test]
fn what_is_not_managed_is_left_alone() {
    let text = "removed = [\"table log\"]\n[manage]\nschemas = [\"public\"]\nexclude = [\"legacy_*\"]\n\
                [table.t.columns]\na = \"text?\"\n[[table.t.foreign_keys]]\ncolumns = [\"a\"]\nreferences = \"auth.users (id)\"\n";
    let intent = intent(text);
    let object = intent.goal.objects.values().next().unwrap();
    let at = |s: &str| s.parse::<Address>().unwrap();
    assert!(intent.manages(&at("table public.t"), object));
    for other in ["table public.legacy_x", "table auth.users", "table public.log", "trigger public.log.t"] {
        assert!(!intent.manages(&at(other), object), "{other}");
    }
    let declared = format!("{text}[table.legacy_a.columns]\na = \"text\"\n[table.log.columns]\na = \"text\"\n");
    let codes: Vec<_> = errors(&declared).into_iter().map(|e| e.0).collect();
    assert_eq!(codes, ["MIG-E018", "MIG-E019"]);
}

#[test]
fn what_no_engine_is_called_is_not_left_out() {
    let said = |text: &str| -> Vec<_> { errors(text).into_iter().map(|(code, at, _)| (code, at)).collect() };
    assert_eq!(said("[table.t]\nnonsense = \"x\""), [("MIG-E002", "nonsense".to_owned())]);
    assert_eq!(said("[table.t.columns]\na = { kind = \"text\" }")[0].0, "MIG-E004");
    assert_eq!(said("[table.t.columns]\na = { fake = \"text\", fakes = \"x\" }"), [("MIG-E002", "fakes".to_owned())]);
    let declared = intent("[table.t.columns]\na = { other = \"text\" }\nb = { fake = \"text\", other = \"x\" }").goal;
    let columns: Vec<_> = declared.table(&q("t")).unwrap().columns.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(columns, ["b"]);
}

#[test]
fn the_readme_is_read() {
    let readme = include_str!("../../../specs/README.md");
    let examples: Vec<_> = readme.split("```toml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(examples.len() >= 5);
    let engines = Engines { this: "postgres", all: &["sqlite", "postgres", "mysql"] };
    for example in examples {
        if let Err(errors) = parse(&[file("README.md", example)], engines) {
            panic!("{errors:#?}\n{example}");
        }
    }
}

#[test]
fn every_key_has_an_example_that_can_be_read() {
    let mut reader = super::reader::Reader { engines: ENGINES, errors: Vec::new() };
    let without = super::language::keys_without_example(&mut reader);
    assert_eq!(without, [""; 0], "give each a line in its comment: Example: `VALUE`");
    assert!(reader.errors.is_empty(), "{:#?}", reader.errors);
}
