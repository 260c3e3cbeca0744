//! Transcripts in Markdown: in ```` ```console ```` blocks a line that begins with `$ ` is a command, and what follows it is what it
//! printed.

/// One command of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command as a shell takes it.
    pub line: String,
    /// What it printed, with a final newline unless it printed nothing.
    pub output: String,
}

/// A piece of a transcript's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text between commands, as it stands.
    Text(String),
    /// A command with its output.
    Run(Command),
}

/// Cuts a Markdown text into its commands and what stands between them.
pub fn parse(markdown: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut inside = false;
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.starts_with("```");
        match (is_fence, inside, line.strip_prefix("$ ")) {
            (false, true, Some(command)) => {
                pieces.push(Piece::Run(Command { line: command.trim_end().to_owned(), output: String::new() }));
            }
            (false, true, None) if matches!(pieces.last(), Some(Piece::Run(_))) => {
                if let Some(Piece::Run(command)) = pieces.last_mut() {
                    command.output.push_str(line);
                }
            }
            _ => match pieces.last_mut() {
                Some(Piece::Text(text)) => text.push_str(line),
                _ => pieces.push(Piece::Text(line.to_owned())),
            },
        }
        if is_fence {
            inside = !inside && line.trim_end() == "```console";
        }
    }
    pieces
}

/// The text of pieces.
pub fn unparse(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Run(command) => format!("$ {}\n{}", command.line, command.output),
    };
    pieces.iter().map(one).collect()
}

/// What differs from run to run, made alike: digests, run ids, key fingerprints, times, ports, server versions.
pub fn redact(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, written) = redacted(rest, out.chars().last()).unwrap_or((c.len_utf8(), &rest[..c.len_utf8()]));
        out.push_str(written);
        rest = &rest[taken..];
    }
    out
}

/// How many bytes at the start differ from run to run, and what stands for them.
fn redacted(rest: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let run = |from: usize, ok: fn(char) -> bool| rest[from..].find(|c| !ok(c)).unwrap_or(rest.len() - from);
    let starts = |prefix: &str| rest.starts_with(prefix).then_some(prefix.len());
    if before.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    if let Some(at) = starts("sha256:") {
        return Some((at + run(at, |c| c.is_ascii_hexdigit()), "sha256:DIGEST"));
    }
    if let Some(at) = starts("SHA256:") {
        return Some((at + run(at, |c| c.is_ascii_alphanumeric() || "+/".contains(c)), "SHA256:KEY"));
    }
    if let Some(at) = starts("127.0.0.1:") {
        return Some((at + run(at, |c| c.is_ascii_alphanumeric() || "/_-".contains(c)), "HOST"));
    }
    if let Some(at) = starts("postgres ") {
        let digits = run(at, |c| c.is_ascii_digit());
        return (digits > 0).then_some((at + digits, "postgres VERSION"));
    }
    let digits = run(0, |c| c.is_ascii_digit());
    if digits > 0 && rest[digits..].starts_with(" ms") && !rest[digits..].starts_with(" ms each") {
        return Some((digits + 3, "TIME"));
    }
    let id = run(0, |c| c.is_ascii_hexdigit() || c == '-');
    if digits == 8 && id >= 22 && rest.as_bytes()[8] == b'-' && rest.as_bytes()[15] == b'-' {
        return Some((id, "RUN"));
    }
    None
}
