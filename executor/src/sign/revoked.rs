//! Keys that are revoked, as text: public keys or fingerprints, one a line.

use std::collections::BTreeSet;

use ssh_key::{Fingerprint, HashAlg, public::KeyData};

use super::allowed::bare;
use super::source::{self, BadLine};

/// What a binary key revocation list begins with.
const KRL_MAGIC: &[u8] = b"SSHKRL\n\0";

/// Revoked keys: a signature by one of them is bad, whoever is allowed.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    fingerprints: BTreeSet<Fingerprint>,
}

impl Revoked {
    /// Reads a file's bytes: each line a public key in OpenSSH's format or a fingerprint `SHA256:...`, `#` begins a comment.
    /// `file_label` is what messages call the file.
    ///
    /// # Errors
    /// Every line that cannot be read, and a binary revocation list (KRL) as a whole: nothing is skipped, since what is not
    /// understood could be the key that matters.
    pub fn parse(bytes: &[u8], file_label: &str) -> Result<Self, Vec<BadLine>> {
        let bad = |line, why: &str| BadLine { file: file_label.to_owned(), line, why: why.to_owned() };
        if bytes.starts_with(KRL_MAGIC) {
            let why = "this is a binary revocation list (KRL), which only ssh-keygen reads: list the revoked keys as text, \
                       one public key or SHA256: fingerprint a line";
            return Err(vec![bad(1, why)]);
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| vec![bad(1, "the file is not text: list one public key or SHA256: fingerprint a line")])?;
        let (mut fingerprints, mut wrong) = (BTreeSet::new(), Vec::new());
        for (number, line) in source::lines(text) {
            match entry(line) {
                Ok(fingerprint) => drop(fingerprints.insert(fingerprint)),
                Err(why) => wrong.push(bad(number, &why)),
            }
        }
        if wrong.is_empty() { Ok(Self { fingerprints }) } else { Err(wrong) }
    }

    /// Whether a key is revoked: itself, or, for a certificate, the key it is about or the authority that issued it.
    pub(crate) fn contains(&self, key: &KeyData) -> bool {
        let issuer = key.certificate().map(|certificate| certificate.signature_key());
        [Some(bare(key)), issuer].into_iter().flatten().any(|key| {
            [HashAlg::Sha256, HashAlg::Sha512].iter().any(|&hash| self.fingerprints.contains(&key.fingerprint(hash)))
        })
    }
}

fn entry(line: &str) -> Result<Fingerprint, String> {
    let first = line.split_whitespace().next().unwrap_or_default();
    if first.starts_with("SHA256:") || first.starts_with("SHA512:") {
        return first.parse().map_err(|_| format!("`{first}` is not a fingerprint"));
    }
    if !source::begins_key(first) {
        return Err(format!("`{first}` begins neither a public key nor a fingerprint such as SHA256:..."));
    }
    Ok(bare(source::public_key(line)?.key_data()).fingerprint(HashAlg::Sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn keys_and_fingerprints() {
        let key = source::public_key(KEY).unwrap();
        let data = key.key_data();
        for text in [
            format!("# lost laptop\n{KEY} alice"),
            data.fingerprint(HashAlg::Sha256).to_string(),
            format!("{} alice", data.fingerprint(HashAlg::Sha512)),
        ] {
            assert!(Revoked::parse(text.as_bytes(), "revoked").unwrap().contains(data));
        }
        assert!(!Revoked::parse(b"# none\n", "revoked").unwrap().contains(data));
    }

    #[test]
    fn nothing_is_skipped() {
        let bad = Revoked::parse(b"SSHKRL\n\0\0\0\0\x01", "revoked").unwrap_err();
        assert!(bad[0].to_string().contains("list the revoked keys as text"));
        assert!(Revoked::parse(b"\xff\xfe", "revoked").is_err());
        let bad = Revoked::parse(b"\nSHA256:short\nalice\nssh-ed25519 AAAA\n", "revoked").unwrap_err();
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
