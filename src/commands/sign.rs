//! `mig sign`: a signature beside a plan.

use std::{
    env,
    path::{Path, PathBuf},
    time::SystemTime,
};

use mig_executor::sign::{
    AllowedSigners, Revoked, SignError, SignatureFile, Verdict, sign_with_agent, sign_with_key, verify,
};

use crate::{
    exit::{Outcome, Reason, Trouble},
    files, plan_file, terminal,
};

/// Sign the exact bytes of a plan with an SSH key. The signature is a file beside the plan that `ssh-keygen -Y verify -n mig-plan`
/// accepts; one made by `ssh-keygen -Y sign -n mig-plan` counts as well.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The plan file
    plan: PathBuf,
    /// The private key, or the public half of one that ssh-agent holds [default: ~/.ssh/id_ed25519]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<Outcome, Trouble> {
    sign(&args.plan, args.key.as_deref())?;
    Ok(Outcome::Done)
}

/// Signs a plan file with a key, or with the usual one.
pub(crate) fn sign(plan: &Path, key: Option<&Path>) -> Result<(), Trouble> {
    // What cannot be read as a plan is not worth a signature.
    let file = plan_file::read(plan)?;
    let key = match key {
        Some(key) => key.to_owned(),
        None => usual_key()?,
    };
    let signature = with_key(&file.bytes, &key)?;
    let path = free_name(plan, &file.bytes, &signature);
    files::write(&path, signature.armored.as_bytes())?;
    terminal::say(&format!("signed {} with {} ({})", plan.display(), key.display(), signature.fingerprint));
    terminal::say(&format!("wrote {}", path.display()));
    Ok(())
}

fn usual_key() -> Result<PathBuf, Trouble> {
    match env::home_dir() {
        Some(home) => Ok(home.join(".ssh/id_ed25519")),
        None => {
            Err(Trouble::new(Reason::Usage, "there is no home directory to look for a key in").next("give --key FILE"))
        }
    }
}

fn with_key(plan: &[u8], key: &Path) -> Result<SignatureFile, Trouble> {
    let text = files::read_text(key).map_err(|trouble| {
        trouble.untouched("nothing was signed").next("give --key FILE, or make a key: ssh-keygen -t ed25519")
    })?;
    let socket = env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
    if key.extension().is_some_and(|ending| ending == "pub") {
        let Some(socket) = socket else {
            return Err(Trouble::new(
                Reason::Input,
                format!("{} is a public key, and no ssh-agent runs", key.display()),
            )
            .untouched("nothing was signed")
            .next("give the private key, or start an agent: eval $(ssh-agent) && ssh-add"));
        };
        return sign_with_agent(plan, &text, &socket).map_err(|error| unsigned(key, &error));
    }
    let first = sign_with_key(plan, &text, || None);
    if !matches!(first, Err(SignError::NoPassphrase | SignError::NeedsAgent { .. })) {
        return first.map_err(|error| unsigned(key, &error));
    }
    let public = files::read_text(&public_half(key));
    if let (Some(socket), Ok(public)) = (socket, public) {
        match sign_with_agent(plan, &public, &socket) {
            Ok(signature) => return Ok(signature),
            Err(error) => terminal::note(&format!("note: the agent did not sign: {error}")),
        }
    }
    if matches!(first, Err(SignError::NeedsAgent { .. })) {
        return first.map_err(|error| unsigned(key, &error));
    }
    let ask = || terminal::passphrase(&format!("passphrase of {}: ", key.display()));
    sign_with_key(plan, &text, ask).map_err(|error| unsigned(key, &error))
}

fn public_half(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn unsigned(key: &Path, error: &SignError) -> Trouble {
    let trouble = Trouble::new(Reason::Input, format!("cannot sign with {}: {error}", key.display()))
        .untouched("nothing was signed");
    match error {
        SignError::NoPassphrase => trouble.next("run it on a terminal, or add the key to ssh-agent: ssh-add KEY"),
        _ => trouble,
    }
}

/// The signature's file. Two keys may have one comment: another key's good signature is not overwritten.
fn free_name(plan: &Path, bytes: &[u8], signature: &SignatureFile) -> PathBuf {
    let name = plan.file_name().unwrap_or_default().to_string_lossy();
    let path = plan.with_file_name(signature.file_name(&name));
    let Ok(there) = std::fs::read(&path) else { return path };
    let seen =
        verify(bytes, &[(String::new(), there)], &AllowedSigners::default(), &Revoked::default(), SystemTime::now());
    match seen.first() {
        Some(Verdict::Unknown { fingerprint, .. }) if *fingerprint != signature.fingerprint => {
            let key: String =
                signature.fingerprint.chars().filter(char::is_ascii_alphanumeric).skip(6).take(8).collect();
            plan.with_file_name(format!("{name}.{}-{key}.sig", signature.signer))
        }
        _ => path,
    }
}
