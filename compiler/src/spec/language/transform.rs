//! The keys of transforms.

use crate::spec::{
    literal::Literal,
    reader::{Flag, Map, Names, Number, Text},
};

language! {
    /// How existing rows of a table get their values; with `from`, how a new table gets its rows.
    TransformSpec {
        /// The table whose rows the new table's are made from; each makes one, unless `group_by` joins several.
        /// Example: `"conversations"`
        "from" from: Option<Text>,
        /// Tables that the expressions read beside `from`, as SQL says it.
        /// Example: `"left join accounts on accounts.id = conversations.account_id"`
        "join" join: Option<Text>,
        /// What rows of `from` have in common that make one row together.
        /// Example: `["account_id"]`
        "group_by" group_by: Vec<Text>,
        /// The columns that tell the new rows apart; the primary key without it.
        /// Example: `["id"]`
        "key" key: Vec<Text>,
        /// Where several rows make one of the same key: `"error"`, as without it; `"skip"`, the first counts; `"update"`, the last counts.
        /// Example: `"skip"`
        "on_conflict" on_conflict: Option<Text>,
        /// Expression by column; a column in it means the value from before.
        /// Example: `{ slug = "lower(name)" }`
        "set" set: Names<Text>,
        /// For clients of the old schema: expression by column that goes, over the new columns. Until `contract` the columns that are set
        /// from it and the old one stay in step, whoever writes.
        /// Example: `{ full_name = "concat_ws(' ', first_name, last_name)" }`
        "back" back: Names<Text>,
        /// Ids of version 5, by column: made by SHA-1 from a namespace and a name, the same each time.
        /// Example: `{ id = { namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", name = "'thread/' || id" } }`
        "uuid5" uuid5: Names<UuidSpec>,
        /// Ids of version 3, by column: made by MD5 from a namespace and a name, the same each time.
        /// Example: `{ id = { namespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", name = "'thread/' || id" } }`
        "uuid3" uuid3: Names<UuidSpec>,
        /// New value by old value, by column. An old value is written as the database shows it as text; values that are not named stay.
        /// Example: `{ state = { o = "open", c = "closed" } }`
        "map" map: Names<Map<Literal>>,
        /// A condition: rows of which it is not true keep their values, and have none in new columns.
        /// Example: `"deleted_at is null"`
        "where" only: Option<Text>,
        /// A name by which the database remembers that this transform was made: it runs even where the plan changes nothing else of its
        /// columns, and never twice.
        /// Example: `"2026-03 tidy names"`
        "once" once: Option<Text>,
        /// Whether its expressions may give another value each time, as `now()` does; a row keeps the first.
        /// Example: `true`
        "varies" varies: Option<Flag>,
        /// What becomes of a value that a `map` does not name: `"keep"`, as without it, or `"reject"`.
        /// Example: `"reject"`
        "unmapped" unmapped: Option<Text>,
        /// Rows that are left as they are, each rule with its reason.
        /// Example: `[{ when = "domain is null", reason = "scope without a domain" }]`
        "reject" rejects: Vec<RejectSpec>,
        /// How many rows may be rejected; one more stops the run. None without it.
        /// Example: `10`
        "max_rejects" max_rejects: Option<Number>,
        /// Rows of the first batch.
        /// Example: `5000`
        "batch_rows" batch_rows: Option<Number>,
    }

    /// An id that is made from a name.
    UuidSpec {
        /// The namespace, itself an id.
        /// Example: `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`
        "namespace" namespace: Text,
        /// The name, an expression.
        /// Example: `"'thread/' || id"`
        "name" name: Text,
    }

    /// A rule by which a transform leaves rows as they are.
    RejectSpec {
        /// A row of which it is true is rejected. It may read what the transform sets.
        /// Example: `"domain is null"`
        "when" when: Text,
        /// Why, for people.
        /// Example: `"scope without a domain"`
        "reason" reason: Text,
    }
}
