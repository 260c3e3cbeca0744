//! The file of those who may sign, in OpenSSH's ALLOWED SIGNERS format (`man ssh-keygen`).

use std::time::SystemTime;

use ssh_key::{HashAlg, public::KeyData};

use super::NAMESPACE;
use super::pattern::PatternList;
use super::source::{self, BadLine};
use super::stamp::{self, Bound};

/// Who may sign, and until when.
#[derive(Clone, Debug, Default)]
pub struct AllowedSigners {
    file: String,
    lines: Vec<Line>,
    ignored: Vec<BadLine>,
}

/// One key and the principals that it may sign for.
#[derive(Clone, Debug)]
struct Line {
    number: usize,
    principals: PatternList,
    options: Options,
    key: KeyData,
}

#[derive(Clone, Debug, Default)]
struct Options {
    cert_authority: bool,
    namespaces: Option<PatternList>,
    valid_after: Option<i64>,
    valid_before: Option<i64>,
}

impl AllowedSigners {
    /// Reads the file's text. `file_label` is what messages call the file.
    ///
    /// # Errors
    /// Every line that cannot be read, with its number: a line that is not understood could be one that takes away.
    pub fn parse(text: &str, file_label: &str) -> Result<Self, Vec<BadLine>> {
        let mut signers = Self { file: file_label.to_owned(), ..Self::default() };
        let mut bad = Vec::new();
        for (number, text) in source::lines(text) {
            match Line::parse(number, text) {
                Ok(line) => {
                    if let Some(why) = line.counts_for_nothing() {
                        signers.ignored.push(signers.at(number, why));
                    }
                    signers.lines.push(line);
                }
                Err(why) => bad.push(signers.at(number, why)),
            }
        }
        if bad.is_empty() { Ok(signers) } else { Err(bad) }
    }

    /// The lines that are well formed and yet count for nothing, to be shown to the user: those about certificates.
    #[must_use]
    pub fn ignored(&self) -> &[BadLine] {
        &self.ignored
    }

    /// The principals that a key may sign a plan for at a time, one list for each line that allows it; or why there are none.
    pub(crate) fn principals(&self, key: &KeyData, now: SystemTime) -> Result<Vec<PatternList>, String> {
        let now = stamp::seconds(now);
        let (mut found, mut reasons) = (Vec::new(), Vec::new());
        for line in self.lines.iter().filter(|line| line.key == *key) {
            match line.refuses(now) {
                None => found.push(line.principals.clone()),
                Some(why) => reasons.push(self.at(line.number, why).to_string()),
            }
        }
        match (found.is_empty(), reasons.is_empty()) {
            (false, _) => Ok(found),
            (true, true) if self.file.is_empty() => Err("no allowed signers are configured".to_owned()),
            (true, true) => Err(format!("no line of {} names its key", self.file)),
            (true, false) => Err(reasons.join("; ")),
        }
    }

    fn at(&self, line: usize, why: String) -> BadLine {
        BadLine { file: self.file.clone(), line, why }
    }
}

impl Line {
    fn parse(number: usize, text: &str) -> Result<Self, String> {
        let (principals, rest) = principals(text)?;
        let principals = PatternList::parse(principals).map_err(|error| error.to_string())?;
        if principals.is_empty() {
            return Err(format!("the principals `{principals}` stand for nobody"));
        }
        let first = rest.split_whitespace().next().unwrap_or_default();
        let (options, key) = if source::begins_key(first) || first.is_empty() {
            (Options::default(), rest)
        } else {
            let (options, key) = split_unquoted(rest, char::is_whitespace);
            (Options::parse(options)?, key.unwrap_or_default())
        };
        let key = source::public_key(key)?;
        Ok(Self { number, principals, options, key: key.into() })
    }

    fn counts_for_nothing(&self) -> Option<String> {
        if self.options.cert_authority {
            Some(
                "cert-authority is not supported yet: the line counts for nothing, list the signers' own keys"
                    .to_owned(),
            )
        } else if self.key.is_certificate() {
            Some("the key is a certificate, which is not supported yet: the line counts for nothing".to_owned())
        } else {
            None
        }
    }

    fn refuses(&self, now: i64) -> Option<String> {
        if let Some(why) = self.counts_for_nothing() {
            return Some(why);
        }
        if let Some(namespaces) = self.options.namespaces.as_ref().filter(|list| !list.matches(NAMESPACE)) {
            return Some(format!("the key may sign for namespaces `{namespaces}`, not for `{NAMESPACE}`"));
        }
        if let Some(after) = self.options.valid_after.filter(|&after| now < after) {
            return Some(format!("the key is valid only after {}", stamp::show(after)));
        }
        let before = self.options.valid_before.filter(|&before| now > before)?;
        Some(format!("the key has expired: it was valid before {}", stamp::show(before)))
    }
}

