//! Privileges: which there are on what, and how they are granted and revoked.

use std::collections::{BTreeMap, BTreeSet};

use mig_plan::{
    Address, Body, Complaint, Draft, Grant, GrantRule, Hazard, HazardCode, Name, Object, ObjectKind, Phase, Schema,
    grant::PUBLIC,
    kind::Privileges,
    sql::{TokenKind, tokens},
};

use super::{
    inherit,
    names::{qualified, quote, quote_text},
    render::object::noun,
};

/// What tells one grant from another: role, privilege, column.
type Key<'a> = (&'a str, &'a str, Option<&'a Name>);

fn key(grant: &Grant) -> Key<'_> {
    (&grant.to, &grant.privilege, grant.column.as_ref())
}

fn by_key(grants: &BTreeSet<Grant>) -> BTreeMap<Key<'_>, GrantRule> {
    grants.iter().map(|g| (key(g), g.rule)).collect()
}

/// How far a rule goes; no rule is the default.
fn reach(rule: Option<GrantRule>) -> u8 {
    match rule {
        Some(GrantRule::Revoked) => 0,
        None => 1,
        Some(GrantRule::Granted) => 2,
        Some(GrantRule::WithGrantOption) => 3,
    }
}

/// The kind whose privileges an object has.
fn kind_of(at: &Address) -> ObjectKind {
    let is = |word: &str| at.kind() == ObjectKind::Other && at.name().as_str().starts_with(word);
    if is("foreign table ") { ObjectKind::Table } else { at.kind() }
}

/// The privileges on a kind of object.
fn privileges(kind: ObjectKind, version: u32) -> &'static [&'static str] {
    match kind {
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
            let all = &["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"];
            if version >= super::versions::MAINTAIN { all } else { &all[..7] }
        }
        ObjectKind::Sequence => &["usage", "select", "update"],
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => &["execute"],
        ObjectKind::Namespace => &["usage", "create"],
        ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type | ObjectKind::Other => &["usage"],
        _ => &[],
    }
}

/// The privileges that everyone has on a new object of a kind, or on the schema that every database has.
fn usual(at: &Address, kind: ObjectKind, version: u32) -> &'static [&'static str] {
    match kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => &["execute"],
        ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type => &["usage"],
        ObjectKind::Namespace if is_standing(at) && version < super::versions::PUBLIC_IS_THE_OWNERS => {
            &["usage", "create"]
        }
        ObjectKind::Namespace if is_standing(at) => &["usage"],
        _ => &[],
    }
}

/// The name of the schema that every database has.
pub(crate) const STANDING: &str = "public";

/// Whether it is the schema that every database has.
pub(crate) fn is_standing(at: &Address) -> bool {
    at.kind() == ObjectKind::Namespace && at.name().as_str() == STANDING
}

/// What default privileges are about, as their name says it: `tables by app in shop`.
pub(crate) struct Defaults {
    word: &'static str,
    role: Name,
    schema: Option<Name>,
}

