//! What a definition needs to exist, read from its texts name by name.

mod others;

use std::collections::BTreeSet;

use super::{inherit, operators, ranges};
use mig_plan::{
    Address, Body, Column, ColumnValue, Name, Object, ObjectKind, Qualified, Rule, Schema, Sql, Table,
    schema::{Index, IndexedBy},
    split_path,
    sql::{TokenKind, tokens},
    table::{Constraint, ForeignKey},
};

/// Words that stand bare in expressions and are never columns there.
const WORDS: &str = " and or not in is null like ilike similar to between case when then else end true false any all some as from where \
select distinct exists array row cast collate at zone current_timestamp current_date current_user current_time localtimestamp \
localtime session_user isnull notnull with without unknown symmetric asc desc nulls first last order by group having limit offset ";

/// The column names that an expression may mention: bare or quoted names that are neither called nor cast to.
pub(crate) fn columns_in(expression: &Sql) -> BTreeSet<Name> {
    let words: Vec<_> = tokens(expression.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
    let mut found = BTreeSet::new();
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).map_or("", |t| t.text);
        let cast = i.checked_sub(1).is_some_and(|before| words[before].text == "::");
        let bare = word.kind == TokenKind::Word;
        let Some(name) = word.identifier() else { continue };
        if !(bare && (next == "(" || WORDS.contains(&format!(" {name} "))) || next == "." || cast) {
            found.extend(Name::new(name).ok());
        }
    }
    found
}

/// Whether a statement only says what something is for: its words name nothing.
fn is_remark(text: &Sql) -> bool {
    let first = tokens(text.as_str()).find(|t| t.kind != TokenKind::Blank);
    first.is_some_and(|word| word.text.eq_ignore_ascii_case("comment"))
}