impl Options {
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = Some(text);
        while let Some(here) = rest {
            let (option, next) = split_unquoted(here, |c| c == ',');
            options.take(option)?;
            rest = next;
        }
        if let (Some(after), Some(before)) = (options.valid_after, options.valid_before)
            && before <= after
        {
            return Err("valid-before is not later than valid-after, so the key is never valid".to_owned());
        }
        Ok(options)
    }

    fn take(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name.to_ascii_lowercase(), Some(unquote(value)?)),
            None => (option.to_ascii_lowercase(), None),
        };
        let twice = || format!("the option {name} occurs twice");
        match (name.as_str(), value) {
            ("cert-authority", None) => self.cert_authority = true,
            ("namespaces", Some(value)) => {
                let list = PatternList::parse(value).map_err(|error| error.to_string())?;
                self.namespaces.replace(list).map_or(Ok(()), |_| Err(twice()))?;
            }
            ("valid-after", Some(value)) => {
                let time = stamp::parse(value, Bound::After)?;
                self.valid_after.replace(time).map_or(Ok(()), |_| Err(twice()))?;
            }
            ("valid-before", Some(value)) => {
                let time = stamp::parse(value, Bound::Before)?;
                self.valid_before.replace(time).map_or(Ok(()), |_| Err(twice()))?;
            }
            ("cert-authority", Some(_)) => return Err("the option cert-authority takes no value".to_owned()),
            ("namespaces" | "valid-after" | "valid-before", None) => {
                return Err(format!("the option {name} needs a value, as in {name}=\"...\""));
            }
            _ => return Err(format!("unknown option `{option}`")),
        }
        Ok(())
    }
}

/// Splits off the first field: quoted as a whole, or up to white space.
fn principals(text: &str) -> Result<(&str, &str), String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (field, rest) = quoted.split_once('"').ok_or("a quote around the principals is not closed")?;
        if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
            return Err("white space is missing after the quoted principals".to_owned());
        }
        return Ok((field, rest.trim_start()));
    }
    Ok(text.split_once(char::is_whitespace).map_or((text, ""), |(field, rest)| (field, rest.trim_start())))
}

/// Splits at the first separator outside double quotes; `\"` does not end a quoted part.
fn split_unquoted(text: &str, separator: impl Fn(char) -> bool) -> (&str, Option<&str>) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if !quoted && separator(c) => return (&text[..at], Some(text[at + c.len_utf8()..].trim_start())),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    (text, None)
}

fn unquote(value: &str) -> Result<&str, String> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or_else(|| format!("a quote is not closed in `{value}`"))?,
        None => value,
    };
    if inner.contains(['"', '\\']) {
        return Err(format!("`{value}` has a quote or a backslash inside, which no option value needs"));
    }
    Ok(inner)
}

/// A key's fingerprint as OpenSSH prints it: `SHA256:...`. A certificate has the fingerprint of the key that it certifies.
pub(crate) fn fingerprint(key: &KeyData) -> String {
    bare(key).fingerprint(HashAlg::Sha256).to_string()
}

/// The key itself, or the key that a certificate is about.
pub(crate) fn bare(key: &KeyData) -> &KeyData {
    key.certificate().map_or(key, |certificate| certificate.public_key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn at(text: &str) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(stamp::parse(text, Bound::After).unwrap()).unwrap())
    }

    fn look(line: &str, now: &str) -> Result<Vec<String>, String> {
        let key = source::public_key(KEY).unwrap();
        let signers = AllowedSigners::parse(line, "allowed").map_err(|bad| bad[0].to_string())?;
        Ok(signers.principals(key.key_data(), at(now))?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_in_every_shape() {
        for head in [
            "alice@x",
            "  \"alice@x\"\t",
            "alice@x namespaces=\"mig-plan,git\"",
            "alice@x Namespaces=\"*,!file\" ",
            "alice@x valid-after=\"20260101Z\",valid-before=20270101Z",
        ] {
            let line = format!("# comment\n\n{head}   {KEY} a comment");
            assert_eq!(look(&line, "20260601Z"), Ok(vec!["alice@x".to_owned()]), "{head}");
        }
        assert_eq!(look(&format!("alice {KEY}\nbob,rob {KEY}"), "20260601Z").unwrap(), ["alice", "bob,rob"]);
    }

    #[test]
    fn options_that_do_not_hold_say_so() {
        for (options, expected) in [
            ("namespaces=\"git\"", "allowed:1: the key may sign for namespaces `git`"),
            ("namespaces=\"*,!mig-plan\"", "not for `mig-plan`"),
            ("valid-after=20260602Z", "valid only after 2026-06-02"),
            ("valid-before=20260531Z", "has expired"),
            ("cert-authority", "cert-authority is not supported yet"),
        ] {
            let why = look(&format!("alice {options} {KEY}"), "20260601Z").unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
        let signers = AllowedSigners::parse(&format!("alice cert-authority {KEY}"), "allowed").unwrap();
        assert_eq!(signers.ignored().len(), 1);
    }

    #[test]
    fn both_ends_of_a_validity_belong_to_it() {
        let line = format!("alice valid-after=20260601Z,valid-before=20260602Z {KEY}");
        for (now, good) in
            [("20260531235959Z", false), ("20260601Z", true), ("20260602Z", true), ("20260602000001Z", false)]
        {
            assert_eq!(look(&line, now).is_ok(), good, "{now}");
        }
    }

    #[test]
    fn bad_lines_are_all_reported_with_their_numbers() {
        let text = format!(
            "# signers\nalice bogus {KEY}\nbob\n\"carol {KEY}\ndave namespaces=git,mig-plan {KEY}\n\
             erin valid-after=\"tomorrow\" {KEY}\nfrank ssh-ed25519 AAAA\n!gina {KEY}\nhank valid-before {KEY}\n\
             ida valid-after=20260102Z,valid-before=20260101Z {KEY}\njoe namespaces=\"git {KEY}\n\
             kim namespaces=\"a\",namespaces=\"b\" {KEY}\nok {KEY}"
        );
        let bad = AllowedSigners::parse(&text, "allowed").unwrap_err();
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), (2..=12).collect::<Vec<_>>(), "{bad:#?}");
        assert_eq!(bad[0].to_string(), "allowed:2: unknown option `bogus`");
    }
}