impl Defaults {
    pub(crate) fn of(at: &Address) -> Option<Self> {
        let all: Vec<_> = tokens(at.name().as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
        let known = ["tables", "sequences", "functions", "types", "schemas"];
        let word = known.into_iter().find(|word| all.first().is_some_and(|t| t.text == *word))?;
        let name = |i: usize| Name::new(all.get(i)?.identifier()?).ok();
        let is = |i: usize, word: &str| all.get(i).is_some_and(|t| t.text == word);
        let schema = name(4).filter(|_| is(3, "in"));
        let whole = if schema.is_some() { 5 } else { 3 };
        (is(1, "by") && all.len() == whole).then(|| Some(Self { word, role: name(2)?, schema })).flatten()
    }

    /// A kind of the objects that they are about.
    fn kind(&self) -> ObjectKind {
        match self.word {
            "tables" => ObjectKind::Table,
            "sequences" => ObjectKind::Sequence,
            "functions" => ObjectKind::Function,
            "types" => ObjectKind::Type,
            _ => ObjectKind::Namespace,
        }
    }

    fn cover(&self, at: &Address) -> bool {
        let here = self.schema.is_none() || self.schema == schema_of(at);
        let alike = |a: ObjectKind, b: ObjectKind| privileges(a, u32::MAX) == privileges(b, u32::MAX);
        here && alike(self.kind(), kind_of(at)) && (at.kind() != ObjectKind::Other || kind_of(at) != at.kind())
    }

    fn prefix(&self) -> String {
        let schema = self.schema.as_ref().map(|s| format!(" IN SCHEMA {}", quote(s))).unwrap_or_default();
        format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{schema} ", quote(&self.role))
    }
}

/// The schema that an object is in; what has no kind of its own says it in its name.
fn schema_of(at: &Address) -> Option<Name> {
    match at.name().as_str().strip_prefix("foreign table ").filter(|_| at.kind() == ObjectKind::Other) {
        Some(path) => inherit::path_of(path)?.schema,
        None => at.qualified().schema,
    }
}

/// The statements that give a new object its privileges, whatever it has from the moment that it is made.
pub(crate) fn at_birth(at: &Address, wanted: &BTreeSet<Grant>, around: &Schema) -> Vec<String> {
    let covers = |there: &Address| {
        there.kind() == ObjectKind::DefaultPrivileges && Defaults::of(there).is_some_and(|defaults| defaults.cover(at))
    };
    let born = around.objects.iter().filter(|(there, _)| covers(there)).flat_map(|(_, object)| object.grants.clone());
    let mut statements = sql(at, &born.collect(), wanted);
    for statement in sql(at, &BTreeSet::new(), wanted) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    statements
}

/// Puts declared grants into the catalog's form: `all` is written out, and what is the default is left out.
pub(crate) fn normalize(at: &Address, object: &mut Object, version: u32, complaints: &mut Vec<Complaint>) {
    let defaults = Defaults::of(at).filter(|_| at.kind() == ObjectKind::DefaultPrivileges);
    let kind = defaults.as_ref().map_or_else(|| kind_of(at), Defaults::kind);
    // What is usual is so for all schemas: in one of them alone it can only be added to.
    let everywhere = defaults.as_ref().is_none_or(|d| d.schema.is_none());
    let known = privileges(kind, version);
    let mut rules: BTreeMap<(String, String, Option<Name>), GrantRule> = BTreeMap::new();
    let mut refuse = |says: String| complaints.push(Complaint { at: at.clone(), says, help: None });
    for grant in std::mem::take(&mut object.grants) {
        let possible: Vec<&str> = match &grant.column {
            Some(_) => ["select", "insert", "update", "references"].into_iter().filter(|p| known.contains(p)).collect(),
            None => known.to_vec(),
        };
        let all = matches!(grant.privilege.as_str(), "all" | "all privileges");
        if !all && !possible.contains(&grant.privilege.as_str()) || possible.is_empty() {
            let (privilege, on) = (&grant.privilege, at.kind());
            refuse(if privileges(kind, u32::MAX).contains(&privilege.as_str()) && grant.column.is_none() {
                format!("the privilege `{privilege}` on {on} needs a newer PostgreSQL than {version}")
            } else {
                format!("there is no privilege `{privilege}` on {on}")
            });
            continue;
        }
        if let (Some(column), Body::Table(table)) = (&grant.column, &object.body)
            && table.column(column).is_none()
        {
            refuse(format!("a grant names the column {column}, which is not there"));
            continue;
        }
        for privilege in possible.into_iter().filter(|p| all || *p == grant.privilege) {
            let is_usual = everywhere && grant.to == PUBLIC && usual(at, kind, version).contains(&privilege);
            match grant.rule {
                GrantRule::Granted if is_usual => continue,
                GrantRule::Revoked if !is_usual => {
                    refuse(format!("{} has `{privilege}` only where it is granted; leave the revoke out", grant.to));
                    continue;
                }
                _ => {}
            }
            let rule =
                rules.entry((grant.to.clone(), privilege.to_owned(), grant.column.clone())).or_insert(grant.rule);
            *rule = (*rule).max(grant.rule);
        }
    }
    object.grants =
        rules.into_iter().map(|((to, privilege, column), rule)| Grant { to, privilege, column, rule }).collect();
}

/// The drafts of a change of privileges: one that comes before all others of its phase, and one that comes after.
///
/// What is given comes early and what is taken late, but always while the columns are there. Where the object is made anew in a
/// phase (`replaced`), columns come and go with that: what is taken goes just before, what is given comes just after.
pub(crate) fn drafts(change: &Privileges, replaced: Option<Phase>) -> (Option<Draft>, Option<Draft>) {
    let (from, to) = (by_key(&change.from), by_key(&change.to));
    let keys: BTreeSet<_> = from.keys().chain(to.keys()).collect();
    let between = |key: &Key<'_>| {
        let (was, will) = (from.get(key).copied(), to.get(key).copied());
        let grows = reach(was) < reach(will);
        let rule = if grows == replaced.is_none() { will } else { was };
        let (role, privilege, column) = *key;
        rule.map(|rule| Grant { to: role.to_owned(), privilege: privilege.to_owned(), column: column.cloned(), rule })
    };
    let between: BTreeSet<Grant> = keys.into_iter().filter_map(between).collect();
    let step = |from: &BTreeSet<Grant>, to: &BTreeSet<Grant>, phase, why: &str, says: &str| {
        let step = Privileges { at: change.at.clone(), from: from.clone(), to: to.clone() };
        let hazard = Hazard::new(HazardCode::ChangesAccess, &change.at, says);
        (from != to).then(|| Draft::new(step, phase, why).with(hazard))
    };
    let give = |from, to, phase| step(from, to, phase, "grants privileges", "roles may do more than before");
    let take =
        |from, to, phase| step(from, to, phase, "revokes privileges", "clients that use what is revoked get errors");
    match replaced {
        None => (take(&between, &change.to, Phase::Contract), give(&change.from, &between, Phase::Expand)),
        Some(phase) => (take(&change.from, &between, phase), give(&between, &change.to, phase)),
    }
}

