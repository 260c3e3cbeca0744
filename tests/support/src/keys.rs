//! SSH keys made by the stock `ssh-keygen`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tool;

/// An ed25519 key pair in a directory of its own, which is removed on drop.
#[derive(Debug)]
pub struct Key {
    dir: TempDir,
}

impl Key {
    /// An unencrypted key pair with this comment.
    ///
    /// # Panics
    /// If `ssh-keygen` is missing or fails.
    pub fn new(comment: &str) -> Self {
        Self::encrypted(comment, "")
    }

    /// A key pair whose private half is encrypted with `passphrase`.
    ///
    /// # Panics
    /// If `ssh-keygen` is missing or fails.
    pub fn encrypted(comment: &str, passphrase: &str) -> Self {
        let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("cannot make a directory: {error}"));
        let key = Self { dir };
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-C", comment, "-N", passphrase, "-f"]).arg(key.path());
        tool::run(command, "", "openssh-client").unwrap_or_else(|error| panic!("{error}"));
        key
    }

    /// The private key file; the public one is beside it and ends in `.pub`.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("id_ed25519")
    }

    /// The public key, one line: type, base64, comment.
    ///
    /// # Panics
    /// If the file cannot be read.
    pub fn public(&self) -> String {
        let path = self.path().with_extension("pub");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.trim_end().to_owned()
    }

    /// A file in the `allowed_signers` form that trusts this key for these principals. It lives beside the key, and a
    /// second call replaces it.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn allowed_signers(&self, principals: &[&str]) -> PathBuf {
        let path = self.dir.path().join("allowed_signers");
        allowed_signers(&path, &[(&principals.join(","), self)]);
        path
    }
}

/// Writes an `allowed_signers` file: one line for each pair of principals (comma-separated, then perhaps options, as
/// in `alice@example.com namespaces="mig-plan"`) and key.
///
/// # Panics
/// If the file cannot be written.
pub fn allowed_signers(path: &Path, lines: &[(&str, &Key)]) {
    let text: String = lines.iter().map(|(who, key)| format!("{who} {}\n", key.public())).collect();
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;
    use std::process::Command;

    use super::{Key, allowed_signers};

    /// Does stock OpenSSH accept `who`'s signature by `key` under this list?
    fn verifies(dir: &Path, key: &Key, signers: &Path, who: &str) -> bool {
        let document = dir.join("plan.json");
        fs::write(&document, "{}\n").unwrap();
        let signature = dir.join("plan.json.sig");
        let _ = fs::remove_file(&signature);
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", "mig-plan", "-f"]).arg(key.path()).arg(&document);
        assert!(sign.status().unwrap().success());
        let mut verify = Command::new("ssh-keygen");
        verify.args(["-q", "-Y", "verify", "-n", "mig-plan", "-I", who, "-f"]).arg(signers).arg("-s").arg(&signature);
        verify.stdin(File::open(&document).unwrap()).output().unwrap().status.success()
    }

    #[test]
    fn a_key_signs_for_its_principals_only() {
        let (dir, key) = (tempfile::tempdir().unwrap(), Key::new("alice@laptop"));
        let signers = key.allowed_signers(&["alice@example.com", "al@example.com"]);
        assert!(key.public().ends_with(" alice@laptop"), "{}", key.public());
        assert!(verifies(dir.path(), &key, &signers, "alice@example.com"));
        assert!(verifies(dir.path(), &key, &signers, "al@example.com"));
        assert!(!verifies(dir.path(), &key, &signers, "bob@example.com"));
    }

    #[test]
    fn a_list_holds_many_keys() {
        let (dir, alice, bob) = (tempfile::tempdir().unwrap(), Key::new("alice"), Key::new("bob"));
        let signers = dir.path().join("signers");
        allowed_signers(&signers, &[("alice", &alice), ("bob namespaces=\"mig-plan\"", &bob)]);
        assert!(verifies(dir.path(), &bob, &signers, "bob"));
        assert!(!verifies(dir.path(), &bob, &signers, "alice"));
    }

    #[test]
    fn an_encrypted_key_asks_for_its_passphrase() {
        let key = Key::encrypted("carol", "secret");
        let opens = |passphrase: &str| {
            let mut command = Command::new("ssh-keygen");
            command.args(["-y", "-P", passphrase, "-f"]).arg(key.path());
            command.output().unwrap().status.success()
        };
        assert!(opens("secret"));
        assert!(!opens("wrong"));
    }
}
