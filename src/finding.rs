//! Findings of the compiler, shown with their places: framed on a terminal, one plain block each elsewhere.

use std::{fmt, fmt::Write as _, ops::Range, sync::Arc};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};

use crate::terminal;

/// A place in a file, with its text and what is there.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// The file's path as the user knows it.
    pub(crate) path: String,
    /// The file's text.
    pub(crate) text: Arc<str>,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
    /// What is there, in a few words; may be empty.
    pub(crate) label: String,
}

/// One finding with everything that showing it needs.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The stable code.
    pub(crate) code: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is wrong.
    pub(crate) says: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// Where.
    pub(crate) spot: Option<Spot>,
    /// Other places that matter.
    pub(crate) related: Vec<Spot>,
}

impl Shown {
    /// Prints it to standard error.
    pub(crate) fn show(&self) {
        terminal::complain(&if terminal::watched() { self.framed() } else { self.plain() });
    }

    fn framed(&self) -> String {
        let theme =
            if terminal::error_colours() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(terminal::width());
        let mut text = String::new();
        match handler.render_report(&mut text, &Framed::new(self)) {
            Ok(()) => text,
            Err(fmt::Error) => self.plain(),
        }
    }

    fn plain(&self) -> String {
        let mut text = format!("{}[{}]: {}\n", word(self.severity), self.code, self.says);
        for spot in self.spot.iter().chain(&self.related) {
            spot.write(&mut text);
        }
        for line in self.help.iter().flat_map(|help| help.lines()) {
            writeln!(text, "  help: {line}").expect("writing to a string cannot fail");
        }
        text
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Advice => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

impl Spot {
    fn write(&self, out: &mut String) {
        let start = self.span.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        let source = self.text[line_start..].lines().next().unwrap_or_default();
        let label = if self.label.is_empty() { String::new() } else { format!(" ({})", self.label) };
        writeln!(out, "  --> {}:{line}:{column}{label}", self.path).expect("writing to a string cannot fail");
        if !source.trim().is_empty() {
            writeln!(out, "   |  {source}").expect("writing to a string cannot fail");
        }
    }

    fn labelled(&self) -> LabeledSpan {
        let label = (!self.label.is_empty()).then(|| self.label.clone());
        LabeledSpan::new(label, self.span.start, self.span.len())
    }

    fn source(&self) -> NamedSource<Arc<str>> {
        NamedSource::new(&self.path, Arc::clone(&self.text))
    }
}

/// A finding in the form that the report handler takes: one source, and what is elsewhere as findings of their own.
#[derive(Debug)]
struct Framed {
    code: &'static str,
    severity: Severity,
    says: String,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Framed>,
}

impl Framed {
    fn new(shown: &Shown) -> Self {
        let here = shown.spot.as_ref();
        let (near, far): (Vec<_>, Vec<_>) =
            shown.related.iter().partition(|spot| here.is_some_and(|here| here.path == spot.path));
        Self {
            code: shown.code,
            severity: shown.severity,
            says: shown.says.clone(),
            help: shown.help.clone(),
            source: here.map(Spot::source),
            labels: here.into_iter().chain(near).map(Spot::labelled).collect(),
            elsewhere: far.into_iter().map(Self::elsewhere).collect(),
        }
    }

    fn elsewhere(spot: &Spot) -> Self {
        Self {
            code: "",
            severity: Severity::Advice,
            says: if spot.label.is_empty() { "see also".to_owned() } else { spot.label.clone() },
            help: None,
            source: Some(spot.source()),
            labels: vec![spot.labelled()],
            elsewhere: Vec::new(),
        }
    }
}

impl fmt::Display for Framed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl std::error::Error for Framed {}

impl Diagnostic for Framed {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.code.is_empty()).then(|| Box::new(self.code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.elsewhere.iter().map(|one| one as &dyn Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &str, text: &str, what: &str, label: &str) -> Spot {
        let start = text.find(what).unwrap();
        Spot { path: path.to_owned(), text: text.into(), span: start..start + what.len(), label: label.to_owned() }
    }

    fn twice() -> Shown {
        Shown {
            code: "MIG-E007",
            severity: Severity::Error,
            says: "table `users` is declared twice".to_owned(),
            help: Some("keep one of them".to_owned()),
            spot: Some(spot("specs/b.toml", "# b\n[table.users]\n", "table.users", "")),
            related: vec![spot("specs/a.toml", "[table.users]\n", "table.users", "first declared here")],
        }
    }

    #[test]
    fn plain_shows_both_places() {
        insta::assert_snapshot!(twice().plain(), @r"
        error[MIG-E007]: table `users` is declared twice
          --> specs/b.toml:2:2
           |  [table.users]
          --> specs/a.toml:1:2 (first declared here)
           |  [table.users]
          help: keep one of them
        ");
    }

    #[test]
    fn framed_shows_both_places() {
        let text = twice().framed();
        assert!(text.contains("specs/a.toml") && text.contains("specs/b.toml"), "{text}");
    }

    #[test]
    fn a_span_past_the_end_is_shown_at_the_end() {
        let mut shown = twice();
        shown.spot.as_mut().unwrap().span = 500..600;
        assert!(shown.plain().contains("specs/b.toml:3:1"));
    }
}
