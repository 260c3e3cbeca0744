//! Snapshots of declared datasets: JSON Lines, each value as the database's own text, beside a file that says what it is.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use mig_plan::{
    Fingerprint,
    verify::{Dataset, When},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Evidence, files};
use crate::{chain, driver::Rows, failure::Failure, runner::Halt, runner::Runner, stop::Stop};

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) dataset: String,
    pub(super) moment: String,
    file: String,
    target: Option<String>,
    database: String,
    /// When its query was sent: RFC 3339, UTC.
    pub(super) at: String,
    sql: String,
    sql_sha256: Fingerprint,
    columns: Vec<String>,
    pub(super) rows: u64,
    bytes: u64,
    pub(super) sha256: String,
}

/// Takes rows and writes each as a line; keeps the first error and then only counts.
pub(crate) struct Lines {
    out: BufWriter<File>,
    hash: Sha256,
    columns: Vec<String>,
    keys: Vec<String>,
    rows: u64,
    bytes: u64,
    wrong: Option<io::Error>,
}

impl Lines {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::new(File::create(path)?);
        let (columns, keys) = (Vec::new(), Vec::new());
        Ok(Self { out, hash: Sha256::new(), columns, keys, rows: 0, bytes: 0, wrong: None })
    }

    fn line(&mut self, values: &[Option<String>]) -> io::Result<()> {
        let mut line = String::from("{");
        for (key, value) in self.keys.iter().zip(values) {
            if line.len() > 1 {
                line.push(',');
            }
            line.push_str(key);
            line.push(':');
            line.push_str(&serde_json::to_string(value)?);
        }
        line.push_str("}\n");
        self.hash.update(line.as_bytes());
        self.bytes += line.len() as u64;
        self.out.write_all(line.as_bytes())
    }

    /// Everything is on disk: names, rows, bytes and hash.
    pub(crate) fn finish(self) -> io::Result<Written> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        let sha256 = files::digest(self.hash);
        Ok(Written { columns: self.columns, rows: self.rows, bytes: self.bytes, sha256 })
    }
}

/// What was written.
pub(crate) struct Written {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Rows for Lines {
    fn columns(&mut self, names: Vec<String>) {
        // An answer may name two columns alike; a line may not.
        let mut seen = BTreeMap::new();
        self.columns = names.into_iter().map(|name| unlike(name, &mut seen)).collect();
        self.keys = self.columns.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
    }

    fn row(&mut self, values: Vec<Option<String>>) {
        if self.wrong.is_none() {
            self.rows += 1;
            self.wrong = self.line(&values).err();
        }
    }
}

fn unlike(name: String, seen: &mut BTreeMap<String, u32>) -> String {
    let times = seen.entry(name.clone()).or_default();
    *times += 1;
    if *times == 1 { name } else { format!("{name}_{times}") }
}

impl Runner<'_> {
    /// Files the datasets of a moment; what is filed already stays.
    pub(crate) async fn extract(&mut self, moment: When) -> Result<(), Halt> {
        let Some(evidence) = &self.evidence else { return Ok(()) };
        let declared = evidence.plan().datasets.clone();
        for (nth, dataset) in declared.iter().enumerate().filter(|(_, dataset)| dataset.when.includes(moment)) {
            let name = file_name(nth, dataset, moment);
            let Some(evidence) = self.evidence.as_ref().filter(|evidence| !evidence.has_dataset(&name)) else {
                continue;
            };
            let path = evidence.dataset(&name, "jsonl");
            let at = chain::now();
            let unwritten = |error: io::Error| self.unfiled(&path, &error);
            let mut lines = Lines::create(&path).map_err(unwritten)?;
            match self.driver.stream(&dataset.sql, &mut lines).await {
                Ok(()) => {}
                Err(Failure::Refused { says, .. } | Failure::Transient { says }) => {
                    let says = format!("the dataset `{}` cannot be read: {says}", dataset.name);
                    return Err(Stop::Evidence { says, begun: self.evidence_begun }.into());
                }
                Err(failure) => return Err(failure.into()),
            }
            let written = lines.finish().map_err(|error| self.unfiled(&path, &error))?;
            let Some(evidence) = &self.evidence else { return Ok(()) };
            evidence.describe(&name, dataset, moment, at, written).map_err(|error| self.unfiled(&path, &error))?;
        }
        Ok(())
    }
}

/// A name that is one on every file system.
fn file_name(nth: usize, dataset: &Dataset, moment: When) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = dataset.name.chars().take(60).map(plain).collect();
    format!("{:02}-{name}.{}", nth + 1, moment.word())
}

impl Evidence {
    fn dataset(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join("01-extract").join(format!("{name}.{ending}"))
    }

    fn has_dataset(&self, name: &str) -> bool {
        self.dataset(name, "meta.json").is_file()
    }

    fn describe(&self, name: &str, dataset: &Dataset, moment: When, at: String, written: Written) -> io::Result<()> {
        let sql = dataset.sql.sql();
        let meta = Meta {
            dataset: dataset.name.clone(),
            moment: moment.word().to_owned(),
            file: format!("{name}.jsonl"),
            target: self.filing.target.clone(),
            database: self.filing.database.clone(),
            at,
            sql_sha256: Fingerprint::of_bytes(sql.as_bytes()),
            sql,
            columns: written.columns,
            rows: written.rows,
            bytes: written.bytes,
            sha256: written.sha256,
        };
        files::write(&self.dataset(name, "meta.json"), &files::pretty(&meta)?)
    }
}

/// What is filed of datasets, in the order of their names.
pub(super) fn filed(folder: &Path) -> io::Result<Vec<Meta>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder.join("01-extract"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".meta.json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
}
