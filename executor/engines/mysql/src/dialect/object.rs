//! Views, sequences and code as statements.

use mig_plan::{
    Address, Body, Complaint, Object, ObjectKind,
    kind::Create,
    schema::{Sequence, View},
};

use super::{
    define, index,
    names::{self, quote},
    text,
};
use crate::flavor::Flavor;

/// What the engine cannot do, at an address.
pub(crate) fn cannot(at: &Address, says: impl Into<String>) -> Complaint {
    Complaint { at: at.clone(), says: says.into(), help: None }
}

/// The statement that makes an object.
pub(crate) fn create(flavor: &Flavor, k: &Create) -> Result<String, Complaint> {
    let (at, object) = (&k.at, &k.object);
    Ok(match &object.body {
        Body::Table(table) => define::create_table(flavor, at.name(), table, object, &k.with),
        Body::Index(of) => index::create(at, object, of),
        Body::View(view) => view_sql(at, view, ""),
        Body::Sequence(sequence) => format!("CREATE SEQUENCE {}{}", quote(at.name()), numbers(sequence)),
        Body::Source(source) => match source.create.as_slice() {
            [only] => only.as_str().to_owned(),
            _ => return Err(cannot(at, format!("{at} must be made by one statement"))),
        },
        _ => return Err(cannot(at, format!("mig cannot make {at} here"))),
    })
}

/// The statement that drops an object for good.
pub(crate) fn drop(at: &Address, object: &Object) -> Result<String, Complaint> {
    let name = quote(at.name());
    Ok(match (at.kind(), &object.body) {
        (_, Body::Table(_)) => format!("DROP TABLE {name}"),
        (_, Body::Index(of)) => index::drop(at, of),
        (ObjectKind::View, _) => format!("DROP VIEW {name}"),
        (ObjectKind::Sequence, _) => format!("DROP SEQUENCE {name}"),
        (ObjectKind::Trigger, _) => format!("DROP TRIGGER {name}"),
        (ObjectKind::Function, _) => format!("DROP FUNCTION {name}"),
        (ObjectKind::Procedure, _) => format!("DROP PROCEDURE {name}"),
        (ObjectKind::Event, _) => format!("DROP EVENT {name}"),
        _ => return Err(cannot(at, format!("mig cannot drop {at} here"))),
    })
}

/// The statement that exchanges an object, where there is one.
pub(crate) fn replace(flavor: &Flavor, at: &Address, from: &Object, to: &Object) -> Option<String> {
    match (&from.body, &to.body) {
        (Body::Index(_), Body::Index(of)) => Some(index::replace(at, to, of)),
        (Body::View(_), Body::View(view)) => Some(view_sql(at, view, "OR REPLACE ")),
        (Body::Source(_), Body::Source(source)) if flavor.replaces_code() => {
            Some(text::after_create(source.create.first()?.as_str(), "OR REPLACE"))
        }
        (Body::Sequence(_), Body::Sequence(sequence)) => {
            let all = Sequence { options: written_out(sequence), ..sequence.clone() };
            let cycle = if all.options.cycle { "" } else { " NOCYCLE" };
            Some(format!("ALTER SEQUENCE {}{}{cycle}", quote(at.name()), numbers(&all)))
        }
        _ => None,
    }
}

/// Every number of a sequence, defaults too: ALTER leaves alone what it does not name.
fn written_out(sequence: &Sequence) -> mig_plan::schema::SequenceOptions {
    let mut all = sequence.options.clone();
    let up = all.increment.unwrap_or(1) >= 0;
    all.increment.get_or_insert(1);
    all.min.get_or_insert(if up { 1 } else { i64::MIN + 1 });
    all.max.get_or_insert(if up { i64::MAX - 1 } else { -1 });
    let start = if up { all.min } else { all.max };
    all.start = all.start.or(start);
    all.cache.get_or_insert(1000);
    all
}

fn numbers(sequence: &Sequence) -> String {
    let options = &sequence.options;
    let mut out = String::new();
    for (word, value) in [
        ("START WITH", options.start),
        ("MINVALUE", options.min),
        ("MAXVALUE", options.max),
        ("INCREMENT BY", options.increment),
        ("CACHE", options.cache),
    ] {
        if let Some(value) = value {
            out.push_str(&format!(" {word} {value}"));
        }
    }
    if options.cycle {
        out.push_str(" CYCLE");
    }
    out
}

fn view_sql(at: &Address, view: &View, replace: &str) -> String {
    let option = |key: &str| view.options.get(key).map(|v| v.to_ascii_uppercase());
    let algorithm = option("algorithm").map(|a| format!("ALGORITHM={a} ")).unwrap_or_default();
    let definer = view.options.get("definer").map(|d| format!("DEFINER={} ", definer(d))).unwrap_or_default();
    let security = option("security").unwrap_or_else(|| "DEFINER".to_owned());
    let columns = if view.columns.is_empty() { String::new() } else { format!(" ({})", names::list(&view.columns)) };
    let check = option("check_option").map(|c| format!("\nWITH {c} CHECK OPTION")).unwrap_or_default();
    format!(
        "CREATE {replace}{algorithm}{definer}SQL SECURITY {security} VIEW {}{columns} AS\n{}{check}",
        quote(at.name()),
        view.query
    )
}

/// `user@host` as SQL writes it.
fn definer(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", names::quote_text(user), names::quote_text(host)),
        None => names::quote_text(text),
    }
}
