//! Backups: rows of tables in compressed files, which count once they have been read back.
//!
//! The first line says what is in the file, the last how many rows there are and their hash; between them each line is a row: a list of
//! literals of the engine's SQL. No more than a row is held.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write as _},
    path::Path,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use mig_plan::{Backup, Column, ColumnValue, Name, Plan, Qualified};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::files;
use crate::{
    chain, driver::Rows, failure::Failure, journal::SavedFile, report::Progress, runner::Halt, runner::OWN,
    runner::Runner, stop::Stop,
};

/// What backup files follow.
pub const BACKUP_FORMAT: &str = "mig-backup/1";

/// The folder of backups in that of a run.
const FOLDER: &str = "00-backup";

/// More columns than a table can have.
const MOST: usize = 10_000;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`BACKUP_FORMAT`].
    pub format: String,
    /// The engine whose literals the values are.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// The database, for people.
    pub database: String,
    /// The run that made it.
    pub run: String,
    /// When its query was sent: RFC 3339, UTC.
    pub at: String,
    /// The table.
    pub table: Qualified,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The columns that tell the table's rows apart.
    pub key: Vec<Name>,
    /// Whether these are all columns of the table.
    pub whole: bool,
}

/// The last line of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// How many rows there are.
    pub rows: u64,
    /// The hash of all lines before this one: `sha256:` and 64 hex digits.
    pub sha256: String,
}

/// A backup being written. Keeps the first error and then only counts.
struct Writing {
    out: GzEncoder<BufWriter<File>>,
    hash: Sha256,
    rows: u64,
    wrong: Option<io::Error>,
}

impl Writing {
    fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let out = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::fast());
        let mut writing = Self { out, hash: Sha256::new(), rows: 0, wrong: None };
        writing.line(&serde_json::to_string(header)?)?;
        Ok(writing)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        for piece in [line, "\n"] {
            self.hash.update(piece.as_bytes());
            self.out.write_all(piece.as_bytes())?;
        }
        Ok(())
    }

    /// Everything is on disk.
    fn finish(mut self) -> io::Result<Trailer> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let trailer = Trailer { rows: self.rows, sha256: files::digest(self.hash) };
        writeln!(self.out, "{}", serde_json::to_string(&trailer)?)?;
        let file = self.out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(trailer)
    }
}

impl Rows for Writing {
    fn columns(&mut self, _: Vec<String>) {}

    fn row(&mut self, values: Vec<Option<String>>) {
        if self.wrong.is_some() {
            return;
        }
        self.rows += 1;
        let values: Vec<_> = values.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect();
        let written = serde_json::to_string(&values).map_err(io::Error::from).and_then(|line| self.line(&line));
        self.wrong = written.err();
    }
}

/// A backup that is read.
pub struct Reading {
    lines: BufReader<MultiGzDecoder<BufReader<File>>>,
    hash: Sha256,
    rows: u64,
    /// What it holds.
    pub header: Header,
}

/// One line of a backup.
pub enum Line {
    /// A row: a literal for each column.
    Row(Vec<String>),
    /// The end, and everything before it was whole.
    End(Trailer),
}

fn bad(says: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, says.into())
}

impl Reading {
    /// Opens a backup.
    ///
    /// # Errors
    /// If it cannot be read, or is none that this version knows.
    pub fn open(path: &Path) -> io::Result<Self> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let mut lines = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(path)?)));
        let mut first = String::new();
        lines.read_line(&mut first).map_err(|error| bad(format!("it is no backup of mig, or damaged: {error}")))?;
        let format: Format = serde_json::from_str(&first).map_err(|_| bad("it is no backup of mig"))?;
        if format.format != BACKUP_FORMAT {
            return Err(bad(format!("its format is `{}`; this mig reads `{BACKUP_FORMAT}`", format.format)));
        }
        let header = serde_json::from_str(&first).map_err(|error| bad(format!("its first line: {error}")))?;
        Ok(Self { lines, hash: Sha256::new_with_prefix(&first), rows: 0, header })
    }

    /// The next line.
    ///
    /// # Errors
    /// If the file is damaged or ends early.
    pub fn next_line(&mut self) -> io::Result<Line> {
        let mut line = String::new();
        let at = self.rows + 1;
        let read =
            self.lines.read_line(&mut line).map_err(|error| bad(format!("it is damaged at row {at}: {error}")))?;
        if read == 0 {
            return Err(bad(format!("it ends after {} rows, without its last line", self.rows)));
        }
        if line.starts_with('{') {
            let said: Trailer = serde_json::from_str(&line).map_err(|error| bad(format!("its last line: {error}")))?;
            let found = Trailer { rows: self.rows, sha256: files::digest(self.hash.clone()) };
            if found != said {
                return Err(bad(format!("it holds {} rows and says {}, or its hash differs", found.rows, said.rows)));
            }
            return Ok(Line::End(found));
        }
        let row: Vec<String> = serde_json::from_str(&line).map_err(|error| bad(format!("row {at}: {error}")))?;
        if row.len() != self.header.columns.len() {
            return Err(bad(format!("row {at} has {} values for {} columns", row.len(), self.header.columns.len())));
        }
        self.hash.update(line.as_bytes());
        self.rows = at;
        Ok(Line::Row(row))
    }

    /// Reads everything and keeps nothing.
    ///
    /// # Errors
    /// If the file is damaged or ends early.
    pub fn to_end(mut self) -> io::Result<Trailer> {
        loop {
            if let Line::End(trailer) = self.next_line()? {
                return Ok(trailer);
            }
        }
    }
}

/// What goes into one file, and under which name.
struct Order<'a> {
    backup: &'a Backup,
    file: String,
}

