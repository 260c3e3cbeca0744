//! Transcripts in Markdown: in ```` ```console ```` blocks a line that begins with `$ ` is a command, and what follows it is what it
//! printed.

/// One command of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The command as a shell takes it.
    pub(crate) line: String,
    /// What it printed, with a final newline unless it printed nothing.
    pub(crate) output: String,
}

/// A piece of a transcript's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text between commands, as it stands.
    Text(String),
    /// A command with its output.
    Run(Command),
}

/// Cuts a Markdown text into its commands and what stands between them.
pub(crate) fn parse(markdown: &str) -> Vec<Piece> {
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
