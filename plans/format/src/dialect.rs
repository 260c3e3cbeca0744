//! What an engine knows without a connection: names, types, spelling, recipes, SQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    address::{Address, ObjectKind},
    hazard::Hazard,
    kind::{Kind, Selection},
    name::{Name, Qualified},
    plan::CheckSql,
    schema::{Object, Schema},
    snapshot::Snapshot,
    sql::Sql,
    step::{Action, Phase, Probe, Statement},
    table::{Column, Constraint, Table},
    verify::Literal,
};

/// The pure half of an engine.
pub trait Dialect: Send + Sync {
    /// The engine's name, as plans and specs say it.
    fn engine(&self) -> &'static str;

    /// The server's major version.
    fn version(&self) -> &str;

    /// The schema that an unqualified name means; `None` where the engine has no schemas.
    fn default_schema(&self) -> Option<Name>;

    /// A name as the engine's own deparser writes it into SQL: quoted where it must be.
    fn quote(&self, name: &Name) -> String;

    /// A name as the engine stores it; an error sentence if it cannot (too long, reserved for mig).
    ///
    /// # Errors
    /// A sentence for people.
    fn check_name(&self, name: &Name) -> Result<(), String>;

    /// Whether the engine takes two names for one.
    fn same_name(&self, a: &Name, b: &Name) -> bool {
        a == b
    }

    /// Whether the engine takes two names of columns for one, but keeps the spelling: then another spelling in the specs is a rename.
    fn respells_column(&self, _: &Name, _: &Name) -> bool {
        false
    }

    /// The engine's own spelling of a declared column type. `schema` tells which types are declared.
    ///
    /// # Errors
    /// If the type is neither built in, nor declared, nor from a declared extension: a near miss, if there is one.
    fn data_type(&self, declared: &str, schema: &Schema) -> Result<String, UnknownType>;

    /// The name that the engine gives a constraint declared without one. `taken` are the table's other constraint names.
    fn default_constraint_name(&self, table: &Qualified, constraint: &Constraint, taken: &BTreeSet<Name>) -> Name;

    /// The name that mig gives an index declared without one.
    fn default_index_name(&self, index: &crate::schema::Index, taken: &BTreeSet<Name>) -> Name;

    /// Where an index of a table lives: beside the table, or under it where each table has its own names of indexes.
    fn index_at(&self, table: &Qualified, name: &Name) -> Qualified {
        table.sibling(name.clone())
    }

    /// Completes a declared schema with what the engine implies (a primary key's columns are NOT NULL ...), and puts
    /// declared settings into the engine's form. Texts stay as they were said.
    ///
    /// # Errors
    /// What this engine cannot have, each at its place.
    fn normalize(&self, declared: Schema) -> Result<Schema, Vec<Complaint>>;

    /// Objects that every database has and that are neither made nor dropped, as they are from the beginning. A pull and specs may leave
    /// them out where they are so.
    fn standing(&self) -> Vec<(Address, Object)> {
        Vec::new()
    }

    /// The inverse of [`Dialect::normalize`] for a catalog's schema: drops what normalizing brings back, so that what is written
    /// into specs is what a person would have written. `normalize(simplify(x)) == x`.
    fn simplify(&self, live: &Schema) -> Schema {
        live.clone()
    }

    /// Whether a declared text means what a catalog text means. `object` is the live object that has the text.
    fn same_text(&self, object: &Object, declared: &Sql, catalog: &Sql) -> Sameness;

    /// Takes over from a live schema how it spells what the declared one says in another way: differences that change nothing.
    fn respell(&self, declared: &mut Schema, live: &Schema) {
        let _ = (declared, live);
    }

    /// Whether a foreign key may leave open which columns it means, and name a table that is not there.
    fn has_loose_foreign_keys(&self) -> bool {
        false
    }

    /// What an object's definition needs to exist, among the objects, columns and constraints of `schema`.
    fn references(&self, at: &Address, object: &Object, schema: &Schema) -> BTreeSet<Address>;

    /// The address that two things share if they cannot be there at the same time: routines that differ only in what their arguments
    /// are called, for example.
    fn slot(&self, at: &Address) -> Address {
        at.clone()
    }

    /// Whether a call may mean either of two routines, so that one goes before the other comes.
    fn ambiguous(&self, a: (&Address, &Object), b: (&Address, &Object)) -> bool {
        let _ = (a, b);
        false
    }

