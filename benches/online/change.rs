//! The changes that are measured, each as specs say it and as people write it by hand.

/// A change: what the specs then say, and what people write by hand.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// A text of the imported specs, and what it becomes.
    pub(crate) edit: (&'static str, &'static str),
    /// What is added at the end of the specs.
    pub(crate) more: &'static str,
    pub(crate) plain: &'static str,
    /// What clients of the new schema write, which must work once `switch` is done; `{id}` is a row.
    pub(crate) new: &'static str,
}

pub(crate) const CHANGES: &[Change] = &[
    Change {
        name: "add column with default",
        edit: ("[table.items.columns]", "[table.items.columns]\nflag = { type = \"boolean?\", default = \"true\" }"),
        more: "",
        plain: "alter table items add column flag boolean default true",
        new: "update items set flag = not flag where id = {id}",
    },
    Change {
        name: "add required column, filled",
        edit: ("[table.items.columns]", "[table.items.columns]\nlabel = \"text\""),
        more: "\n[transform.items]\nset.label = \"upper(note)\"\n",
        plain: "begin; alter table items add column label text; update items set label = upper(note); \
            alter table items alter column label set not null; commit",
        new: "update items set label = label || '.' where id = {id}",
    },
    Change {
        name: "add check",
        edit: ("", ""),
        more: "\n[[table.items.checks]]\nname = \"not_negative\"\nexpr = \"amount >= 0\"\n",
        plain: "alter table items add constraint not_negative check (amount >= 0)",
        new: "update items set amount = amount + 2 where id = {id}",
    },
    Change {
        name: "add foreign key",
        edit: ("", ""),
        more: "\n[[table.items.foreign_keys]]\ncolumns = [\"owner\"]\nreferences = \"owners\"\n",
        plain: "alter table items add foreign key (owner) references owners",
        new: "update items set owner = 3 where id = {id}",
    },
    Change {
        name: "create index",
        edit: ("", ""),
        more: "\n[[table.items.indexes]]\nname = \"items_owner\"\ncolumns = [\"owner\"]\n",
        plain: "create index items_owner on items (owner)",
        new: "select count(*) from (select from items where owner = {id} % 1000 limit 50) as few",
    },
    Change {
        name: "set not null",
        edit: ("note   = \"text?\"", "note   = \"text\""),
        more: "",
        plain: "alter table items alter column note set not null",
        new: "update items set note = 'new' where id = {id}",
    },
    Change {
        name: "drop column",
        edit: ("spare  = \"text?\"\n", ""),
        more: "",
        plain: "alter table items drop column spare",
        new: "update items set note = 'new' where id = {id}",
    },
    Change {
        name: "integer to bigint",
        edit: ("amount = \"integer\"", "amount = \"bigint\""),
        more: "",
        plain: "alter table items alter column amount type bigint",
        new: "update items set amount = 70000 where id = {id}",
    },
    Change {
        name: "rename column",
        edit: ("spare  = \"text?\"", "extra = { type = \"text?\", was = \"spare\" }"),
        more: "",
        plain: "alter table items rename column spare to extra",
        new: "update items set extra = 'new' where id = {id}",
    },
    Change {
        name: "text to integer by a transform",
        edit: ("spare  = \"text?\"", "spare = \"integer?\""),
        more: "\n[transform.items]\nset.spare = \"length(spare)\"\n",
        plain: "alter table items alter column spare type integer using length(spare)",
        new: "update items set note = 'new' where id = {id}",
    },
];