/// The statements that lead from some grants to others.
pub(crate) fn sql(at: &Address, from: &BTreeSet<Grant>, to: &BTreeSet<Grant>) -> Vec<String> {
    let defaults = Defaults::of(at).filter(|_| at.kind() == ObjectKind::DefaultPrivileges);
    let prefix = defaults.as_ref().map(Defaults::prefix).unwrap_or_default();
    let on = defaults.map_or_else(|| object(at), |d| d.word.to_uppercase());
    let (was, will) = (by_key(from), by_key(to));
    let mut revoked: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut granted: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let keys: BTreeSet<_> = was.keys().chain(will.keys()).copied().collect();
    let passed_on = passed_on(&was, &will);
    for key in &keys {
        let (before, after) = (was.get(key).copied(), will.get(key).copied());
        let option = |wanted: bool| if wanted { " WITH GRANT OPTION" } else { "" };
        let (role, privilege, column) = *key;
        let passes_on = after == Some(GrantRule::WithGrantOption);
        if reach(after) < reach(before) {
            let only_option = after == Some(GrantRule::Granted);
            let head = if only_option { "GRANT OPTION FOR " } else { "" };
            revoked.entry((role, head)).or_default().push(word(privilege, column));
        } else if passed_on.contains(privilege) && reach(after) > reach(None) {
            if before == Some(GrantRule::WithGrantOption) {
                revoked.entry((role, "GRANT OPTION FOR ")).or_default().push(word(privilege, column));
            }
            granted.entry((role, option(passes_on))).or_default().push(word(privilege, column));
        } else if reach(after) > reach(before) {
            granted.entry((role, option(passes_on))).or_default().push(word(privilege, column));
        } else if let Some(column) = column {
            // Revoking a privilege on the whole takes it from each column too.
            let whole = (role, privilege, None);
            if reach(will.get(&whole).copied()) < reach(was.get(&whole).copied()) {
                granted.entry((role, option(passes_on))).or_default().push(word(privilege, Some(column)));
            }
        }
    }
    let can_pass_on = |role: &str| was.iter().any(|(key, rule)| key.0 == role && *rule == GrantRule::WithGrantOption);
    let revoked = revoked.into_iter().map(|((role, head), what)| {
        let cascade = if can_pass_on(role) { " CASCADE" } else { "" };
        format!("{prefix}REVOKE {head}{} ON {on} FROM {}{cascade}", what.join(", "), grantee(role))
    });
    let granted = granted
        .into_iter()
        .map(|((role, tail), what)| format!("{prefix}GRANT {} ON {on} TO {}{tail}", what.join(", "), grantee(role)));
    revoked.chain(granted).collect()
}