    /// The column names that an expression may mention, as written.
    fn mentions(&self, expression: &Sql) -> BTreeSet<Name>;

    /// A text as a string in SQL.
    fn text(&self, text: &str) -> String;

    /// A value as the engine writes it out: an expression that compares letter by letter.
    fn as_text(&self, value: &str) -> String;

    /// A name with what it is in, as SQL.
    fn path(&self, at: &Qualified) -> String {
        at.path().iter().map(|name| self.quote(name)).collect::<Vec<_>>().join(".")
    }

    /// The expression of a column's value as text: a literal of the engine's SQL that means exactly that value, `NULL` for none.
    fn as_literal(&self, column: &Column) -> String;

    /// A condition that a value, which is SQL of any type, is surely too large or too long for a type; `None` where nothing is.
    fn overflows(&self, value: &str, data_type: &str) -> Option<String> {
        let _ = (value, data_type);
        None
    }

    /// What becomes of a value, which is SQL, when its column gets another form, and how it is compared then; `None` where that cannot be
    /// said, or where the engine might refuse the value.
    fn converted(&self, value: &str, from: &Column, to: &Column) -> Option<String> {
        let _ = (value, from, to);
        None
    }

    /// The value that rows get by the default of a column that is added, as SQL of the column's type; `None` where that cannot be said.
    fn as_given(&self, column: &Column, default: &Sql) -> Option<String> {
        let _ = (column, default);
        None
    }

    /// A query over tables of the moment as one over what they are made of; `live` is the schema that has that. `None` where the engine
    /// has no words for it.
    fn over_past(&self, sql: &str, past: &[Past], live: &Schema) -> Option<String> {
        let _ = (sql, past, live);
        None
    }

    /// The query that gives every row of a table, each value as a literal.
    fn saved(&self, table: &Qualified, columns: &[Column]) -> Statement {
        let values: Vec<_> = columns.iter().map(|column| self.as_literal(column)).collect();
        Statement::new(format!("SELECT {}\nFROM {}", values.join(", "), self.path(table)))
    }

    /// The tables in which a change keeps rows for its undo until they are collected, as far as it keeps any: those that are there have them.
    fn kept(&self, change: &Kind) -> Vec<Qualified>;

    /// The query for the columns of a table that is none of the schema's, in order, without computed ones: name, type, and whether a value
    /// must be there (`1`, else `0`). No row where there is no such table.
    fn columns_of(&self, table: &Qualified) -> Statement;

    /// The statement that makes a table of some columns and nothing else.
    fn plain_table(&self, at: &Qualified, columns: &[Column]) -> Statement {
        let line = |column: &Column| {
            let required = if column.not_null { " NOT NULL" } else { "" };
            let line = format!("    {} {}{required}", self.quote(&column.name), column.data_type);
            line.trim_end().to_owned()
        };
        let columns: Vec<_> = columns.iter().map(line).collect();
        Statement::new(format!("CREATE TABLE {} (\n{}\n)", self.path(at), columns.join(",\n")))
    }

    /// The expression of an id made from a namespace and a name: version 3 (MD5) or 5 (SHA-1) of RFC 9562. `namespace` is 32 hex digits.
    /// `schema` tells which extensions are declared.
    ///
    /// # Errors
    /// A sentence that says what the engine lacks for it.
    fn uuid(&self, version: UuidVersion, namespace: &str, name: &Sql, schema: &Schema) -> Result<Sql, String>;

    /// What in an expression gives another value each time that it is asked, if anything is known to: `now`, `random`.
    fn unsteady(&self, expression: &Sql) -> Option<String>;

    /// Whether a default gives all rows one value that are there when its column is added; `false` if that cannot be told.
    fn is_one_value(&self, default: &Sql) -> bool {
        self.unsteady(default).is_none()
    }

    /// The expression that exchanges values for others: `value` is SQL, the pairs are values as the engine writes them out as text and
    /// what each becomes, `to` is the type of the result. Other values stay, as far as the type can hold them.
    fn mapped(&self, value: &str, pairs: &[(String, Literal)], to: &str) -> Sql;

    /// All groups of a plan as the engine would rather have them: what cannot change beside running clients as a whole may do so in its
    /// parts. `None` where there is nothing to arrange.
    fn beside(&self, context: &Context<'_>) -> Option<Vec<Group>> {
        let _ = context;
        None
    }

