//! Rejected rows as text, JSON and CSV.

use mig_executor::Rejected;
use serde_json::{Value, json};

/// How rejected rows are written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// One JSON object a line
    Json,
    /// Comma-separated values with a line of names
    Csv,
}

impl Form {
    /// The rows as they are printed.
    pub(crate) fn written(self, rows: &[Rejected]) -> String {
        match self {
            Self::Text if rows.is_empty() => "no row was rejected".to_owned(),
            Self::Text => {
                let line = |row: &Rejected| format!("{} {}: {}\n    {}\n", row.step, row.key, row.reason, row.row);
                rows.iter().map(line).collect()
            }
            Self::Json => rows.iter().map(|row| format!("{}\n", object(row))).collect(),
            Self::Csv => {
                let line = |row: &Rejected| {
                    let cells = [&row.run, &row.step.0, &row.key, &row.reason, &row.row].map(|cell| quoted(cell));
                    format!("{}\r\n", cells.join(","))
                };
                std::iter::once("run,step,key,reason,row\r\n".to_owned()).chain(rows.iter().map(line)).collect()
            }
        }
    }
}

fn object(row: &Rejected) -> Value {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    json!({ "run": row.run, "step": row.step.0, "key": parsed(&row.key), "reason": row.reason, "row": parsed(&row.row) })
}

/// A cell as RFC 4180 has it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