/// Whether a query, not one in the string of a routine's body, groups rows.
fn groups_rows(text: &Sql) -> bool {
    let words: Vec<_> = tokens(text.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
    words.windows(2).any(|two| two[0].text.eq_ignore_ascii_case("group") && two[1].text.eq_ignore_ascii_case("by"))
}

/// The addresses that a definition needs, among those of the schema.
pub(crate) fn of(at: &Address, object: &Object, schema: &Schema, default: Option<&Name>) -> BTreeSet<Address> {
    let mut finder = Finder { schema, default, found: BTreeSet::new(), arguments: BTreeSet::new() };
    if let Some(namespace) = at.qualified().schema {
        finder.add(Address::global(ObjectKind::Namespace, namespace));
    }
    match &object.body {
        Body::Table(table) => {
            for column in &table.columns {
                finder.column(column);
            }
            for constraint in table.constraints.values() {
                finder.constraint(&at.qualified(), constraint);
            }
            let parents = ["partition_of", "inherits", "of_type"].iter().filter_map(|key| table.options.get(*key));
            for parent in parents.flat_map(|p| p.split(',')) {
                finder.path(parent.trim());
                finder.inherited(table, parent.trim());
            }
            finder.shares(&at.qualified(), table);
        }
        Body::Index(index) => finder.index(index),
        Body::Sequence(sequence) => {
            finder.found.extend(sequence.owned_by.clone().filter(|owner| schema.contains(owner)))
        }
        Body::View(view) => {
            finder.text(&view.query, None);
            for (_, text) in view.options.iter().filter(|(key, _)| key.starts_with(super::render::view::DEFAULT)) {
                finder.text(&Sql::new(text), None);
            }
        }
        Body::Domain(domain) => {
            finder.data_type(&domain.base);
            if let Some(collation) = &domain.collation {
                finder.text(&Sql::new(collation.clone()), None);
            }
            for text in domain.default.iter().chain(domain.checks.values()) {
                finder.text(text, None);
            }
        }
        Body::Source(source) => {
            let relation = at.relation();
            finder.arguments = at.signature().map(super::routine::argument_names).unwrap_or_default();
            finder.found.extend(source.needs.iter().filter(|need| schema.contains(need)).cloned());
            if let Some(of) = &relation {
                finder.relation(of);
            }
            let attributes = super::render::composite::types_in(source);
            for (data_type, collation) in &attributes {
                finder.data_type(data_type);
                if let Some(collation) = collation {
                    finder.text(&Sql::new(collation.clone()), None);
                }
            }
            // What the attributes of a composite type are called names nothing.
            let texts = source.create.iter().filter(|text| attributes.is_empty() && !is_remark(text));
            for text in texts {
                finder.text(text, relation.as_ref());
                // An aggregate and the like names what it is made of as settings.
                if matches!(at.kind(), ObjectKind::Aggregate | ObjectKind::Type | ObjectKind::Other) {
                    finder.settings(text);
                }
            }
            if let Some(signature) = at.signature() {
                for argument in signature.split(',') {
                    finder.data_type(argument.trim().rsplit(' ').next().unwrap_or_default());
                }
            }
        }
        Body::Extension(extension) => {
            if let Some(namespace) = &extension.schema {
                finder.add(Address::global(ObjectKind::Namespace, namespace.clone()));
            }
        }
        Body::Namespace {} | Body::DefaultPrivileges {} | Body::Enum { .. } | Body::Opaque { .. } => {}
    }
    let texts: Vec<Sql> = match &object.body {
        Body::Index(index) => {
            let words = index.parts.iter().flat_map(|p| p.opclass.iter().chain(&p.collation)).chain(&index.method);
            words.map(Sql::new).chain(object.texts()).collect()
        }
        Body::Table(table) => {
            table.options.get("access_method").map(Sql::new).into_iter().chain(object.texts()).collect()
        }
        _ => object.texts(),
    };
    let texts: Vec<Sql> = texts.into_iter().filter(|text| !is_remark(text)).collect();
    finder.found.extend(others::named_in(at, &texts, schema));
    finder.found.extend(operators::linked(at, object, schema));
    finder.found.retain(|found| found != at && found.holder() != *at);
    finder.found
}

/// Whether a text can name an object by its last name.
fn can_be_named(at: &Address) -> bool {
    use ObjectKind::{DefaultPrivileges, Index, Opaque, Other, Policy, Rule, Statistics, Trigger};
    !matches!(at.kind(), Index | Trigger | Policy | Rule | Statistics | Opaque | Other | DefaultPrivileges)
}

struct Finder<'a> {
    schema: &'a Schema,
    default: Option<&'a Name>,
    found: BTreeSet<Address>,
    /// Names that mean an argument of a routine.
    arguments: BTreeSet<String>,
}

