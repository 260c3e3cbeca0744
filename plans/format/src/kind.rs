//! The kinds of steps: typed changes of one object, each with its effect on a [`Schema`] in memory.
//!
//! One list makes the enum, its tag in plan files, and the dispatch. A kind is one struct in one file with an [`Effect`].

mod column;
mod constraint;
mod data;
mod enums;
mod keep;
mod key;
mod mark;
mod object;
mod populate;
mod privileges;
mod rebuild;
mod regroup;
mod rename;
mod returns;
mod revise;
mod rows;
mod serve;
mod settle;
mod shadow;
mod sync;
mod tie;
mod types;
mod withdraw;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};

pub use self::{
    column::{AddColumn, AlterColumn, DropColumn},
    constraint::{AddConstraint, DropConstraint, ValidateConstraint},
    data::{Backfill, Reject, Selection},
    enums::{RenameValue, value_renamed_in_texts},
    keep::{Keep, KeepRows, Kept, Leave, Rejoin, Unkeep},
    key::{AdoptKey, BuildKey, Discard},
    mark::Mark,
    object::{AlterTable, Comment, Create, Drop, Replace},
    populate::{OnConflict, Populate, Reference},
    privileges::Privileges,
    rebuild::{CopyColumn, Rebuild},
    regroup::Regroup,
    rename::{Rename, RenameMember, rename_in_texts},
    returns::{OnReturn, Release},
    revise::{Filling, Leaving, Membership, Referrer, Revise},
    rows::{Declared, Rows, key_of},
    serve::Serve,
    settle::{Settle, Unsettle},
    shadow::{CopyRows, Finish, Shadow, Swap},
    sync::{Exchange, Sync, Twin, Twins, Unsync},
    tie::{Tie, Tied, Untie},
    types::{AdoptType, renamed as retyped},
    withdraw::{RefersToRows, Withdraw},
};
use crate::{
    address::Address,
    fingerprint::Fingerprint,
    schema::{Object, Schema},
    snapshot::Remembered,
};

/// Why a change cannot be applied to a schema: the plan and the schema do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Something to be changed is not there.
    #[error("{0} does not exist")]
    Absent(Address),
    /// Something to be made is there already.
    #[error("{0} exists already")]
    Present(Address),
    /// Something is there, but not as the change expects it.
    #[error("{0} is not as the change expects it")]
    Differs(Address),
    /// Something still refers to what is to go.
    #[error("{at} is still needed by {by}")]
    Needed {
        /// What is to go.
        at: Address,
        /// What needs it.
        by: Address,
    },
}

/// What a kind of step does to a schema.
pub trait Effect {
    /// The word for it in ids and plan files.
    const SLUG: &'static str;

    /// The thing it changes, as shown to people.
    fn address(&self) -> Address;

    /// The addresses (keys of [`Schema::objects`]) that it changes, in the schema as it is before.
    fn touches(&self, before: &Schema) -> BTreeSet<Address>;

    /// Changes the schema.
    ///
    /// # Errors
    /// [`Impossible`] if the schema is not one that this change can be applied to; the schema may then be half changed.
    fn apply(&self, schema: &mut Schema) -> Result<(), Impossible>;

    /// The change that takes the effect back, given the schema as it was before; `None` where there is nothing to take back.
    fn reverse(&self, before: &Schema) -> Option<Kind>;
}