impl Runner<'_> {
    /// Writes the backups of the plan and reads them back. Nothing has been written to the database before.
    pub(crate) async fn back_up(&mut self, backups: &[Backup]) -> Result<Vec<SavedFile>, Halt> {
        let orders = backups.iter().map(|backup| Order { backup, file: file_name(&backup.table.to_string()) });
        self.saved(orders.collect()).await
    }

    /// Writes what the steps of a plan kept into files and reads them back. What is dropped is what they hold: nothing writes to what
    /// a run that is done has kept.
    pub(crate) async fn save_kept(&mut self, plan: &Plan) -> Result<Vec<SavedFile>, Halt> {
        let mut found = Vec::new();
        for step in plan.steps.iter().filter(|step| !step.gc.is_empty()) {
            let places = self.driver.dialect().kept(&step.change);
            let named = |at: &Qualified| step.gc.iter().any(|sql| sql.sql().contains(at.name.as_str()));
            if !places.is_empty() && !places.iter().any(named) {
                let says = format!("this version of mig cannot tell where {} kept its rows", step.id);
                return Err(Stop::Unsaved { says }.into());
            }
            let at = step.change.address();
            let table = at.qualified();
            for place in places {
                let columns = self.columns_of(&place).await?;
                if columns.is_empty() {
                    continue;
                }
                let sql = self.driver.dialect().saved(&place, &columns);
                let file = file_name(&format!("{}.{}", at.dotted(), place.name));
                found.push((Backup { table: table.clone(), columns, key: Vec::new(), whole: true, sql }, file));
            }
        }
        self.saved(found.iter().map(|(backup, file)| Order { backup, file: file.clone() }).collect()).await
    }

    /// The columns of a kept table; none if it is not there.
    async fn columns_of(&mut self, table: &Qualified) -> Result<Vec<Column>, Halt> {
        let asked = self.driver.dialect().columns_of(table);
        // In a transaction names are said in full, whatever path the database is configured with.
        self.driver.begin(&OWN).await?;
        let rows = self.driver.ask(&asked, MOST).await;
        self.driver.rollback().await?;
        let rows = rows?;
        let column = |row: &Vec<Option<String>>| {
            let [Some(name), data_type, required] = row.as_slice() else { return None };
            let data_type = data_type.clone().unwrap_or_default();
            Some(Column {
                name: Name::new(name.as_str()).ok()?,
                data_type,
                not_null: required.as_deref() == Some("1"),
                value: ColumnValue::Plain,
                collation: None,
                comment: None,
                options: BTreeMap::new(),
            })
        };
        let columns: Vec<_> = rows.iter().filter_map(column).collect();
        if columns.len() == rows.len() {
            return Ok(columns);
        }
        Err(Stop::Unsaved { says: format!("the columns of {table} cannot be read") }.into())
    }

    async fn saved(&mut self, orders: Vec<Order<'_>>) -> Result<Vec<SavedFile>, Halt> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let Some(evidence) = &self.evidence else {
            let says = "the plan makes backups, which are files of the run's evidence, and --no-artifacts wants none";
            return Err(Stop::Unsaved { says: says.to_owned() }.into());
        };
        let folder = evidence.folder.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|error| unsaved(&folder, &error))?;
        let mut files = Vec::new();
        for Order { backup, file } in orders {
            let Trailer { rows, sha256 } = self.one_backup(&folder, backup, &file).await?;
            let says = format!("backup of {}: {rows} rows, read back", backup.table);
            self.report.progress(&Progress::Noted { says });
            files.push(SavedFile { table: backup.table.clone(), file, rows, sha256 });
        }
        Ok(files)
    }

    async fn one_backup(&mut self, folder: &Path, backup: &Backup, file: &str) -> Result<Trailer, Halt> {
        let path = folder.join(file);
        let Some(evidence) = &self.evidence else { return Err(unsaved(&path, &bad("there is no folder for it"))) };
        let dialect = self.driver.dialect();
        let header = Header {
            format: BACKUP_FORMAT.to_owned(),
            engine: dialect.engine().to_owned(),
            version: dialect.version().to_owned(),
            database: evidence.filing.database.clone(),
            run: self.run.clone(),
            at: chain::now(),
            table: backup.table.clone(),
            columns: backup.columns.clone(),
            key: backup.key.clone(),
            whole: backup.whole,
        };
        let partial = path.with_extension("partial");
        let wrong = |error: io::Error| unsaved(&path, &error);
        let mut writing = Writing::create(&partial, &header).map_err(wrong)?;
        self.cross("run/backup-begun");
        match self.driver.stream(&backup.sql, &mut writing).await {
            Ok(()) => {}
            Err(Failure::Refused { says, .. } | Failure::Transient { says }) => {
                return Err(
                    Stop::Unsaved { says: format!("the rows of {} cannot be read: {says}", backup.table) }.into()
                );
            }
            Err(failure) => return Err(failure.into()),
        }
        let written = writing.finish().map_err(wrong)?;
        self.cross("run/backup-written");
        let read = Reading::open(&partial).and_then(Reading::to_end).map_err(wrong)?;
        if read != written {
            return Err(unsaved(&path, &bad("what was read back is not what was written")));
        }
        fs::rename(&partial, &path).map_err(wrong)?;
        self.cross("run/backup-named");
        Ok(read)
    }
}

fn unsaved(path: &Path, error: &io::Error) -> Halt {
    Stop::Unsaved { says: format!("{}: {error}", path.display()) }.into()
}

/// A name that is one on every file system, and the same for no two tables.
fn file_name(said: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.' { c } else { '-' };
    let name: String = said.chars().take(80).map(plain).collect();
    let mark = if name == said {
        String::new()
    } else {
        format!(".{}", mig_plan::Fingerprint::of_bytes(said.as_bytes()).short(6))
    };
    format!("{name}{mark}.jsonl.gz")
}