impl Finder<'_> {
    fn add(&mut self, at: Address) {
        if self.schema.contains(&at) {
            self.found.insert(at);
        }
    }

    fn relation(&mut self, at: &Qualified) {
        for kind in [ObjectKind::Table, ObjectKind::View, ObjectKind::MaterializedView] {
            self.add(Address::new(kind, at));
        }
    }

    /// Whatever lives at a dotted path.
    fn path(&mut self, dotted: &str) {
        let Ok(mut parts) = split_path(dotted) else { return };
        let Some(name) = parts.pop() else { return };
        let at = Qualified::new(parts.pop().or_else(|| self.default.cloned()), name);
        self.relation(&at);
        for kind in [ObjectKind::Type, ObjectKind::Enum, ObjectKind::Domain] {
            self.add(Address::new(kind, &at));
        }
    }

    /// What a table says of its parent's columns: they must have their final form when it is made.
    fn inherited(&mut self, table: &Table, parent: &str) {
        let Some(parent) = inherit::path_of(parent) else { return };
        for column in &table.columns {
            self.add_column(&parent, &column.name);
        }
    }

    /// The indexes and keys over a partition of which it gives its share a name.
    fn shares(&mut self, at: &Qualified, table: &Table) {
        let named: Vec<&str> = table.options.keys().filter_map(|key| key.strip_prefix(inherit::NAME_OF)).collect();
        if named.is_empty() {
            return;
        }
        for of in inherit::ancestors(self.schema, at) {
            for name in named.iter().filter_map(|name| Name::new(*name).ok()) {
                self.add(Address::constraint(&of, &name));
                self.add(Address::index(&of.sibling(name)));
            }
        }
    }

    /// A column, wherever it comes from: of the table and of each of its parents that has it.
    fn add_column(&mut self, table: &Qualified, name: &Name) {
        self.add(Address::column(table, name));
        for parent in inherit::ancestors(self.schema, table) {
            self.add(Address::column(&parent, name));
        }
    }

    fn data_type(&mut self, data_type: &str) {
        let text = Sql::new(data_type);
        let before = self.found.clone();
        self.text(&text, None);
        // A built-in type's name may be a table's too: only types count, and rows of tables where the name is qualified.
        let qualified = data_type.contains('.');
        self.found.retain(|at| {
            before.contains(at)
                || matches!(at.kind(), ObjectKind::Enum | ObjectKind::Domain | ObjectKind::Type | ObjectKind::Namespace)
                || (qualified && at.kind() == ObjectKind::Table)
        });
        let known = self.found.iter().any(|at| !before.contains(at) && at.kind() != ObjectKind::Namespace);
        let several = inherit::path_of(data_type.trim_end_matches("[]")).filter(|_| qualified && !known);
        if let Some(range) = several.and_then(|at| ranges::range_of(&at, self.schema)) {
            self.found.insert(range.clone());
        }
        if text.as_str().contains('.') || text.as_str().chars().all(|c| c.is_ascii_lowercase()) {
            self.extensions(data_type);
        }
    }

    /// The extension that a type most likely comes from.
    fn extensions(&mut self, data_type: &str) {
        let name = data_type.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
        let name = name.split('(').next().unwrap_or_default();
        let extension = match name {
            "geometry" | "geography" | "box2d" | "box3d" => "postgis",
            "halfvec" | "sparsevec" => "vector",
            "lquery" | "ltxtquery" => "ltree",
            other => other,
        };
        if let Ok(name) = Name::new(extension) {
            self.add(Address::global(ObjectKind::Extension, name));
        }
    }

    fn column(&mut self, column: &Column) {
        self.data_type(&column.data_type);
        match &column.value {
            ColumnValue::Default(text) | ColumnValue::Generated { expression: text, .. } => self.text(text, None),
            ColumnValue::Plain | ColumnValue::Identity { .. } => {}
        }
        if let Some(collation) = &column.collation {
            self.text(&Sql::new(collation.clone()), None);
        }
    }

    fn constraint(&mut self, table: &Qualified, constraint: &Constraint) {
        match &constraint.rule {
            Rule::PrimaryKey(_) | Rule::Unique(_) => {}
            Rule::ForeignKey(fk) => self.foreign_key(fk),
            Rule::Check { expression: text } | Rule::Exclude { definition: text } => self.text(text, Some(table)),
        }
    }

    fn foreign_key(&mut self, fk: &ForeignKey) {
        self.add(Address::table(&fk.references));
        for column in &fk.referenced {
            self.add_column(&fk.references, column);
        }
        self.key(&fk.references, fk);
        for parent in inherit::ancestors(self.schema, &fk.references) {
            self.key(&parent, fk);
        }
    }

    /// The key of a table that a foreign key refers to.
    fn key(&mut self, of: &Qualified, fk: &ForeignKey) {
        let Some(table) = self.schema.table(of) else { return };
        let wanted: BTreeSet<_> = fk.referenced.iter().collect();
        let is_key = |c: &Constraint| c.key().is_some_and(|k| k.columns.iter().collect::<BTreeSet<_>>() == wanted);
        let keys: Vec<_> = table.constraints.iter().filter(|(_, c)| is_key(c)).map(|(name, _)| name.clone()).collect();
        for name in &keys {
            self.found.insert(Address::constraint(of, name));
        }
        if keys.is_empty() {
            let plain = |index: &Index| {
                let columns = index.parts.iter().filter_map(|p| match &p.what {
                    IndexedBy::Column(name) => Some(name),
                    IndexedBy::Expression(_) => None,
                });
                index.unique && columns.collect::<BTreeSet<_>>() == wanted
            };
            let indexes = self.schema.indexes_of(of).filter(|(_, i)| plain(i)).map(|(at, _)| at.clone());
            self.found.extend(indexes.collect::<Vec<_>>());
        }
    }

    fn index(&mut self, index: &Index) {
        self.relation(&index.table);
        if index.options.contains_key(inherit::ONLY) {
            // Such an index is valid, and passed to what comes later, where there are no partitions yet.
            for under in inherit::descendants(self.schema, &index.table) {
                self.add(Address::table(&under));
            }
        }
        if let Some(parent) = inherit::attached_to(index) {
            self.add(Address::index(&parent));
        }
        for part in &index.parts {
            match &part.what {
                IndexedBy::Column(name) => self.add_column(&index.table, name),
                IndexedBy::Expression(text) => self.text(text, Some(&index.table)),
            }
            if let Some(opclass) = &part.opclass
                && (opclass.starts_with("gin_trgm") || opclass.contains("gist_trgm"))
                && let Ok(name) = Name::new("pg_trgm")
            {
                self.add(Address::global(ObjectKind::Extension, name));
            }
        }
        for name in &index.include {
            self.add_column(&index.table, name);
        }
        if let Some(text) = &index.predicate {
            self.text(text, Some(&index.table));
        }
    }

    /// Everything that a text names: objects by path, then columns of the tables among them.
    fn text(&mut self, text: &Sql, table: Option<&Qualified>) {
        let source = inner_texts(text.as_str());
        let mut tables: BTreeSet<Qualified> = table.into_iter().cloned().collect();
        let mut mentioned = BTreeSet::new();
        for path in paths(&source) {
            self.named(&path, &mut tables);
            self.brought_by_extension(&path);
            mentioned.extend(path.names.last().cloned());
        }
        if groups_rows(text) {
            tables.iter().for_each(|of| self.primary_key(of));
        }
        let above: Vec<_> = tables.iter().flat_map(|of| inherit::ancestors(self.schema, of)).collect();
        for of in tables.into_iter().chain(above) {
            let Some(found) = self.schema.table(&of) else { continue };
            let columns = found.columns.iter().filter(|c| mentioned.contains(c.name.as_str()));
            let columns: Vec<_> = columns.map(|c| Address::column(&of, &c.name)).collect();
            self.found.extend(columns);
        }
    }

    /// The primary key of a table: rows grouped by it are grouped by every column.
    fn primary_key(&mut self, of: &Qualified) {
        let Some(table) = self.schema.table(of) else { return };
        let keys = table.constraints.iter().filter(|(_, c)| matches!(c.rule, Rule::PrimaryKey(_)));
        self.found.extend(keys.map(|(name, _)| Address::constraint(of, name)));
    }

    /// The extension that a well-known function comes from.
    fn brought_by_extension(&mut self, path: &Path) {
        let name = path.names.last().map_or("", String::as_str);
        let extension = match name {
            "gin_trgm_ops" | "gist_trgm_ops" | "similarity" | "word_similarity" => "pg_trgm",
            "crypt" | "gen_salt" | "digest" | "hmac" | "gen_random_bytes" | "gen_random_uuid" => "pgcrypto",
            "unaccent" => "unaccent",
            "gist" => "btree_gist",
            uuid if uuid.starts_with("uuid_generate_") => "uuid-ossp",
            spatial if spatial.starts_with("st_") && path.called => "postgis",
            _ => return,
        };
        if let Ok(name) = Name::new(extension) {
            self.add(Address::global(ObjectKind::Extension, name));
        }
    }

    /// The routines that are values of settings: `SFUNC = public.add`.
    fn settings(&mut self, text: &Sql) {
        let words: Vec<_> = tokens(text.as_str()).filter(|t| t.kind != TokenKind::Blank).collect();
        for (i, _) in words.iter().enumerate().filter(|(_, word)| word.text == "=") {
            let rest = words[i + 1..].iter().take_while(|t| t.text == "." || t.identifier().is_some());
            let names: Vec<String> = rest.filter_map(|word| word.identifier()).take(2).collect();
            let routine = |at: &&Address| matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure);
            for name in &names {
                let found = self.schema.objects.named(name).iter().filter(routine);
                let here = |at: &&Address| match (&at.qualified().schema, names.len()) {
                    (Some(schema), 2) => schema.as_str() == names[0],
                    (schema, _) => schema.as_ref() == self.default,
                };
                self.found.extend(found.filter(here).cloned());
            }
        }
    }

    /// What a path of names may mean: the object of its last name, or of an earlier one.
    fn named(&mut self, path: &Path, tables: &mut BTreeSet<Qualified>) {
        if !path.called && path.names.first().is_some_and(|name| self.arguments.contains(name)) {
            return;
        }
        for (i, name) in path.names.iter().enumerate() {
            for at in self.schema.objects.named(name).iter().filter(|at| can_be_named(at)) {
                let here = at.qualified();
                let in_schema = match i.checked_sub(1).map(|before| path.names[before].as_str()) {
                    Some(before) => here.schema.as_ref().is_some_and(|s| s.as_str() == before),
                    None => here.schema.as_ref() == self.default || here.schema.is_none(),
                };
                let routine = matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate);
                let global =
                    matches!(at.kind(), ObjectKind::Namespace | ObjectKind::Extension | ObjectKind::EventTrigger);
                if !in_schema || global || (routine && !path.called) {
                    continue;
                }
                self.found.insert(at.clone());
                if at.kind() == ObjectKind::Table {
                    tables.insert(here);
                }
            }
        }
    }
}

