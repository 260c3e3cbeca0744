//! What one batch of a backfill does.

use mig_plan::Statement;

use super::{Mode, Writer, values::type_of};
use crate::dialect::{
    keep,
    names::{self, qualified, quote, quote_text},
};

impl Writer<'_> {
    /// The table of the old values.
    pub(super) fn prepare(&self) -> Vec<Statement> {
        let kept = qualified(&self.kept);
        let keys = self.cursor.parts.iter().enumerate().map(|(i, (name, _))| format!("{name} AS _mig_k{i}"));
        let values = self.change.set.keys().enumerate();
        let values = values.flat_map(|(i, c)| {
            let value = keep::kept_value(&quote(c), &type_of(&self.table, c));
            [format!("{value} AS _mig_old{i}"), format!("{value} AS _mig_new{i}")]
        });
        let columns = keys.chain(values).collect::<Vec<_>>().join(", ");
        let key: Vec<_> = (0..self.cursor.parts.len()).map(|i| format!("_mig_k{i}")).collect();
        let index = quote_text(&format!("{}_k", names::cut(self.kept.name.as_str(), 60)));
        vec![
            Statement::new(keep::schema()),
            Statement::new(format!(
                "CREATE TABLE IF NOT EXISTS {kept} AS SELECT {columns} FROM {} WITH NO DATA",
                qualified(&self.change.table)
            )),
            Statement::new(format!("CREATE UNIQUE INDEX IF NOT EXISTS {index} ON {kept} ({})", key.join(", "))),
        ]
    }

    /// The statements of a batch: the first one, or one after another.
    pub(super) fn work(&self, next: bool) -> Vec<Statement> {
        let range = self.range(next);
        let table = qualified(&self.change.table);
        let computed = self.computed(Some(&range));
        let columns = || self.change.set.keys().enumerate();
        // On both sides of a join: the server does not see that they are the same rows, and would read all of one side.
        let same_range = self.cursor.range_of("_mig_t.", next);
        if self.is_direct() {
            let (alias, values) = (quote(&self.change.alias), self.values_set());
            return vec![Statement::new(format!(
                "UPDATE {table} AS {alias}\nSET {}\nWHERE {}\n  AND {}",
                self.assigned(&alias, &values),
                self.cursor.range_of(&format!("{alias}."), next),
                self.lacks(&alias, &values)
            ))];
        }
        if !self.change.overwrites {
            let values: Vec<_> = columns().map(|(i, _)| format!("_mig_v._mig_c{i}")).collect();
            return vec![Statement::new(format!(
                "UPDATE {table} AS _mig_t\nSET {}\nFROM (\n    {computed}\n) AS _mig_v\nWHERE {}\n  AND {same_range}\n  AND {}",
                self.assigned("_mig_t", &values),
                self.by_key("_mig_t", "_mig_v"),
                self.undone("_mig_t", "_mig_v")
            ))];
        }
        let kept = qualified(&self.kept);
        let keys: Vec<_> = (0..self.cursor.parts.len()).map(|i| format!("_mig_k{i}")).collect();
        let targets = columns().flat_map(|(i, _)| [format!("_mig_old{i}"), format!("_mig_new{i}")]);
        let targets: Vec<_> = keys.iter().cloned().chain(targets).collect();
        let values = columns().flat_map(|(i, c)| [format!("_mig_t.{}", quote(c)), format!("_mig_v._mig_c{i}")]);
        let values: Vec<_> = keys.iter().map(|k| format!("_mig_v.{k}")).chain(values).collect();
        // A row whose old values are kept already is never computed again, whatever becomes of it.
        let kept = format!(
            "    INSERT INTO {kept} ({})\n    SELECT {}\n    FROM {table} AS _mig_t JOIN (\n    {computed}\n    ) AS _mig_v ON {}\n    WHERE {same_range}{}\n    ON CONFLICT DO NOTHING\n    RETURNING *",
            targets.join(", "),
            values.join(", "),
            self.by_key("_mig_t", "_mig_v"),
            if self.mode == Mode::Compare {
                format!("\n      AND {}", self.undone("_mig_t", "_mig_v"))
            } else {
                String::new()
            }
        );
        let set: Vec<_> = columns()
            .map(|(i, c)| {
                format!("{} = {}", quote(c), keep::restored(&format!("_mig_v._mig_new{i}"), &type_of(&self.table, c)))
            })
            .collect();
        let update = format!(
            "WITH _mig_v AS (\n{kept}\n)\nUPDATE {table} AS _mig_t\nSET {}\nFROM _mig_v\nWHERE {}\n  AND {same_range}",
            set.join(", "),
            self.by_key("_mig_t", "_mig_v"),
        );
        // What a client writes between the look at a row and its change would be lost, or kept as if it were done. In the order of the
        // key, so that clients which write in it never wait in a circle.
        let lock = format!(
            "SELECT count(*) FROM (\n    SELECT FROM {table} AS _mig_t WHERE {same_range} ORDER BY {} FOR NO KEY UPDATE\n) AS locked",
            self.cursor.names()
        );
        vec![Statement::new(lock), Statement::new(update)]
    }
}
