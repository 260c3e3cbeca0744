//! Triggers of the user on a table whose place another takes: one stands on either side of the exchange, and the one whose turn it is
//! acts. Which one that is, the exchange itself says: the old table has its later name only from then on.

use mig_plan::{Body, Name, Object, Qualified};

use super::{
    lex::{self, Tok},
    names::quote,
};

/// When a trigger acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// While no table stands aside.
    Alone,
    /// While the old table stands aside.
    Beside,
}

/// A trigger as the catalog gives it.
pub(crate) struct Trigger<'a> {
    text: &'a str,
    name: Tok<'a>,
    table: Tok<'a>,
    /// Its time and event.
    pub(crate) fires: (String, String),
    /// Whether it acts with the rights of somebody else than mig's user.
    pub(crate) has_definer: bool,
    body: &'a str,
}

impl<'a> Trigger<'a> {
    /// `CREATE ... TRIGGER name time event ON table FOR EACH ROW body`; nothing if the text is anything else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let tokens = lex::tokens(text);
        let place = tokens.iter().position(|t| t.is_word("trigger"))?;
        let [name, time, event, on, table, each @ ..] = tokens.get(place + 1..)? else { return None };
        let [first, second, row, ..] = each else { return None };
        let said = on.is_word("on") && first.is_word("for") && second.is_word("each") && row.is_word("row");
        said.then(|| Self {
            text,
            name: *name,
            table: *table,
            fires: (time.text.to_lowercase(), event.text.to_lowercase()),
            has_definer: tokens[..place].iter().any(|t| t.is_word("definer")),
            body: text[row.end()..].trim_start(),
        })
    }

    /// The trigger that an object is.
    pub(crate) fn of(object: &'a Object) -> Option<Self> {
        let Body::Source(source) = &object.body else { return None };
        Self::parse(source.create.first()?.as_str())
    }

    fn head(&self, name: &Name, on: &Qualified) -> String {
        let (before, between) = (&self.text[..self.name.at], &self.text[self.name.end()..self.table.at]);
        format!("{before}{}{between}{} FOR EACH ROW", quote(name), quote(&on.name))
    }

    /// As it is, of another table.
    pub(crate) fn on(&self, name: &Name, on: &Qualified) -> String {
        format!("{} {}", self.head(name, on), self.body)
    }

    /// So that it acts only when it is its turn.
    pub(crate) fn taking_turns(&self, name: &Name, on: &Qualified, aside: &Qualified, turn: Turn) -> String {
        let not = if turn == Turn::Alone { "NOT " } else { "" };
        format!(
            "{} {ASK} DO (SELECT 1 FROM {} LIMIT 0); END; IF {not}_mig_there THEN\n{}{CLOSE}",
            self.head(name, on),
            quote(&aside.name),
            self.body
        )
    }
}

const ASK: &str =
    "BEGIN DECLARE _mig_there BOOLEAN DEFAULT TRUE; BEGIN DECLARE EXIT HANDLER FOR 1146 SET _mig_there = FALSE;";
const CLOSE: &str = "\n; END IF; END";

/// Whether all that tells two forms of a trigger apart is that one of them acts only when it is its turn.
pub(crate) fn only(from: &Object, to: &Object) -> bool {
    let (Some(from), Some(to)) = (Trigger::of(from), Trigger::of(to)) else { return false };
    let is = |plain: &Trigger<'_>, turned: &Trigger<'_>| {
        let body = turned.body.strip_prefix(ASK).and_then(|rest| rest.strip_suffix(CLOSE));
        body.and_then(|rest| rest.split_once(" THEN\n")).is_some_and(|(_, body)| body == plain.body)
    };
    is(&from, &to) || is(&to, &from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_moved_without_a_change_of_what_it_does() {
        let text = "CREATE TRIGGER `on` BEFORE UPDATE ON `for` FOR EACH ROW set new.a = 'for each row' -- on t";
        let trigger = Trigger::parse(text).unwrap();
        let (name, on) = (Name::new("x").unwrap(), Qualified::new(None, Name::new("t").unwrap()));
        assert_eq!(trigger.fires, ("before".to_owned(), "update".to_owned()));
        assert!(!trigger.has_definer);
        let moved = trigger.on(&name, &on);
        assert_eq!(moved, "CREATE TRIGGER `x` BEFORE UPDATE ON `t` FOR EACH ROW set new.a = 'for each row' -- on t");
        let turns = trigger.taking_turns(&name, &on, &on, Turn::Alone);
        assert!(
            turns.ends_with("IF NOT _mig_there THEN\nset new.a = 'for each row' -- on t\n; END IF; END"),
            "{turns}"
        );
        assert!(
            Trigger::parse("CREATE DEFINER=`a`@`b` TRIGGER x AFTER INSERT ON t FOR EACH ROW do 1").unwrap().has_definer
        );
        assert!(Trigger::parse("CREATE VIEW x AS SELECT 1").is_none());
    }
}
