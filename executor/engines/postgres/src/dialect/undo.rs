//! How changes are taken back.

use mig_plan::{
    Action, Address, Body, Column, ColumnValue, Complaint, Kind, Object, ObjectKind, RenderedUndo, Rule, Schema,
    kind::{AddColumn, AddConstraint, AlterColumn, DropColumn, DropConstraint, ValidateConstraint},
    schema::{Index, IndexedBy},
};

use super::{
    casts::{self, Fit},
    grants, inherit, keep,
    names::{qualified, quote},
    render::{self, WORK, column, index, object, render, transaction},
};

/// The SQL that takes a change back; `before` and `after` are the schema around the change.
pub(crate) fn undo(change: &Kind, before: &Schema, after: &Schema, version: u32) -> Result<RenderedUndo, Complaint> {
    match change {
        Kind::Drop(k) => match (&k.object.body, object::kept_word(k.at.kind())) {
            (_, Some(word)) => Ok(moved_back(change, k, word, before)),
            (Body::Index(of), None)
                if index::can_beside(&k.at, &k.object, of, before)
                    && index::after_create(&k.at, &k.object, of, before).is_empty() =>
            {
                Ok(done(format!("builds {} again", k.at), index::built_beside(&k.at, &k.object, of)))
            }
            _ => reversed(change, (before, after), version, format!("creates {} again", k.at)),
        },
        Kind::DropColumn(_) | Kind::AddColumn(_) | Kind::AlterColumn(_) if is_difference(change, before, after) => {
            reversed(change, (before, after), version, "takes the difference to the parent's column back".to_owned())
        }
        Kind::DropColumn(k) if render::heirs::stays(k, before) => {
            Ok(done("nothing: a parent has the column".to_owned(), Action::Nothing {}))
        }
        Kind::DropColumn(k) => column_back(change, k, (before, after), version),
        Kind::AlterColumn(k) if is_computed(&k.from) && !is_computed(&k.to) => computed_back(k, before, after),
        Kind::AlterColumn(k) if k.from.data_type != k.to.data_type || k.using.is_some() => {
            type_back(change, k, before, after)
        }
        Kind::Backfill(k) => {
            let sql = render::backfill::undo_sql(k, before)?;
            let says = if sql.is_empty() {
                "nothing: the columns leave with the step that added them"
            } else {
                "brings back the old values of rows that nobody has changed since"
            };
            Ok(done(says.to_owned(), transaction(sql, WORK)))
        }
        Kind::Rows(k) => Ok(done(render::rows::UNDO.to_owned(), transaction(render::rows::undo_sql(k, before), WORK))),
        Kind::Withdraw(k) => {
            Ok(done(render::withdraw::UNDO.to_owned(), transaction(render::withdraw::undo_sql(k, before), WORK)))
        }
        Kind::Mark(_) => Ok(done("nothing: the table leaves".to_owned(), Action::Nothing {})),
        Kind::Filling(k) => {
            Ok(done("forgets that it was filled".to_owned(), transaction(render::revise::forget(k), WORK)))
        }
        Kind::Populate(_) | Kind::Revise(_) => {
            Ok(done("nothing: the rows leave with their table".to_owned(), transaction(vec![], WORK)))
        }
        Kind::AddColumn(k) => {
            let mut sql = render::heirs::drop_column(&k.table, &k.column.name, before);
            sql.extend(left_behind(change, before, after));
            Ok(done(format!("drops {}", change.address()), transaction(sql, render::META)))
        }
        Kind::BuildKey(k) => {
            Ok(done(format!("drops {}, unless its key has taken it along", k.at), render::key::unbuild(k)))
        }
        Kind::Keep(k) => Ok(done("removes the copy and its trigger".to_owned(), render::leave::unkeep(k))),
        Kind::Tie(k) => {
            Ok(done("removes the trigger; both keep what clients wrote".to_owned(), render::tie::undo(&k.tied)))
        }
        Kind::KeepRows(_) => {
            Ok(done("nothing: the copy leaves with the step that made its place".to_owned(), Action::Nothing {}))
        }
        Kind::Leave(k) if k.refills => Ok(done(
            format!("adds {} again, empty at first; what is kept comes back in batches", change.address()),
            render::leave::rejoin_empty(k, before)?,
        )),
        Kind::Leave(k) => Ok(done(
            format!("adds {} again with the values that were kept; rows that came later have none", change.address()),
            render::leave::rejoin(k, before)?,
        )),
        Kind::Sync(k) => {
            Ok(done("removes the trigger and the hidden columns".to_owned(), render::twins::unbound(k, version)))
        }
        Kind::Exchange(k) => Ok(done(
            "exchanges the names back; what clients wrote since stays".to_owned(),
            render::twins::unexchange(k),
        )),
        Kind::Unsync(k) => Ok(done(
            "adds the old columns again, empty at first, and the trigger that keeps them equal".to_owned(),
            render::twins::bound(k),
        )),
        Kind::OnReturn(k) => render::returns::on_return(k, before),
        Kind::Release(k) => render::returns::released(k),
        Kind::Serve(k) => {
            let says = "hides the old names again; what clients wrote under either stays".to_owned();
            Ok(done(says, render::serve::serve(&mig_plan::kind::Serve { hides: !k.hides, ..k.clone() }).action))
        }
        Kind::Settle(k) => render::settle::undo(k, before),
        Kind::AdoptType(k) => {
            let says = format!("makes the old {} again, and lets the new one wait", k.at.name());
            Ok(done(says, transaction(render::anew::unadopt(k, before)?, render::META)))
        }
        Kind::AdoptKey(k) => {
            let drop = mig_plan::kind::DropConstraint {
                table: k.table.clone(),
                name: k.name.clone(),
                constraint: k.constraint.clone(),
            };
            Ok(done(
                format!("drops {} with its index", change.address()),
                render::constraint::drop(&drop, after)?.action,
            ))
        }
        Kind::Create(k) => {
            if let Body::Index(of) = &k.object.body
                && index::can_beside(&k.at, &k.object, of, after)
            {
                return Ok(done(format!("drops {}", k.at), index::dropped_beside(&k.at, &k.object)));
            }
            let mut sql = Vec::new();
            if let Body::Table(table) = &k.object.body
                && let Some(parent) = table.options.get("partition_of")
            {
                let name = qualified(&k.at.qualified());
                sql.push(format!("ALTER TABLE {} DETACH PARTITION {name}", render::table::path(parent)));
            }
            match &k.object.body {
                Body::Index(of) => sql.extend(index::dropped(&k.at, of, after)?),
                Body::DefaultPrivileges {} => sql.extend(grants::sql(&k.at, &k.object.grants, &Default::default())),
                _ => sql.push(object::plain_drop(&k.at, &k.object)?),
            }
            if let (Body::Sequence(_), Some((now, other))) =
                (&k.object.body, render::sequence::namesake(&k.at.qualified(), before))
            {
                sql.push(render::sequence::give_way(&other, &now));
            }
            Ok(done(format!("drops {}", k.at), transaction(sql, render::META)))
        }
        Kind::Replace(k) => match (&k.from.body, &k.to.body) {
            (Body::Enum { values: from }, Body::Enum { values: to })
                if render::enums::added(from, to).is_some_and(|added| !added.is_empty()) =>
            {
                form_back(k, (before, after), version)
            }
            (Body::Source(from), Body::Source(to))
                if k.at.kind() == ObjectKind::Type
                    && render::composite::in_place(from, to).is_some()
                    && render::composite::in_place(to, from).is_none() =>
            {
                form_back(k, (before, after), version)
            }
            _ => reversed(change, (before, after), version, change.taken_back()),
        },
        Kind::AddConstraint(_) => {
            let mut undo = reversed(change, (before, after), version, change.taken_back())?;
            if let Action::Transaction(transaction) = &mut undo.action {
                transaction.sql.extend(left_behind(change, before, after).into_iter().map(mig_plan::Statement::new));
            }
            Ok(undo)
        }
        Kind::ValidateConstraint(k) if k.stood => Ok(unproved(k, before)),
        Kind::ValidateConstraint(_) => {
            Ok(done("nothing: the constraint leaves with the step that added it".to_owned(), Action::Nothing {}))
        }
        _ => reversed(change, (before, after), version, change.taken_back()),
    }
}

