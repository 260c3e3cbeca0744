//! The main job, from a database with rows to a migrated one: runs the commands of `examples/01-sqlite-first-plan/README.md` for real,
//! in a directory of its own, and prints what they print.
//!
//! `cargo run --quiet --example tour`. It needs nothing but Rust: what the transcript does with `sqlite3` and `ssh-keygen` is done
//! here by libraries.

#[path = "support/transcript.rs"]
mod transcript;

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sqlx::{Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _};
use ssh_key::{LineEnding, PrivateKey, private::Ed25519Keypair};
use transcript::Piece;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/01-sqlite-first-plan");

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mig = build()?;
    let folder = tempfile::Builder::new().prefix("mig-tour-").tempdir()?;
    copy(Path::new(EXAMPLE), folder.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for piece in transcript::parse(&fs::read_to_string(Path::new(EXAMPLE).join("README.md"))?) {
        let Piece::Run(command) = piece else { continue };
        say(&format!("\n$ {}\n", command.line))?;
        runtime.block_on(run(&command.line, folder.path(), &mig))?;
    }
    say("\nThat was all of it. The story, step by step: examples/01-sqlite-first-plan/README.md\n")
}

fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Builds the command; cargo does not do so for an example.
fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--bin", "mig"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        return Err("mig does not build".into());
    }
    let here = env::current_exe()?;
    let profile = here.parent().and_then(Path::parent).ok_or("this program is not where cargo puts examples")?;
    // The command is built for development whatever this example was built for.
    let built = profile.with_file_name("debug").join("mig");
    if built.is_file() { Ok(built) } else { Err(format!("{} is missing", built.display()).into()) }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().ok_or("a folder's entry has a name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// Runs one line of the transcript.
async fn run(line: &str, folder: &Path, mig: &Path) -> Result<()> {
    if let Some(rest) = line.strip_prefix("sqlite3 ") {
        return sqlite(rest, folder).await;
    }
    if let Some(rest) = line.strip_prefix("ssh-keygen ") {
        return key(rest, folder);
    }
    let path = env::join_paths(
        mig.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    )?;
    let status = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .status()?;
    match status.code() {
        Some(0) => Ok(()),
        _ => Err(format!("`{line}` ended with {status}").into()),
    }
}

/// `FILE < SCRIPT` or `FILE "QUERY"`, as the `sqlite3` tool does it: rows one a line, values parted by bars.
async fn sqlite(rest: &str, folder: &Path) -> Result<()> {
    let (file, work) = rest.split_once(' ').ok_or("sqlite3 FILE ...")?;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(file)).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let sql = match work.strip_prefix("< ") {
        Some(script) => fs::read_to_string(folder.join(script))?,
        None => work.trim_matches('"').to_owned(),
    };
    for row in sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await? {
        let values: Vec<String> = (0..row.len()).map(|at| value(&row, at)).collect::<Result<_>>()?;
        say(&format!("{}\n", values.join("|")))?;
    }
    Ok(connection.close().await?)
}

fn value(row: &sqlx::sqlite::SqliteRow, at: usize) -> Result<String> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(String::new());
    }
    Ok(match raw.type_info().name() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(at)?.to_string(),
        "REAL" => format!("{:?}", row.try_get_unchecked::<f64, _>(at)?),
        _ => row.try_get_unchecked::<String, _>(at)?,
    })
}

/// `... -C COMMENT -f FILE`, as `ssh-keygen` does it for an ed25519 key without a passphrase.
fn key(rest: &str, folder: &Path) -> Result<()> {
    let after =
        |option: &str| rest.split(' ').skip_while(|word| *word != option).nth(1).ok_or("ssh-keygen -C TEXT -f FILE");
    let (comment, file) = (after("-C")?, folder.join(after("-f")?));
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(comment);
    fs::write(&file, key.to_openssh(LineEnding::LF)?.as_bytes())?;
    fs::write(file.with_extension("pub"), format!("{}\n", key.public_key().to_openssh()?))?;
    Ok(())
}
