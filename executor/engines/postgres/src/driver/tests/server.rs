//! One private server for all tests of the process: a new cluster in a temporary folder, reached by its socket.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
};

static SERVER: OnceLock<PathBuf> = OnceLock::new();

/// Makes a database and gives its URL.
pub(super) fn database(name: &str, sql: &str) -> String {
    static ONE: Mutex<()> = Mutex::new(());
    let folder = SERVER.get_or_init(start);
    let one = ONE.lock().unwrap();
    psql(folder, "postgres", &format!("create database {name}"));
    drop(one);
    psql(folder, name, sql);
    format!("postgres:///{name}?host={}&user=postgres", folder.display())
}

/// Runs statements in a database that is there, by the server's own client.
pub(super) fn again(name: &str, sql: &str) {
    psql(SERVER.get_or_init(start), name, sql);
}

/// Runs statements by the server's own client.
pub(super) fn psql(folder: &Path, database: &str, sql: &str) {
    let script = folder.join(format!("{database}.sql"));
    fs::write(&script, sql).unwrap();
    let out = Command::new(binary("psql"))
        .args(["-qX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
        .arg(folder)
        .args(["-d", database, "-f"])
        .arg(&script)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// A program of the server: from `PATH`'s usual places for it.
fn binary(name: &str) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql").unwrap().flatten().map(|e| e.path()).collect();
    found.sort();
    found.pop().unwrap().join("bin").join(name)
}

/// Starts a server that ends when the process that runs the tests does.
fn start() -> PathBuf {
    let folder = tempfile_folder();
    let script = format!(
        "{initdb} -D {data} -A trust -U postgres >/dev/null && \
         {postgres} -D {data} -k {at} -c listen_addresses= -c fsync=off -c max_connections=200 >{at}/log 2>&1 & server=$!; \
         while ps -p {us} >/dev/null; do sleep 0.3; done; kill -INT $(head -1 {data}/postmaster.pid); wait $server; rm -rf {at}",
        initdb = binary("initdb").display(),
        postgres = binary("postgres").display(),
        data = folder.join("data").display(),
        at = folder.display(),
        us = std::process::id(),
    );
    let script_file = folder.join("run.sh");
    fs::write(&script_file, script).unwrap();
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if root {
        assert!(Command::new("chown").arg("-R").arg("postgres").arg(&folder).status().unwrap().success());
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command
        .arg(&script_file)
        .current_dir(&folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    drop(command.spawn().unwrap());
    for _ in 0..200 {
        let ready = Command::new(binary("pg_isready")).arg("-qh").arg(&folder).status().unwrap().success();
        if ready {
            return folder;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no server: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
}

fn tempfile_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mig-postgres-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}
