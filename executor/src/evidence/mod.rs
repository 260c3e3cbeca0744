//! The evidence of a run: a folder of files that says what was found, what was done and what holds, for people who were not there.
//!
//! Files are written as things happen, and hold no more than a line in memory. The journal in the database stays the truth: a run that
//! was interrupted completes its folder from there.

mod extract;
mod files;
mod report;
mod saved;
mod summary;
mod verified;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
};

pub use self::saved::{BACKUP_FORMAT, Header, Line, Reading, Trailer};

use mig_plan::{Check, Plan, StepId};
use serde::Serialize;
use serde_json::json;

use crate::{
    chain,
    journal::Entry,
    rejects::Rejected,
    stop::Stop,
    verify::{Answer, Verdicts},
};

/// What the files of a folder follow.
pub const EVIDENCE_FORMAT: &str = "mig-evidence/1";

const JOURNAL: &str = "03-apply/journal.jsonl";
const FOLDERS: [&str; 4] = ["01-extract", "02-transform", "03-apply", "04-verify"];

/// How much is written to see whether there is room.
const PROBE_BYTES: usize = 256 * 1024;

/// Where evidence is filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    /// The folder that holds `runs/RUN`.
    pub root: PathBuf,
    /// The database, for people: its URL without secrets.
    pub database: String,
    /// The name that the project has for it.
    pub target: Option<String>,
}

impl Filing {
    /// The folder of a run.
    #[must_use]
    pub fn folder(&self, run: &str) -> PathBuf {
        self.root.join("runs").join(run)
    }

    /// Proves that files can be written there, before any database is touched.
    ///
    /// # Errors
    /// [`Stop::Evidence`].
    pub fn prove(&self) -> Result<(), Stop> {
        let runs = self.root.join("runs");
        let probe = runs.join(format!(".room-{}", std::process::id()));
        let tried = fs::create_dir_all(&runs).and_then(|()| {
            let written = File::create(&probe).and_then(|mut file| {
                file.write_all(&vec![b' '; PROBE_BYTES])?;
                file.sync_all()
            });
            let removed = fs::remove_file(&probe);
            written.and(removed)
        });
        tried.map_err(|error| Stop::Evidence { says: format!("{}: {error}", runs.display()), begun: false })
    }
}

/// The folder of one run, open.
#[derive(Debug)]
pub(crate) struct Evidence {
    filing: Filing,
    folder: PathBuf,
    run: String,
    plan: Plan,
    title: String,
    journal: BufWriter<File>,
    /// The number of the last line of the journal that is filed.
    last: u64,
    /// Lines that are written to the database and not committed.
    pending: Vec<Entry>,
}

impl Evidence {
    /// Opens the folder of a run, new or as an earlier executor left it.
    pub(crate) fn open(filing: &Filing, run: &str, plan: &Plan, title: &str) -> io::Result<Self> {
        let folder = filing.folder(run);
        for name in FOLDERS {
            fs::create_dir_all(folder.join(name))?;
        }
        let path = folder.join(JOURNAL);
        let last = whole_lines(&path)?;
        let journal = BufWriter::new(OpenOptions::new().create(true).append(true).open(&path)?);
        let evidence = Self {
            filing: filing.clone(),
            folder,
            run: run.to_owned(),
            plan: plan.clone(),
            title: title.to_owned(),
            journal,
            last,
            pending: Vec::new(),
        };
        files::write(&evidence.folder.join("plan.json"), &plan.to_bytes())?;
        Ok(evidence)
    }

    /// Whether this is the folder of a run.
    pub(crate) fn is_of(&self, run: &str) -> bool {
        self.run == run
    }

    /// Removes the folder of a run that never began, as far as that works.
    pub(crate) fn discard(&self) {
        drop(fs::remove_dir_all(&self.folder));
    }

    /// The plan's declared moments and steps are all there is to file.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A line was written to the journal; it counts once it is committed.
    pub(crate) fn note(&mut self, entry: &Entry) {
        self.pending.push(entry.clone());
    }