/// The privileges that one loses while another may have granted it to them, or has it from them: only what its grantor loses goes
/// (manual, REVOKE), so the right to pass it on goes and comes with all that stays.
fn passed_on<'a>(was: &BTreeMap<Key<'a>, GrantRule>, will: &BTreeMap<Key<'a>, GrantRule>) -> BTreeSet<&'a str> {
    let can = |privilege: &str| was.iter().any(|(key, rule)| key.1 == privilege && *rule == GrantRule::WithGrantOption);
    let others = |key: &Key<'_>| was.keys().any(|other| other.1 == key.1 && other.0 != key.0);
    let lost = was.iter().filter(|(key, rule)| reach(will.get(*key).copied()) < reach(Some(**rule)));
    lost.filter(|(key, _)| can(key.1) && others(key)).map(|(key, _)| key.1).collect()
}

fn word(privilege: &str, column: Option<&Name>) -> String {
    let privilege = privilege.to_uppercase();
    column.map_or_else(|| privilege.clone(), |column| format!("{privilege} ({})", quote(column)))
}

fn grantee(role: &str) -> String {
    if role == PUBLIC { "PUBLIC".to_owned() } else { quote_text(role) }
}

/// An object as `GRANT` calls it.
fn object(at: &Address) -> String {
    let name = qualified(&at.qualified());
    match at.kind() {
        ObjectKind::View | ObjectKind::MaterializedView => format!("TABLE {name}"),
        ObjectKind::Aggregate => format!("FUNCTION {name}({})", at.signature().unwrap_or_default()),
        ObjectKind::Enum | ObjectKind::Domain => format!("TYPE {name}"),
        ObjectKind::Other => other(at.name().as_str()),
        _ => noun(at),
    }
}

