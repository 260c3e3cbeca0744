//! A directory of keys made by `ssh-keygen`, and its signing and verifying.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Keys and files in a directory of their own.
pub(super) struct Keygen {
    dir: TempDir,
}

impl Keygen {
    /// None, and a word about it, when the machine has no `ssh-keygen`.
    #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
    pub(super) fn found() -> Option<Self> {
        if Command::new("ssh-keygen").arg("-?").output().is_err() {
            eprintln!("SKIPPED: ssh-keygen is not installed, so nothing was checked against it");
            return None;
        }
        Some(Self { dir: TempDir::new().unwrap() })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes a key `name` with the comment `name@example.com`; gives its public half.
    pub(super) fn key(&self, name: &str, kind: &[&str], passphrase: &str) -> String {
        let comment = format!("{name}@example.com");
        let path = self.path(name);
        let path = path.to_str().unwrap();
        let mut args = vec!["-q", "-N", passphrase, "-C", &comment, "-f", path, "-t"];
        args.extend(kind);
        run(&args, b"");
        self.text(&format!("{name}.pub"))
    }

    /// A line of allowed signers: the key under its comment.
    pub(super) fn allow(&self, name: &str) -> String {
        format!("{name}@example.com {}", self.text(&format!("{name}.pub")))
    }

    /// What `ssh-keygen -Y sign` makes of a message.
    pub(super) fn sign(&self, name: &str, namespace: &str, options: &[&str], message: &[u8]) -> String {
        let path = self.path(name);
        let mut args = vec!["-Y", "sign", "-q", "-n", namespace, "-f", path.to_str().unwrap()];
        args.extend(options);
        String::from_utf8(run(&args, message).stdout).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` takes a signature.
    pub(super) fn accepts(&self, allowed: &str, who: &str, armored: &str, message: &[u8]) -> bool {
        let (signers, signature) = (self.path("allowed_signers"), self.path("given.sig"));
        fs::write(&signers, allowed).unwrap();
        fs::write(&signature, armored).unwrap();
        let (signers, signature) = (signers.to_str().unwrap(), signature.to_str().unwrap());
        let args = ["-Y", "verify", "-n", "mig-plan", "-f", signers, "-I", who, "-s", signature];
        spawn(&args, message).status.success()
    }
}

/// Runs `ssh-keygen`, which must succeed.
pub(super) fn run(args: &[&str], input: &[u8]) -> Output {
    let output = spawn(args, input);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn spawn(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new("ssh-keygen")
        .args(args)
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}
