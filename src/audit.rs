//! The journal as an auditor wants it: proved, and as a table.

use mig_executor::{
    Entry, Filing,
    audit::{Audit, Flaw, columns},
    evidence,
};
use serde_json::json;

use crate::{
    exit::{Reason, Trouble},
    operate::{close, trouble},
    target::Database,
    terminal, wiring,
};

/// How a journal is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// An array of JSON objects.
    Json,
    /// Comma separated values with a header, as RFC 4180 has them.
    Csv,
}

/// Proves the journal; what is wrong with it is the error.
pub(crate) async fn verify(
    database: &Database,
    run: Option<&str>,
    filing: Option<&Filing>,
    json: bool,
) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let mut audit = mig_executor::audit::audit(&mut *driver, run).await.map_err(|stop| trouble(&stop))?;
    if let (Some(run), Some(filing), true) = (run, filing, audit.flaws.is_empty()) {
        let entries = mig_executor::audit::export(&mut *driver, Some(run)).await.map_err(|stop| trouble(&stop))?;
        let wrong = evidence::compare(filing, run, &entries)
            .map_err(|error| Trouble::file("read the evidence in", &filing.folder(run), &error))?;
        let flaw = |says| Flaw { seq: None, run: Some(run.to_owned()), says };
        audit.flaws.extend(wrong.into_iter().map(flaw));
    }
    close(driver).await?;
    if !audit.flaws.is_empty() {
        if json {
            terminal::say(&object(&audit).to_string());
        }
        return Err(Trouble::new(Reason::Unknown, flawed(&audit))
            .untouched("nothing was written")
            .next("somebody or something wrote to mig's own tables: compare them with a backup"));
    }
    let filed = filing.zip(run).map(|(filing, run)| format!("\n{} is as it was filed", filing.folder(run).display()));
    if json { Ok(object(&audit).to_string()) } else { Ok(words(&audit, run) + &filed.unwrap_or_default()) }
}

fn object(audit: &Audit) -> serde_json::Value {
    json!({ "whole": audit.flaws.is_empty(), "lines": audit.lines, "of_run": audit.of_run, "head": audit.head, "flaws": audit.flaws })
}

fn words(audit: &Audit, run: Option<&str>) -> String {
    let Some(head) = &audit.head else { return "the journal is empty".to_owned() };
    let of_run = run.map(|run| format!(", {} of them of run {run}", audit.of_run)).unwrap_or_default();
    format!("the journal is as it was written: {} lines{of_run}\nlast line {}: {}", audit.lines, head.seq, head.hash)
}

fn flawed(audit: &Audit) -> String {
    let mut text = "the journal or its evidence is not as it was written".to_owned();
    for flaw in &audit.flaws {
        let seq = flaw.seq.map(|seq| format!("line {seq}: ")).unwrap_or_default();
        let run = flaw.run.as_ref().map(|run| format!(" (run {run})")).unwrap_or_default();
        text.push_str(&format!("\n{seq}{}{run}", flaw.says));
    }
    text
}

/// The journal in a format for other tools.
pub(crate) async fn export(database: &Database, run: Option<&str>, format: Format) -> Result<String, Trouble> {
    let mut driver = wiring::connect(database).await?;
    let entries = mig_executor::audit::export(&mut *driver, run).await.map_err(|stop| trouble(&stop))?;
    close(driver).await?;
    Ok(match format {
        Format::Json => {
            let objects: Vec<_> = entries.iter().map(|entry| json!(entry).to_string()).collect();
            format!("[\n{}\n]\n", objects.join(",\n"))
        }
        Format::Csv => csv(&entries),
    })
}

fn csv(entries: &[Entry]) -> String {
    let mut text = "seq,at,run,event,step,details,previous,hash\r\n".to_owned();
    for entry in entries {
        let [run, event, step] = columns(entry).map(Option::unwrap_or_default);
        let details = json!(entry.event)[&event].to_string();
        let hashes = [entry.previous.to_string(), entry.hash.to_string()];
        let cells = [entry.seq.to_string(), entry.at.clone(), run, event, step, details].into_iter().chain(hashes);
        text.push_str(&format!("{}\r\n", cells.map(|value| cell(&value)).collect::<Vec<_>>().join(",")));
    }
    text
}

/// A value as RFC 4180 quotes it.
fn cell(value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
