//! Signing through an `ssh-agent`: the two requests of its protocol that a signature needs.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey, Signature, SshSig};

use super::NAMESPACE;
use super::allowed::fingerprint;
use super::key::{SignError, SignatureFile};
use super::proof::{self, Fault};
use super::source;

const LIST_KEYS: u8 = 11;
const KEYS: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;
/// Asks for SHA-512 where an RSA key would otherwise sign over SHA-1.
const RSA_SHA512: u32 = 4;
/// OpenSSH's own limit of a message.
const LARGEST: usize = 256 * 1024;
/// How long the agent may take to answer: it may be waiting for a person to touch a key.
#[cfg(unix)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Why an agent did not sign.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody listens at the socket.
    #[error("cannot reach ssh-agent at {}: {source}", socket.display())]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The connection broke, or the agent took too long.
    #[error("cannot talk to ssh-agent: {source}")]
    Broken {
        /// What the system says.
        #[from]
        source: io::Error,
    },
    /// The answer is not one of the protocol.
    #[error("ssh-agent gave an answer that cannot be read: {what}")]
    Nonsense {
        /// What was expected.
        what: &'static str,
    },
    /// The agent holds other keys.
    #[error("ssh-agent does not hold the key {wanted}; it holds {}: run `ssh-add KEY`", list(.held))]
    KeyMissing {
        /// The key that was asked for, as `SHA256:...`.
        wanted: String,
        /// The keys that it holds.
        held: Vec<String>,
    },
    /// The agent holds the key and did not sign.
    #[error("ssh-agent refused to sign with {fingerprint}: it may be locked, or the request was not confirmed")]
    Refused {
        /// The key, as `SHA256:...`.
        fingerprint: String,
    },
}

fn list(keys: &[String]) -> String {
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}

/// Signs a plan's exact bytes with a key that the agent at `socket` holds, given its public half (`TYPE BASE64 [COMMENT]`).
///
/// # Errors
/// When the public key cannot be read or its signatures would not count, and when the agent cannot be reached, lacks the
/// key, or refuses.
pub fn sign_with_agent(plan_bytes: &[u8], public_key_openssh: &str, socket: &Path) -> Result<SignatureFile, SignError> {
    let mut key = source::public_key(public_key_openssh.trim()).map_err(|why| SignError::PublicKey { why })?;
    if let Err(Fault::Bad(why) | Fault::Unsupported(why)) = proof::supported(key.key_data()) {
        return Err(SignError::Unsupported { why });
    }
    let crypto = |source| SignError::Crypto { source };
    let blob = key.to_bytes().map_err(crypto)?;
    let mut agent = Agent { stream: connect(socket)? };
    let comment = agent.comment_of(&blob, &key)?;
    if key.comment().is_empty() {
        key.set_comment(comment);
    }
    let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, plan_bytes).map_err(crypto)?;
    let flags = if matches!(key.key_data(), KeyData::Rsa(_)) { RSA_SHA512 } else { 0 };
    let raw = agent
        .sign(&blob, &data, flags)?
        .ok_or_else(|| AgentError::Refused { fingerprint: fingerprint(key.key_data()) })?;
    let signature = Signature::try_from(raw.as_slice()).map_err(|_| AgentError::Nonsense { what: "a signature" })?;
    let sig = SshSig::new(key.key_data().clone(), NAMESPACE, HashAlg::Sha512, signature).map_err(crypto)?;
    SignatureFile::new(plan_bytes, &key, &sig)
}

/// The keys that the agent at `socket` holds and whose signatures would count, as `TYPE BASE64 COMMENT`, in its order.
///
/// # Errors
/// When the agent cannot be reached or does not answer as one.
pub fn agent_keys(socket: &Path) -> Result<Vec<String>, AgentError> {
    let keys = Agent { stream: connect(socket)? }.keys()?;
    let usable = keys.into_iter().filter_map(|(blob, comment)| {
        let mut key = PublicKey::from_bytes(&blob).ok()?;
        key.set_comment(comment);
        let counts = !key.key_data().is_certificate() && proof::supported(key.key_data()).is_ok();
        counts.then(|| key.to_openssh().ok()).flatten()
    });
    Ok(usable.collect())
}

#[cfg(unix)]
fn connect(socket: &Path) -> Result<std::os::unix::net::UnixStream, AgentError> {
    let stream = std::os::unix::net::UnixStream::connect(socket)
        .map_err(|source| AgentError::Unreachable { socket: socket.to_owned(), source })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

#[cfg(not(unix))]
fn connect(socket: &Path) -> Result<std::net::TcpStream, AgentError> {
    let source = io::Error::new(io::ErrorKind::Unsupported, "agents are reached through Unix sockets only");
    Err(AgentError::Unreachable { socket: socket.to_owned(), source })
}

struct Agent<S> {
    stream: S,
}

impl<S: Read + Write> Agent<S> {
    /// The keys that the agent holds: encoded, with their comments.
    fn keys(&mut self) -> Result<Vec<(Vec<u8>, String)>, AgentError> {
        let nonsense = || AgentError::Nonsense { what: "the list of its keys" };
        let reply = self.ask(&[LIST_KEYS])?;
        let (&KEYS, mut rest) = reply.split_first().ok_or_else(nonsense)? else { return Err(nonsense()) };
        let count = take_number(&mut rest).ok_or_else(nonsense)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let blob = take_string(&mut rest).ok_or_else(nonsense)?.to_vec();
            let comment = take_string(&mut rest).ok_or_else(nonsense)?;
            keys.push((blob, String::from_utf8_lossy(comment).into_owned()));
        }
        Ok(keys)
    }

    /// The comment that the agent has for a key; an error that lists what it holds when it lacks the key.
    fn comment_of(&mut self, blob: &[u8], key: &PublicKey) -> Result<String, AgentError> {
        let keys = self.keys()?;
        if let Some((_, comment)) = keys.iter().find(|(other, _)| other == blob) {
            return Ok(comment.clone());
        }
        let held = keys.iter().filter_map(|(other, _)| PublicKey::from_bytes(other).ok());
        let held = held.map(|other| fingerprint(other.key_data())).collect();
        Err(AgentError::KeyMissing { wanted: fingerprint(key.key_data()), held })
    }

    /// The agent's signature in SSH's encoding, or nothing when it declines.
    fn sign(&mut self, blob: &[u8], data: &[u8], flags: u32) -> Result<Option<Vec<u8>>, AgentError> {
        let nonsense = || AgentError::Nonsense { what: "a signature" };
        let mut request = vec![SIGN];
        put_string(&mut request, blob)?;
        put_string(&mut request, data)?;
        request.extend_from_slice(&flags.to_be_bytes());
        let reply = self.ask(&request)?;
        match reply.split_first() {
            Some((&SIGNED, mut rest)) => take_string(&mut rest).map(|raw| Some(raw.to_vec())).ok_or_else(nonsense),
            Some(_) => Ok(None),
            None => Err(nonsense()),
        }
    }

    fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, AgentError> {
        let mut framed = Vec::with_capacity(request.len() + 4);
        put_string(&mut framed, request)?;
        self.stream.write_all(&framed)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > LARGEST {
            return Err(AgentError::Nonsense { what: "a message of at most 256 KiB" });
        }
        let mut reply = vec![0; length];
        self.stream.read_exact(&mut reply)?;
        Ok(reply)
    }
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), AgentError> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a message is too long for the protocol");
    let length = u32::try_from(bytes.len()).map_err(too_long)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}