/// The statements for tables under one that loses a column or a check again: one that has been kept meanwhile, and come back, has it as
/// its own (manual, ALTER TABLE NO INHERIT), and would go on having it.
fn left_behind(change: &Kind, before: &Schema, after: &Schema) -> Vec<String> {
    let (table, name) = match change {
        Kind::AddColumn(k) => (&k.table, &k.column.name),
        Kind::AddConstraint(k) if matches!(k.constraint.rule, Rule::Check { .. }) => (&k.table, &k.name),
        _ => return Vec::new(),
    };
    let is_column = matches!(change, Kind::AddColumn(_));
    let has =
        |of: &mig_plan::Table| if is_column { of.column(name).is_some() } else { of.constraints.contains_key(name) };
    let passing = |at: &mig_plan::Qualified| {
        let own = after.table(at).filter(|own| !inherit::is_partition(own) && !has(own));
        own.is_some() && !inherit::whole(before, at).is_some_and(|whole| has(&whole))
    };
    let word = if is_column { "COLUMN" } else { "CONSTRAINT" };
    let heirs = inherit::descendants(after, table).into_iter().filter(passing);
    heirs.map(|at| format!("ALTER TABLE {} DROP {word} IF EXISTS {}", qualified(&at), quote(name))).collect()
}

/// A constraint that is no longer known to hold for rows older than it.
fn unproved(k: &ValidateConstraint, before: &Schema) -> RenderedUndo {
    let was = before.constraint(&Kind::from(k.clone()).address());
    let sql = was.into_iter().flat_map(|constraint| {
        let (table, name, constraint) = (k.table.clone(), k.name.clone(), constraint.clone());
        let drop = DropConstraint { table: table.clone(), name: name.clone(), constraint: constraint.clone() };
        let add = AddConstraint { table, name, constraint };
        [render::constraint::drop_sql(&drop)].into_iter().chain(render::constraint::add_sql(&add))
    });
    let mut action = transaction(sql.collect(), render::META);
    render::locked(&mut action, &qualified(&k.table));
    done("makes it again what is not known to hold for older rows".to_owned(), action)
}