    /// What the body of a routine alone names, where the engine can make the routine before that.
    fn named_by_body(&self, at: &Address, routine: &Object, schema: &Schema) -> BTreeSet<Address> {
        self.references(at, routine, schema)
    }

    /// Whether declared rows can be tried and taken back, whatever triggers do meanwhile and whatever the tables are kept in.
    fn tries_rows(&self) -> bool {
        false
    }

    /// Whether backfills of several tables can go on at the same time, each in a session of its own.
    fn fills_beside(&self) -> bool {
        false
    }

    /// How the changes of one object are made: the safe way, step by step, in an order that must be kept.
    ///
    /// # Errors
    /// What this engine cannot do.
    fn recipe(&self, group: &Group, context: &Context<'_>) -> Result<Vec<Draft>, Complaint>;

    /// How declared renames are made, all together: in an order that must be kept.
    ///
    /// # Errors
    /// What this engine cannot do.
    fn renames(&self, changes: &[Kind], context: &Context<'_>) -> Result<Vec<Draft>, Vec<Complaint>> {
        let mut drafts = Vec::new();
        let mut complaints = Vec::new();
        for change in changes {
            let group = Group { at: change.address(), changes: vec![change.clone()], fill: None };
            match self.recipe(&group, context) {
                Ok(made) => drafts.extend(made),
                Err(complaint) => complaints.push(complaint),
            }
        }
        if complaints.is_empty() { Ok(drafts) } else { Err(complaints) }
    }

    /// Whether the text of a view or trigger of the base says a name that is another after the renames (`tables` and `columns`, as in
    /// [`Context`]), where the engine neither writes the new name into it nor makes it anew while the old one is not there.
    fn outdated(
        &self,
        at: &Address,
        object: &Object,
        base: &Schema,
        tables: &BTreeMap<Qualified, Qualified>,
        columns: &BTreeMap<Address, Name>,
    ) -> bool {
        let _ = (at, object, base, tables, columns);
        false
    }

    /// Whether the engine refuses a rename while a view or trigger stands that could not be read after it, whether or not its text stays.
    fn renames_read_views(&self) -> bool {
        false
    }

    /// Whether the engine can give an object of a kind that is declared by its SQL another name, so that specs may say what it was called.
    fn renames_kind(&self, kind: ObjectKind) -> bool {
        let _ = kind;
        false
    }

    /// What a change disturbs: the engine refuses it while other objects are built on these addresses, so those are dropped
    /// before it and created again after it.
    fn disturbs(&self, change: &Kind) -> BTreeSet<Address> {
        let _ = change;
        BTreeSet::new()
    }

    /// Whether an index of another definition is built beside the one that it replaces, by the engine's own recipe of a
    /// [`Replace`](crate::kind::Replace). Where it is not, the old one goes before the new one comes.
    fn replaces_beside(&self, at: &Address, from: &Object, to: &Object, schema: &Schema) -> bool {
        let _ = (at, from, to, schema);
        false
    }

    /// Whether a change of a column drops it and adds it again, so that all that names it goes and comes too.
    fn remakes(&self, change: &Kind) -> bool {
        let _ = change;
        false
    }

    /// Whether the engine refuses a change of a column while other columns of its table are computed from it.
    fn stops_computing(&self, change: &Kind) -> bool {
        let _ = change;
        false
    }

    /// Whether a foreign key can stand between columns of two types.
    fn compares(&self, a: &str, b: &str) -> bool {
        let _ = (a, b);
        true
    }

    /// Whether the names of constraints declared without one are made from their content each time they are read, so that they
    /// change with a rename of their table or columns.
    fn derives_constraint_names(&self) -> bool {
        false
    }

    /// Whether a constraint is a part of a column and bears its name, whatever that becomes.
    fn bears_column_name(&self, constraint: &Constraint) -> bool {
        let _ = constraint;
        false
    }

    /// Whether the columns of a view keep their names when a column that they show is renamed.
    fn keeps_view_columns(&self) -> bool {
        false
    }

    /// The statements that try one statement of a probe as if it were committed, but without committing: the statement, and what
    /// makes the engine check at once what it would check at the end.
    fn trial(&self, statement: &Sql) -> Vec<Statement> {
        vec![Statement::new(statement.as_str())]
    }

    /// The tables whose columns a table has without listing them, nearest first.
    fn parents(&self, table: &Table) -> Vec<Qualified> {
        let _ = table;
        Vec::new()
    }

    /// The names that the engine gives to what tables under the one of an index or key have of it.
    fn shares(&self, at: &Address, schema: &Schema) -> Vec<Qualified> {
        let _ = (at, schema);
        Vec::new()
    }

    /// Lets a table name a parent by its new name.
    fn rename_parent(&self, table: &mut Table, from: &Qualified, to: &Qualified) {
        let _ = (table, from, to);
    }

    /// A table that has parents as it would stand without them, with the indexes that it has from them; `None` for any other.
    fn standing_alone(&self, at: &Qualified, schema: &Schema) -> Option<BTreeMap<Address, Arc<Object>>> {
        let _ = (at, schema);
        None
    }

    /// Whether the rows of a table are divided among other tables, or by another rule than before, so that they have to move.
    fn divides(&self, from: &Table, to: &Table) -> bool {
        let _ = (from, to);
        false
    }

    /// The columns by whose values the rows of a table are divided among other tables.
    fn divided_by(&self, table: &Table) -> BTreeSet<Name> {
        let _ = table;
        BTreeSet::new()
    }

    /// The setting of a table that says which of its parent's rows it holds; `None` where the engine has no such tables.
    fn share_setting(&self) -> Option<&'static str> {
        None
    }

