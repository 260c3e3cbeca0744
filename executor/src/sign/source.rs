//! Places in the text files that people write: allowed signers and revoked keys.

use std::fmt;

use ssh_key::PublicKey;

/// A line that cannot be taken as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The label that the caller gave the file, usually its path.
    pub file: String,
    /// Counted from one.
    pub line: usize,
    /// What is wrong, as a lower-case fragment.
    pub why: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// The lines that say something, with their numbers: neither blank nor a comment.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a word is how OpenSSH begins a public key, so that an error can speak of the key and not of an option.
pub(crate) fn begins_key(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-", "rsa-"].iter().any(|prefix| word.starts_with(prefix))
}

/// A public key as `TYPE BASE64 [COMMENT]`, with any amount of white space in between.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let mut words = text.split_whitespace();
    let (Some(kind), Some(data)) = (words.next(), words.next()) else {
        return Err("a public key is missing: expected `TYPE BASE64 [COMMENT]`".to_owned());
    };
    let comment = words.collect::<Vec<_>>().join(" ");
    let mut key = PublicKey::from_openssh(&format!("{kind} {data}"))
        .map_err(|error| format!("the public key `{kind} ...` cannot be read: {error}"))?;
    key.set_comment(comment);
    Ok(key)
}