/// A type without what it has got where it was, an enum's value or a type's attribute: made anew, with what stands on it out of the way.
fn form_back(
    k: &mig_plan::kind::Replace,
    (before, after): (&Schema, &Schema),
    version: u32,
) -> Result<RenderedUndo, Complaint> {
    let change = Kind::from(k.clone());
    let mut undo = reversed(&change, (before, after), version, change.taken_back())?;
    if let Action::Transaction(transaction) = &mut undo.action {
        let middle: Vec<_> = transaction.sql.iter().map(mig_plan::Statement::sql).collect();
        let alone = middle.len();
        let around = render::around::without_dependants(&k.at, after, middle)?;
        if around.len() > alone {
            transaction.sql = around.into_iter().map(mig_plan::Statement::new).collect();
            transaction.sql.insert(0, mig_plan::Statement::new("SET LOCAL check_function_bodies = off"));
        }
    }
    Ok(undo)
}

/// Whether a change gives a routine its body.
fn says_a_body(change: &Kind) -> bool {
    let at = match change {
        Kind::Create(k) => &k.at,
        Kind::Replace(k) => &k.at,
        _ => return false,
    };
    matches!(at.kind(), ObjectKind::Function | ObjectKind::Procedure)
}

fn is_computed(column: &Column) -> bool {
    matches!(column.value, ColumnValue::Generated { .. })
}