macro_rules! kinds {
    ($($variant:ident),* $(,)?) => {
        /// A typed change of one object.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $(#[doc = concat!("See [`", stringify!($variant), "`].")] $variant($variant)),* }

        impl Kind {
            /// The slug of every kind.
            pub const SLUGS: &[&'static str] = &[$($variant::SLUG),*];

            /// The word for it in ids and plan files.
            #[must_use]
            pub fn slug(&self) -> &'static str { match self { $(Self::$variant(_) => $variant::SLUG),* } }

            /// The thing it changes.
            #[must_use]
            pub fn address(&self) -> Address { match self { $(Self::$variant(k) => k.address()),* } }

            /// The objects that it changes; see [`Effect::touches`].
            #[must_use]
            pub fn touches(&self, before: &Schema) -> BTreeSet<Address> { match self { $(Self::$variant(k) => k.touches(before)),* } }

            /// Changes the schema.
            ///
            /// # Errors
            /// See [`Effect::apply`].
            pub fn apply(&self, schema: &mut Schema) -> Result<(), Impossible> { match self { $(Self::$variant(k) => k.apply(schema)),* } }

            /// The change that takes it back; see [`Effect::reverse`].
            #[must_use]
            pub fn reverse(&self, before: &Schema) -> Option<Kind> { match self { $(Self::$variant(k) => k.reverse(before)),* } }
        }

        $(impl From<$variant> for Kind { fn from(kind: $variant) -> Self { Self::$variant(kind) } })*
    };
}

kinds!(
    Create,
    Drop,
    Replace,
    Rename,
    RenameMember,
    RenameValue,
    AlterTable,
    AddColumn,
    AlterColumn,
    DropColumn,
    AddConstraint,
    ValidateConstraint,
    DropConstraint,
    Release,
    OnReturn,
    BuildKey,
    AdoptKey,
    AdoptType,
    Discard,
    Sync,
    Exchange,
    Unsync,
    Settle,
    Unsettle,
    Serve,
    Keep,
    KeepRows,
    Leave,
    Rejoin,
    Unkeep,
    Tie,
    Untie,
    CopyRows,
    Swap,
    Finish,
    Comment,
    Privileges,
    Rebuild,
    Regroup,
    Backfill,
    Populate,
    Filling,
    Revise,
    Rows,
    Withdraw,
    Mark,
);

impl Kind {
    /// What taking it back does, in a sentence without an end: what a reviewer reads as its undo where the engine has nothing more to say.
    #[must_use]
    pub fn taken_back(&self) -> String {
        let at = self.address();
        match self {
            Self::Create(_) | Self::AddColumn(_) | Self::AddConstraint(_) => format!("removes {at} again"),
            Self::Drop(_) | Self::DropColumn(_) | Self::DropConstraint(_) => format!("adds {at} again"),
            Self::Rename(k) => format!("gives {} its name back", k.from),
            Self::RenameMember(k) => format!("gives {} its name back", k.from),
            Self::RenameValue(_) => format!("gives the value of {at} its name back"),
            Self::Comment(_) => format!("gives {at} its old comment back"),
            Self::Privileges(_) => format!("restores the privileges on {at}"),
            _ => format!("makes {at} again what it was"),
        }
    }

    /// What the database remembers once it is done, so that the same specs do not ask for it again.
    #[must_use]
    pub fn mark(&self) -> Option<Remembered> {
        match self {
            Self::Rows(rows) => Some(rows.mark()),
            Self::Withdraw(k) => Some(k.after.record(&k.table)),
            Self::Mark(k) => Some(Mark::of(&k.table, &k.once)),
            Self::Backfill(k) => k.rows.once.as_ref().map(|once| Mark::of(&k.table, once)),
            Self::Rebuild(k) => k.rows.once.as_ref().map(|once| Mark::of(&k.table, once)),
            _ => None,
        }
    }

    /// What the database remembers once it is taken back.
    #[must_use]
    pub fn unmark(&self) -> Option<Remembered> {
        match self {
            Self::Rows(rows) => Some(rows.unmark()),
            Self::Withdraw(k) => Some(k.before.record(&k.table)),
            _ => self.mark().map(|mark| Remembered { catalog: Fingerprint::of_bytes(b""), ..mark }),
        }
    }
}

/// Puts an object where none is.
fn put(schema: &mut Schema, at: Address, object: &Arc<Object>) -> Result<(), Impossible> {
    match schema.objects.insert(at.clone(), object.clone()) {
        None => Ok(()),
        Some(_) => Err(Impossible::Present(at)),
    }
}

/// Takes just this object away.
fn take(schema: &mut Schema, at: Address, object: &Arc<Object>) -> Result<(), Impossible> {
    match schema.objects.remove(&at) {
        Some(found) if found == *object => Ok(()),
        Some(_) => Err(Impossible::Differs(at)),
        None => Err(Impossible::Absent(at)),
    }
}

impl Schema {
    /// Applies one change.
    ///
    /// # Errors
    /// See [`Effect::apply`].
    pub fn apply(&mut self, change: &Kind) -> Result<(), Impossible> {
        change.apply(self)
    }
}
