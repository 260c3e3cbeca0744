//! Whether two spellings mean the same.

use mig_plan::{Name, Object, Sameness, Sql};

pub(crate) fn same(_object: &Object, declared: &Sql, catalog: &Sql, _default: Option<&Name>) -> Sameness {
    if declared == catalog { Sameness::Same } else { Sameness::Unknown }
}
