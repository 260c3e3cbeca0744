//! Signing through a real `ssh-agent`, and through ones that misbehave.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::keygen::Keygen;
use super::{PLAN, judge};
use crate::sign::{AgentError, SignError, sign_with_agent};

/// An agent that ends with the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn agent(socket: &Path) -> Option<Agent> {
    let started = Command::new("ssh-agent").arg("-D").arg("-a").arg(socket).stdout(Stdio::null()).spawn();
    let Ok(child) = started else {
        eprintln!("SKIPPED: ssh-agent is not installed, so nothing was signed with it");
        return None;
    };
    for _ in 0..200 {
        if socket.exists() {
            return Some(Agent(child));
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("ssh-agent made no socket");
}

#[test]
fn what_an_agent_signs_both_sides_accept() {
    let Some(keys) = Keygen::found() else { return };
    let socket = keys.path("agent.sock");
    let Some(_agent) = agent(&socket) else { return };
    for (name, kind) in [("ed", &["ed25519"] as &[&str]), ("ec", &["ecdsa"]), ("rsa", &["rsa", "-b", "3072"])] {
        let public = keys.key(name, kind, "");
        let missing = sign_with_agent(PLAN, &public, &socket).unwrap_err();
        assert!(matches!(missing, SignError::Agent(AgentError::KeyMissing { .. })), "{missing}");
        let added =
            Command::new("ssh-add").arg("-q").arg(keys.path(name)).env("SSH_AUTH_SOCK", &socket).status().unwrap();
        assert!(added.success());
        let signed = sign_with_agent(PLAN, &public, &socket).unwrap();
        let who = format!("{name}@example.com");
        assert_eq!(signed.signer, who);
        assert!(keys.accepts(&keys.allow(name), &who, &signed.armored, PLAN), "{name}");
        assert!(judge(&signed.armored, &keys.allow(name)).is_good(), "{name}");
        let (kind_and_data, _) = public.trim().rsplit_once(' ').unwrap();
        assert!(crate::sign::agent_keys(&socket).unwrap().contains(&public.trim().to_owned()));
        let bare = sign_with_agent(PLAN, kind_and_data, &socket).unwrap();
        assert_eq!(bare.signer, who, "the agent knows the comment");
    }
}

#[test]
fn nobody_at_the_socket_is_said() {
    let Some(keys) = Keygen::found() else { return };
    let public = keys.key("ed", &["ed25519"], "");
    let error = sign_with_agent(PLAN, &public, &keys.path("none.sock")).unwrap_err();
    assert!(error.to_string().starts_with("cannot reach ssh-agent at "), "{error}");
    let error = sign_with_agent(PLAN, "hello", &keys.path("none.sock")).unwrap_err();
    assert!(matches!(error, SignError::PublicKey { .. }), "{error}");
}

#[test]
fn agents_that_answer_nonsense_are_errors() {
    let Some(keys) = Keygen::found() else { return };
    let public = keys.key("ed", &["ed25519"], "");
    let replies: [&[u8]; 6] = [
        b"",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\x01\x05",
        b"\0\0\0\x05\x0c\xff\xff\xff\xff",
        b"\0\0\0\x09\x0c\0\0\0\x01\xff\xff\xff\xff",
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let socket = keys.path(&format!("{number}.sock"));
        let listener = UnixListener::bind(&socket).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 5]).unwrap();
            stream.write_all(reply).unwrap();
        });
        let error = sign_with_agent(PLAN, &public, &socket).unwrap_err();
        assert!(matches!(error, SignError::Agent(_)), "{number}: {error}");
        server.join().unwrap();
    }
}