    /// What was noted was rolled back.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
    }

    /// What was noted is committed.
    pub(crate) fn committed(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        pending.iter().try_for_each(|entry| self.file(entry))?;
        self.journal.flush()
    }

    /// Files what the journal says and the folder does not: an executor was killed, or an answer was lost.
    pub(crate) fn catch_up(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.pending.clear();
        entries.iter().try_for_each(|entry| self.file(entry))?;
        self.journal.flush()
    }

    fn file(&mut self, entry: &Entry) -> io::Result<()> {
        if entry.run != self.run || entry.seq <= self.last {
            return Ok(());
        }
        serde_json::to_writer(&mut self.journal, entry)?;
        self.journal.write_all(b"\n")?;
        self.last = entry.seq;
        Ok(())
    }

    /// The checks of steps as they were asked before the first write, with how many rows each found.
    pub(crate) fn prechecks(&mut self, found: &[(Check, u64)]) -> io::Result<()> {
        let lines = found.iter().map(|(check, count)| {
            json!({ "step": check.step, "at": check.at.to_string(), "says": check.says, "sql": check.count.sql(),
                "found": count, "stops": check.stops })
        });
        files::write_lines(&self.folder.join("04-verify/prechecks.jsonl"), lines)
    }

    /// What the declared checks answered before the first write; after it is added by [`Self::verified`].
    pub(crate) fn asked_before(&mut self, before: &[Answer]) -> io::Result<()> {
        self.put("04-verify/checks.json", &verified::checks(&self.plan, before, None))
    }

    /// What the declared checks and probes said in the end, beside what was before.
    pub(crate) fn verified(&mut self, before: &[Answer], verdicts: &Verdicts) -> io::Result<()> {
        self.put("04-verify/checks.json", &verified::checks(&self.plan, before, Some(verdicts)))?;
        self.put("04-verify/probes.json", &verified::probes(&self.plan, verdicts))
    }

    /// How many rows a data step has before it when it begins, or goes on.
    pub(crate) fn candidates(&mut self, step: &StepId, rows: u64) -> io::Result<()> {
        let found = self.plan.steps.iter().find(|s| s.id == *step);
        let sql = found.and_then(|step| match &step.probe {
            mig_plan::Probe::Remaining { sql, .. } => Some(sql.sql()),
            mig_plan::Probe::Shape {} => None,
        });
        let line = json!({ "at": chain::now(), "step": step, "rows": rows, "sql": sql });
        let path = self.folder.join("02-transform/candidates.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{line}")
    }

    /// The rows that the run left as they are.
    pub(crate) fn rejects(&mut self, rows: &[Rejected]) -> io::Result<()> {
        let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let lines = rows.iter().map(
            |row| json!({ "step": row.step, "key": value(&row.key), "reason": row.reason, "row": value(&row.row) }),
        );
        files::write_lines(&self.folder.join("02-transform/rejects.jsonl"), lines)
    }

    fn put<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> io::Result<()> {
        files::write(&self.folder.join(name), &files::pretty(value)?)
    }

    /// Writes the report and, last of all, the list of all files with their hashes.
    pub(crate) fn finish(&mut self, says: Option<&str>) -> io::Result<()> {
        self.journal.flush()?;
        self.journal.get_ref().sync_all()?;
        let summary = summary::read(&self.folder.join(JOURNAL), &self.plan)?;
        let datasets = extract::filed(&self.folder)?;
        let report = report::Report {
            plan: &self.plan,
            title: &self.title,
            filing: &self.filing,
            run: &self.run,
            summary: &summary,
            datasets: &datasets,
            checks: files::read_json(&self.folder.join("04-verify/checks.json"))?,
            probes: files::read_json(&self.folder.join("04-verify/probes.json"))?,
            says,
        };
        self.put("report.json", &report.json())?;
        files::write(&self.folder.join("report.md"), report.markdown().as_bytes())?;
        let mut manifest = json!({
            "format": EVIDENCE_FORMAT, "run": self.run, "plan": self.plan.digest(), "title": self.title,
            "compiler": self.plan.compiler, "executor": concat!("mig ", env!("CARGO_PKG_VERSION")),
            "target": { "name": self.filing.target, "engine": self.plan.target.engine,
                "version": self.plan.target.version, "database": self.filing.database },
            "status": summary.status, "written_at": chain::now(),
            "journal": { "lines": summary.lines, "first": summary.first, "last": summary.last, "hash": summary.hash },
        });
        manifest["files"] = json!(files::list(&self.folder, &["manifest.json"])?);
        self.put("manifest.json", &manifest)
    }
}

/// Cuts off a last line that was not written to its end; gives the number of the last whole one.
fn whole_lines(path: &Path) -> io::Result<u64> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let mut reader = BufReader::new(&file);
    let (mut last, mut end, mut line) = (0, 0, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        let entry: Option<Entry> = line.strip_suffix(b"\n").and_then(|text| serde_json::from_slice(text).ok());
        let Some(entry) = entry else { break };
        last = entry.seq;
        end = reader.stream_position()?;
        line.clear();
    }
    file.set_len(end)?;
    Ok(last)
}

/// What is wrong with the folder of a run: files that are not as the manifest says, and lines that are not those of the database's
/// journal. Reads only.
///
/// # Errors
/// If there is no manifest of that run that can be read.
pub fn compare(filing: &Filing, run: &str, entries: &[Entry]) -> io::Result<Vec<String>> {
    let folder = filing.folder(run);
    let altered = files::altered(&folder)?;
    let mut wrong: Vec<_> = altered.iter().map(|(path, how)| format!("{path} {how}")).collect();
    let stands: BTreeMap<u64, &Entry> = entries.iter().map(|entry| (entry.seq, entry)).collect();
    for (nth, line) in BufReader::new(File::open(folder.join(JOURNAL))?).lines().enumerate() {
        let filed: Option<Entry> = serde_json::from_str(&line?).ok();
        let says = match &filed {
            None => "cannot be read".to_owned(),
            Some(filed) => match stands.get(&filed.seq) {
                Some(entry) if *entry == filed => continue,
                Some(_) => format!("is not what the database has as line {}", filed.seq),
                None => format!("is line {} of the journal, which the database does not have", filed.seq),
            },
        };
        wrong.push(format!("{JOURNAL}:{} {says}", nth + 1));
    }
    Ok(wrong)
}
