//! Database URLs: `sqlite:///absolute`, `sqlite://relative`, `?mode=ro`, `?max_page_count=PAGES`.

use std::path::PathBuf;

use mig_executor::Failure;

/// Where a database file is, and how to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) read_only: bool,
    /// The most pages that the file may grow to.
    pub(super) max_pages: Option<u32>,
}

fn unreachable(says: String) -> Failure {
    Failure::Unreachable { says }
}

/// Reads a URL.
pub(super) fn parse(url: &str) -> Result<Place, Failure> {
    let rest =
        url.strip_prefix("sqlite:").ok_or_else(|| unreachable("the URL does not begin with `sqlite:`".to_owned()))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() || path == ":memory:" {
        return Err(unreachable(
            "the URL names no file; it is `sqlite:///absolute/path` or `sqlite://relative/path`".to_owned(),
        ));
    }
    let mut read_only = false;
    let mut max_pages = None;
    for setting in query.split('&').filter(|s| !s.is_empty()) {
        match setting {
            "mode=ro" => read_only = true,
            "mode=rw" => read_only = false,
            other if other.starts_with("max_page_count=") => {
                let pages = other.trim_start_matches("max_page_count=").parse();
                max_pages =
                    Some(pages.map_err(|_| unreachable(format!("`{other}` in the URL is no number of pages")))?);
            }
            other => {
                let says = format!(
                    "the URL says `{other}`; mig understands `mode=ro`, `mode=rw` and `max_page_count=PAGES`, and never makes a database"
                );
                return Err(unreachable(says));
            }
        }
    }
    Ok(Place { file: PathBuf::from(decoded(path)?), read_only, max_pages })
}

/// The path with `%xx` resolved.
fn decoded(path: &str) -> Result<String, Failure> {
    let bad = || unreachable(format!("`{path}` in the URL is not well encoded: a `%` is followed by two hex digits"));
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).ok_or_else(bad)?;
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| bad())?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

impl Place {
    /// The file's real path, if there is one.
    pub(super) fn existing(&self) -> Result<PathBuf, Failure> {
        let shown = self.file.display();
        let real = self.file.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => unreachable(format!(
                "there is no database file at {shown}; mig never makes one: `sqlite3 {shown} 'vacuum'` does"
            )),
            _ => unreachable(format!("{shown} cannot be opened: {error}")),
        })?;
        if real.is_file() { Ok(real) } else { Err(unreachable(format!("{shown} is not a file"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_modes() {
        let of = |url: &str| parse(url).map(|place| (place.file.display().to_string(), place.read_only)).ok();
        assert_eq!(of("sqlite:///a/b.db"), Some(("/a/b.db".to_owned(), false)));
        assert_eq!(of("sqlite://b%20c.db?mode=ro"), Some(("b c.db".to_owned(), true)));
        for bad in ["postgres://x", "sqlite://", "sqlite::memory:", "sqlite://x?mode=rwc", "sqlite://x%2"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