/// A column that is computed again: the server makes it only anew, with what is over it in its table.
fn computed_back(k: &AlterColumn, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
    let again = render::computed::again(&k.table, &k.from, before)?;
    let alone = again.len();
    let over = [Address::column(&k.table, &k.from.name)].into();
    let mut sql = render::around::without(over, after, again)?;
    if sql.len() > alone {
        sql.insert(0, "SET LOCAL check_function_bodies = off".to_owned());
    }
    let mut action = transaction(sql, WORK);
    render::locked(&mut action, &qualified(&k.table));
    Ok(done("makes the column anew, computed by the server; every row is written anew".to_owned(), action))
}

/// Whether a change is about what a table says of a parent's column.
fn is_difference(change: &Kind, before: &Schema, after: &Schema) -> bool {
    let at = change.address();
    let says = [before, after].iter().any(|schema| schema.column(&at).is_some_and(|c| c.data_type.is_empty()));
    let is_above = |k: &AddColumn| inherit::above(before, &k.table, &k.column.name).is_some();
    says || matches!(change, Kind::AddColumn(k) if is_above(k))
}

fn done(says: String, action: Action) -> RenderedUndo {
    RenderedUndo { says, action, hazards: vec![] }
}

/// The undo that is the reverse change.
fn reversed(
    change: &Kind,
    (before, after): (&Schema, &Schema),
    version: u32,
    says: String,
) -> Result<RenderedUndo, Complaint> {
    let Some(reverse) = change.reverse(before) else {
        return Ok(done("nothing".to_owned(), Action::Nothing {}));
    };
    let rendered = render(&reverse, after, before, version)?;
    let mut action = rendered.action;
    if let (true, Action::Transaction(transaction)) = (says_a_body(&reverse), &mut action) {
        // The body may name what only comes back after it: it is the one that was there, so it needs no check.
        transaction.sql.insert(0, mig_plan::Statement::new("SET LOCAL check_function_bodies = off"));
    }
    if let (Kind::AddConstraint(_), Action::Transaction(transaction)) = (&reverse, &mut action) {
        transaction.limits = WORK;
    }
    Ok(RenderedUndo { says, action, hazards: vec![] })
}

/// Moves a kept table or type back to where it was.
fn moved_back(change: &Kind, k: &mig_plan::kind::Drop, word: &str, before: &Schema) -> RenderedUndo {
    let at = k.at.qualified();
    let place = keep::place(change);
    let name = qualified(&at);
    let there = place.sibling(at.name.clone());
    let mut sql = Vec::new();
    if let (Body::Sequence(_), Some((now, other))) = (&k.object.body, render::sequence::namesake(&at, before)) {
        sql.push(render::sequence::give_way(&now, &other));
    }
    // First to the schema, then to the name: the name may be long taken in the schema that keeps things.
    if let Some(schema) = &at.schema {
        sql.push(format!("ALTER {word} {} SET SCHEMA {}", qualified(&place), quote(schema)));
        let moved = at.sibling(place.name.clone());
        sql.push(format!("ALTER {word} {} RENAME TO {}", qualified(&moved), quote(&there.name)));
    }
    if let Body::Table(table) = &k.object.body {
        let whole = inherit::whole(before, &at).unwrap_or_else(|| table.clone());
        for column in whole.columns.iter().filter(|c| object::needs_objects(c, before)) {
            if let mig_plan::ColumnValue::Default(value) = &column.value {
                sql.push(format!("ALTER TABLE {name} ALTER COLUMN {} SET DEFAULT {value}", quote(&column.name)));
            }
        }
        for parent in table.options.get("inherits").iter().flat_map(|p| p.split(',')) {
            sql.push(format!("ALTER TABLE {name} INHERIT {}", render::table::path(parent.trim())));
        }
        if let (Some(parent), Some(bound)) = (table.options.get("partition_of"), table.options.get("bound")) {
            let parent = inherit::path_of(parent).into_iter();
            sql.extend(parent.flat_map(|parent| render::regroup::attach(&at, &parent, bound, before)));
        }
    }
    done(format!("moves {} back with all it held", k.at), transaction(sql, render::META))
}

