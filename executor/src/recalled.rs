//! What a database remembers, from the rows in which an engine keeps it.

use std::collections::BTreeMap;

use mig_plan::{Fingerprint, Remembered, RowKey};

use crate::failure::Failure;

/// The records of how texts were said, in order: rows of address, fingerprint of the text and fingerprint of what it became, and rows of
/// address and keys, as JSON, of declared rows.
///
/// # Errors
/// If a row holds something else.
pub fn recalled(
    records: Vec<Vec<Option<String>>>,
    declared: Vec<Vec<Option<String>>>,
) -> Result<Vec<Remembered>, Failure> {
    let declared = declared.into_iter().map(keys).collect::<Result<BTreeMap<_, _>, _>>()?;
    let mut out = records.into_iter().map(record).collect::<Result<Vec<_>, _>>()?;
    out.iter_mut().for_each(|record| record.recall(&declared));
    out.sort();
    Ok(out)
}

fn record(row: Vec<Option<String>>) -> Result<Remembered, Failure> {
    let mut row = row.into_iter().flatten();
    let mut next = || row.next().ok_or_else(unreadable);
    let print = |text: String| serde_json::from_value::<Fingerprint>(text.into()).map_err(|_| unreadable());
    let at = next()?.parse().map_err(|_| unreadable())?;
    Ok(Remembered { at, said: print(next()?)?, catalog: print(next()?)?, keys: None })
}

fn keys(row: Vec<Option<String>>) -> Result<(String, Vec<RowKey>), Failure> {
    let mut row = row.into_iter().flatten();
    let (at, keys) = row.next().zip(row.next()).ok_or_else(unreadable)?;
    Ok((at, serde_json::from_str(&keys).map_err(|_| unreadable())?))
}

fn unreadable() -> Failure {
    Failure::refused("the journal holds a remembered text that mig cannot read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_refused() {
        let row = |values: &[&str]| vec![values.iter().map(|value| Some((*value).to_owned())).collect()];
        assert!(recalled(row(&["table t", "no fingerprint", "x"]), vec![]).is_err());
        assert!(recalled(vec![], row(&["table t", "no keys"])).is_err());
        assert!(recalled(vec![], row(&["table t"])).is_err());
        assert!(recalled(vec![], row(&["table t", "[]"])).unwrap().is_empty());
    }
}