    /// Whether a row of a parent may belong to two such shares, as their settings say them.
    fn shares_meet(&self, a: &str, b: &str) -> bool {
        let _ = (a, b);
        false
    }

    /// Whether a table with these settings keeps its rows through a crash. One that does has no foreign key to one that does not.
    fn lasts(&self, settings: &BTreeMap<String, String>) -> bool {
        let _ = settings;
        true
    }

    /// Whether two values of a table's or a view's setting mean the same; `catalog` is the catalog's spelling.
    fn same_setting(&self, name: &str, declared: &str, catalog: &str) -> bool {
        let _ = name;
        declared == catalog
    }

    /// The SQL of a change. `before` and `after` are the schema around it.
    ///
    /// # Errors
    /// What this engine cannot do.
    fn render(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<Rendered, Complaint>;

    /// The SQL that takes a rendered change back; `before` and `after` are the schema around the change itself.
    ///
    /// # Errors
    /// What this engine cannot do.
    fn render_undo(&self, change: &Kind, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint>;
}

/// How an id is made from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum UuidVersion {
    /// By MD5.
    Three,
    /// By SHA-1.
    Five,
}

/// A type that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownType {
    /// A known type that is spelt alike.
    pub near: Option<String>,
}

/// Something that an engine cannot have or do, at a place in the specs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub at: Address,
    /// What is wrong, in a sentence.
    pub says: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Whether two spellings mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// Yes.
    Same,
    /// No.
    Different,
    /// The normal form does not reach that far.
    Unknown,
}

/// All changes of one object (a table with its columns and constraints; anything else alone) that the diff found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which object, by its address in the goal; for something dropped, its address in the base.
    pub at: Address,
    /// The plain changes, in the order: renames, drops, alters, adds. Renames are given apart, in [`Context::renames`].
    pub changes: Vec<Kind>,
    /// How existing rows get their values: expression by goal column.
    pub fill: Option<Fill>,
}

/// A transform of one table: how existing rows get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Expression by goal column.
    pub set: BTreeMap<Name, Sql>,
    /// What columns that go are made from until then, for clients of the old schema: expression by base column, over the goal's columns.
    pub back: BTreeMap<Name, Sql>,
    /// Which rows get their values.
    pub rows: Selection,
    /// Rows of the first batch, where the spec says.
    pub batch_rows: Option<u32>,
}

/// What a recipe may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The database as it is.
    pub snapshot: &'a Snapshot,
    /// The base with all declared renames done: the names that `Group::changes` use.
    pub renamed: &'a Schema,
    /// The schema as it shall be.
    pub goal: &'a Schema,
    /// Declared renames of tables: goal name to base name.
    pub tables: &'a BTreeMap<Qualified, Qualified>,
    /// Declared renames of columns: goal address to base name.
    pub columns: &'a BTreeMap<Address, Name>,
    /// All groups of the plan.
    pub groups: &'a [Group],
    /// Those of them that change the type of a column.
    pub retyping: &'a [&'a Group],
}