/// A dotted run of names, and whether an argument list follows.
struct Path {
    names: Vec<String>,
    called: bool,
}

/// The dotted names of a text.
fn paths(source: &str) -> Vec<Path> {
    let words: Vec<_> = tokens(source).filter(|t| t.kind != TokenKind::Blank).collect();
    let mut paths: Vec<Path> = Vec::new();
    let mut glue = false;
    for (i, word) in words.iter().enumerate() {
        if let Some(name) = word.identifier() {
            match paths.last_mut() {
                Some(last) if glue => last.names.push(name),
                _ => paths.push(Path { names: vec![name], called: false }),
            }
            glue = words.get(i + 1).is_some_and(|next| next.text == ".");
            if let Some(last) = paths.last_mut() {
                last.called = words.get(i + 1).is_some_and(|next| next.text == "(");
            }
        } else if word.text != "." {
            glue = false;
        }
    }
    paths
}

/// The text with the bodies of dollar-quoted strings and of `'name'::regclass` laid open.
fn inner_texts(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let words: Vec<_> = tokens(source).collect();
    for (i, word) in words.iter().enumerate() {
        let registered = words.get(i + 1).is_some_and(|t| t.text == "::")
            && words.get(i + 2).is_some_and(|t| t.text.to_lowercase().starts_with("reg"));
        let called = i >= 2 && words[i - 1].text == "(" && words[i - 2].text.eq_ignore_ascii_case("nextval");
        match word.kind {
            TokenKind::Text if word.text.starts_with('$') => {
                let tag = word.text[1..].find('$').map_or(0, |at| at + 2);
                let inner = word.text.get(tag..word.text.len().saturating_sub(tag).max(tag)).unwrap_or_default();
                out.push(' ');
                out.push_str(inner);
                out.push(' ');
            }
            TokenKind::Text if registered || called => {
                out.push(' ');
                out.push_str(word.text.trim_matches('\''));
                out.push(' ');
            }
            _ => out.push_str(word.text),
        }
    }
    out
}