/// Adds a dropped column again and fills it from its kept copy.
fn column_back(
    change: &Kind,
    k: &DropColumn,
    (before, after): (&Schema, &Schema),
    version: u32,
) -> Result<RenderedUndo, Complaint> {
    if !column::is_kept(&k.column) {
        return reversed(change, (before, after), version, format!("adds {} again", change.address()));
    }
    let mut bare = k.column.clone();
    bare.not_null = false;
    bare.value = mig_plan::ColumnValue::Plain;
    let mut sql = column::add_sql(&mig_plan::kind::AddColumn { table: k.table.clone(), column: bare.clone() });
    sql.extend(column::restore(change, &k.table, &k.column, before)?);
    let full = AlterColumn { table: k.table.clone(), from: bare, to: k.column.clone(), using: None };
    // Rows that came later have no kept value; a required column takes its default for them.
    if let (true, mig_plan::ColumnValue::Default(value)) = (k.column.not_null, &k.column.value) {
        let name = quote(&k.column.name);
        sql.push(format!("UPDATE {} SET {name} = {value} WHERE {name} IS NULL", qualified(&k.table)));
    }
    sql.extend(column::alter_sql(&full, before)?);
    let mut action = transaction(sql, WORK);
    render::locked(&mut action, &qualified(&k.table));
    Ok(done(
        format!("adds {} again with the values that were kept; rows that came later have none", change.address()),
        action,
    ))
}

/// The indexes with an expression over a column: the server would go on with casts in it that the old type does not need.
fn computed_over<'s>(k: &AlterColumn, before: &'s Schema, after: &Schema) -> Vec<(&'s Address, &'s Object, &'s Index)> {
    let mentions = |index: &Index| {
        let texts = index.parts.iter().filter_map(|part| match &part.what {
            IndexedBy::Expression(text) => Some(text),
            IndexedBy::Column(_) => None,
        });
        texts.chain(&index.predicate).any(|text| text.mentions(&k.from.name))
    };
    let found = before.indexes_of(&k.table).filter_map(|(at, index)| Some((at, &**before.objects.get(at)?, index)));
    let stands = |(at, object, index): &(&Address, &Object, &Index)| {
        mentions(index)
            && index::can_beside(at, object, index, before)
            && after.objects.get(*at).is_some_and(|now| **now == **object)
    };
    found.filter(stands).collect()
}

/// Gives a column its old type, and from a kept copy its old values.
fn type_back(change: &Kind, k: &AlterColumn, before: &Schema, after: &Schema) -> Result<RenderedUndo, Complaint> {
    let back = AlterColumn { table: k.table.clone(), from: k.to.clone(), to: k.from.clone(), using: None };
    let lossy = matches!(casts::fit(k), Fit::Lossy);
    let over = computed_over(k, before, after);
    let mut sql: Vec<String> =
        over.iter().map(|(at, _, _)| format!("DROP INDEX {}", qualified(&at.qualified()))).collect();
    sql.extend(column::alter_sql(&back, before)?);
    sql.extend(column::differences(&back, before)?);
    if lossy {
        sql.extend(column::restore(change, &k.table, &k.from, before)?);
    }
    for (at, object, index) in over {
        sql.push(index::create_sql(at, index, ""));
        sql.extend(index::after_create(at, object, index, before));
    }
    let mut action = transaction(sql, WORK);
    render::locked(&mut action, &qualified(&k.table));
    let says = if lossy {
        "gives the column its old type and the values that were kept"
    } else {
        "gives the column its old type"
    };
    Ok(done(says.to_owned(), action))
}