/// A step in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The change.
    pub change: Kind,
    /// The earliest phase that it may be in; ordering may move it later.
    pub phase: Phase,
    /// What it is for, in a sentence.
    pub why: String,
    /// Hazards that the recipe knows and the rendering cannot see.
    pub hazards: Vec<Hazard>,
    /// Drafts of one recipe that share a mark run in one transaction.
    pub atomic: Option<String>,
}

impl Draft {
    /// A draft without own hazards.
    pub fn new(change: impl Into<Kind>, phase: Phase, why: impl Into<String>) -> Self {
        Self { change: change.into(), phase, why: why.into(), hazards: Vec::new(), atomic: None }
    }

    /// The draft of a change that brings rows into a table or says that none are missing, which every engine does in one step of its own;
    /// none for any other change.
    #[must_use]
    pub fn of_rows(change: &Kind) -> Option<Self> {
        let (phase, why) = match change {
            Kind::Mark(k) => (Phase::Expand, format!("remembers that {} needs no {}", k.table, k.once)),
            Kind::Rows(k) => (Phase::Backfill, format!("keeps the declared rows of {}", k.table)),
            // Clients that know of the rows may use them up to then.
            Kind::Withdraw(k) if k.rows.is_empty() => (Phase::Expand, k.why()),
            Kind::Withdraw(k) => (if k.first { Phase::Backfill } else { Phase::Contract }, k.why()),
            Kind::Populate(k) => (if k.last { Phase::Switch } else { Phase::Backfill }, k.why()),
            Kind::Filling(k) => (Phase::Expand, format!("notes that {} is being filled", k.table)),
            Kind::Revise(k) => (Phase::Switch, k.why()),
            _ => return None,
        };
        let draft = Self::new(change.clone(), phase, why);
        // What tables are made from is looked at for all of them at one moment.
        let last = matches!(change, Kind::Revise(_)) || matches!(change, Kind::Populate(k) if k.last);
        let swapped = matches!(change, Kind::Withdraw(k) if k.first) || matches!(change, Kind::Rows(k) if k.takes_over);
        Some(match (last, swapped) {
            (true, _) => draft.together("last look"),
            (_, true) => draft.together("declared rows"),
            _ => draft,
        })
    }

    /// The same with one more hazard.
    #[must_use]
    pub fn with(mut self, hazard: Hazard) -> Self {
        self.hazards.push(hazard);
        self
    }

    /// The same, in one transaction with the recipe's other drafts of that mark.
    #[must_use]
    pub fn together(mut self, mark: &str) -> Self {
        self.atomic = Some(mark.to_owned());
        self
    }
}

/// A change as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What is run.
    pub action: Action,
    /// How to ask whether it is done.
    pub probe: Probe,
    /// What it locks, and whom that stops, in words.
    pub lock: String,
    /// What could go wrong.
    pub hazards: Vec<Hazard>,
    /// Questions about the data to ask before the first write.
    pub checks: Vec<DraftCheck>,
    /// Statements that really drop what it keeps for its undo.
    pub gc: Vec<Statement>,
}

/// A check in the making; see [`Check`](crate::Check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftCheck {
    /// About what.
    pub at: Address,
    /// What must hold, in a sentence.
    pub says: String,
    /// What a person can do if it does not hold.
    pub help: Vec<String>,
    /// Counts what is wrong.
    pub count: CheckSql,
    /// Shows a few of the wrong rows by key.
    pub sample: Option<CheckSql>,
    /// Whether a count above `0` stops the run.
    pub stops: bool,
}

/// A table that was something else before: under another name, with other columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What it is called now.
    pub table: Qualified,
    /// What it was called.
    pub base: Qualified,
    /// Its columns, each with the expression that gave it in the base.
    pub columns: Vec<(Name, String)>,
}

impl Past {
    /// The columns as a list, each under its present name.
    #[must_use]
    pub fn columns(&self, quote: impl Fn(&Name) -> String) -> String {
        let all = self.columns.iter().map(|(name, value)| format!("{value} AS {}", quote(name)));
        all.collect::<Vec<_>>().join(", ")
    }
}

/// An undo as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedUndo {
    /// In words.
    pub says: String,
    /// What is run.
    pub action: Action,
    /// What cannot be brought back, if anything.
    pub hazards: Vec<Hazard>,
}