/// What `DROP` calls one thing, as `GRANT` calls it.
fn other(what: &str) -> String {
    if let Some(table) = what.strip_prefix("foreign table ") {
        return format!("TABLE {table}");
    }
    match what.strip_prefix("server ") {
        Some(server) => format!("FOREIGN SERVER {server}"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mig_plan::Kind;

    use super::*;

    fn grant(to: &str, privilege: &str, column: Option<&str>, rule: GrantRule) -> Grant {
        let column = column.map(|c| Name::new(c).unwrap());
        Grant { to: to.to_owned(), privilege: privilege.to_owned(), column, rule }
    }

    #[test]
    fn grants_come_early_and_revokes_late() {
        let at: Address = "table public.users".parse().unwrap();
        let from = [
            grant("app", "select", None, GrantRule::Granted),
            grant("app", "select", Some("email"), GrantRule::Granted),
            grant("admin", "insert", None, GrantRule::WithGrantOption),
        ];
        let to = [
            grant("app", "select", Some("email"), GrantRule::Granted),
            grant("admin", "insert", None, GrantRule::Granted),
            grant("public", "update", None, GrantRule::Granted),
        ];
        let change = Privileges { at: at.clone(), from: from.into(), to: to.into() };
        let (first, last) = drafts(&change, None);
        assert_eq!((first.unwrap().phase, last.unwrap().phase), (Phase::Contract, Phase::Expand));
        let (first, last) = drafts(&change, Some(Phase::Switch));
        let (Kind::Privileges(take), Kind::Privileges(give)) = (first.unwrap().change, last.unwrap().change) else {
            panic!("both change privileges");
        };
        assert_eq!((take.from, &take.to, give.to), (change.from.clone(), &give.from, change.to.clone()));
        assert_eq!(take.to.len(), 2);
        assert_eq!(
            sql(&at, &change.from, &change.to),
            [
                "REVOKE GRANT OPTION FOR INSERT ON TABLE public.users FROM admin CASCADE",
                "REVOKE SELECT ON TABLE public.users FROM app",
                "GRANT SELECT (email) ON TABLE public.users TO app",
                "GRANT UPDATE ON TABLE public.users TO PUBLIC",
            ]
        );
    }

    #[test]
    fn default_privileges_are_named_by_what_they_are_about() {
        let at = |text: &str| Address::global(ObjectKind::DefaultPrivileges, Name::new(text).unwrap());
        let to = [grant("app", "select", None, GrantRule::Granted)].into();
        assert_eq!(
            sql(&at("tables by \"The owner\" in shop"), &BTreeSet::new(), &to),
            ["ALTER DEFAULT PRIVILEGES FOR ROLE \"The owner\" IN SCHEMA shop GRANT SELECT ON TABLES TO app"]
        );
        assert!(Defaults::of(&at("tables in shop")).is_none());
        // A new table has them at once; what nobody asked for is taken from it.
        let mut around = Schema::default();
        let object = Object { grants: to, ..Object::new(Body::DefaultPrivileges {}) };
        around.objects.insert(at("tables by owner in public"), object.into());
        let table: Address = "table public.users".parse().unwrap();
        assert_eq!(at_birth(&table, &BTreeSet::new(), &around), ["REVOKE SELECT ON TABLE public.users FROM app"]);
        let sequence: Address = "sequence public.users".parse().unwrap();
        assert!(at_birth(&sequence, &BTreeSet::new(), &around).is_empty());
    }

    #[test]
    fn what_everyone_may_do_in_the_standing_schema_depends_on_the_version() {
        let at: Address = "schema public".parse().unwrap();
        let declared = |privilege: &str, rule| {
            let grants = [grant("public", privilege, None, rule)].into();
            Object { grants, ..Object::new(Body::Namespace {}) }
        };
        let left = |privilege: &str, rule, version| {
            let (mut object, mut complaints) = (declared(privilege, rule), Vec::new());
            normalize(&at, &mut object, version, &mut complaints);
            (object.grants.len(), complaints.len())
        };
        assert_eq!(left("usage", GrantRule::Granted, 15), (0, 0));
        assert_eq!(left("create", GrantRule::Granted, 14), (0, 0));
        assert_eq!(left("create", GrantRule::Granted, 15), (1, 0));
        assert_eq!(left("create", GrantRule::Revoked, 14), (1, 0));
        assert_eq!(left("create", GrantRule::Revoked, 15), (0, 1));
    }

    #[test]
    fn a_default_can_be_revoked() {
        let at: Address = "function public.f()".parse().unwrap();
        let to = [grant("public", "execute", None, GrantRule::Revoked)].into();
        assert_eq!(sql(&at, &BTreeSet::new(), &to), ["REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC"]);
        assert_eq!(sql(&at, &to, &BTreeSet::new()), ["GRANT EXECUTE ON FUNCTION public.f() TO PUBLIC"]);
    }
}
