//! Fingerprints: SHA-256 over a written encoding.
//!
//! The encoding is the compact JSON of the value as serde writes it: struct fields in declared order, maps sorted by key.
//! It holds no floating-point numbers, so it has one form.

use std::{
    fmt,
    io::{self, BufWriter, Write},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// `sha256:` and 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::finished(Sha256::new_with_prefix(bytes))
    }

    /// The fingerprint of a value's written encoding, which is never there as a whole: a schema's may be tens of megabytes.
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let mut out = BufWriter::new(Hashing(Sha256::new()));
        serde_json::to_writer(&mut out, value)
            .expect("the model's types always encode: string keys, no failing serializer");
        let Hashing(hash) = out.into_inner().map_err(|e| e.into_error()).expect("hashing takes any bytes");
        Self::finished(hash)
    }

    fn finished(hash: Sha256) -> Self {
        let mut out = String::from("sha256:");
        for byte in hash.finalize() {
            use fmt::Write as _;
            write!(out, "{byte:02x}").expect("writing to a string cannot fail");
        }
        Self(out)
    }

    /// The first `digits` hex digits.
    #[must_use]
    pub fn short(&self, digits: usize) -> &str {
        &self.0[7..7 + digits.min(64)]
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A hash as what bytes are written to.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom(format!("`{text}` is not `sha256:` and 64 hex digits")))
        }
    }
}
