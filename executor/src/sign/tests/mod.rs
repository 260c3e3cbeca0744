//! Against the real `ssh-keygen` and `ssh-agent`: both programs must accept what the other one makes.

mod admission;
#[cfg(unix)]
mod agent;
mod keygen;
mod mutation;
mod round_trip;
mod security_key;

use super::{AllowedSigners, Revoked, Verdict, verify};
use std::time::SystemTime;

/// A small plan.
const PLAN: &[u8] = b"{\n  \"format\": \"mig-plan/1\",\n  \"steps\": []\n}\n";

/// The verdict over one signature of [`PLAN`], now, with nobody revoked.
fn judge(armored: &str, allowed: &str) -> Verdict {
    judge_bytes(PLAN, armored.as_bytes(), allowed)
}

fn judge_bytes(plan: &[u8], signature: &[u8], allowed: &str) -> Verdict {
    let allowed = AllowedSigners::parse(allowed, "allowed_signers").unwrap();
    let files = [("plan.json.sig".to_owned(), signature.to_vec())];
    verify(plan, &files, &allowed, &Revoked::default(), SystemTime::now()).remove(0)
}

/// Why a signature is bad.
fn bad(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Bad { why, .. } => why,
        other => panic!("not bad: {other:?}"),
    }
}

/// Why a signature is unknown.
fn unknown(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Unknown { why, .. } => why,
        other => panic!("not unknown: {other:?}"),
    }
}
