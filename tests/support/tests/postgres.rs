//! The private servers work, restart, and never outlive the test process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mig_test_support::postgres::{Server, server};

/// Set for the process that [`hold_a_server`] runs in.
const HOLDER: &str = "MIG_TEST_HOLDER";

#[test]
fn loads_reads_and_dumps() {
    let database = server().database("create table t (a int primary key, b text);\ninsert into t values (1, 'ä');");
    assert_eq!(database.psql("select * from t; select count(*) from t"), "1|ä\n1");
    assert_eq!(database.psql("show server_encoding; show fsync;").lines().next(), Some("UTF8"));
    let dump = database.dump();
    assert!(dump.starts_with("CREATE TABLE public.t ("), "{dump}");
    assert!(!dump.contains("--") && !dump.contains("SET ") && !dump.contains("restrict"), "{dump}");
    assert_eq!(database.url(), format!("postgres://postgres@127.0.0.1:{}/{}", server().port(), database.name()));
}

#[test]
fn the_server_has_room_for_crowds() {
    let settings = "show max_connections; show max_locks_per_transaction; show max_prepared_transactions";
    assert_eq!(server().psql(settings), "200\n1024\n10");
    assert!(server().version() >= 13);
}

#[test]
fn databases_are_apart_and_go_away() {
    let (one, two) = (server().database("create table t ()"), server().database(""));
    assert!(two.try_psql("select from t").unwrap_err().contains("relation \"t\" does not exist"));
    let count = format!("select count(*) from pg_database where datname = '{}'", one.name());
    assert_eq!(two.psql(&count), "1");
    drop(one);
    assert_eq!(two.psql(&count), "0");
}

#[test]
fn an_own_server_stops_starts_and_cleans_up() {
    let server = Server::start_own();
    let database = server.database("create table t (a int); insert into t values (7);");
    let root = server.socket_dir().to_owned();
    server.stop_immediate();
    assert!(database.try_psql("select 1").is_err());
    server.start();
    assert_eq!(database.psql("select a from t"), "7");
    let port = server.port();
    drop(database);
    drop(server);
    assert!(!root.exists() && !listens(port));
}

/// Not a test of its own: what [`a_killed_process_leaves_no_server`] kills.
#[test]
#[ignore = "run by another test, in a process that is killed"]
fn hold_a_server() {
    if env::var_os(HOLDER).is_none() {
        return;
    }
    let shared = server();
    let postmaster = shared.psql("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)");
    // Standard error, because the test harness writes to the other one.
    std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("held {} {postmaster} {}\n", shared.port(), shared.socket_dir().display()).as_bytes(),
    )
    .unwrap();
    if env::var_os(HOLDER).is_some_and(|value| value == "panic") {
        panic!("on purpose");
    }
    sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_process_leaves_no_server() {
    let (mut holder, held) = hold("sleep");
    assert!(listens(held.port));
    holder.kill().unwrap();
    holder.wait().unwrap();
    held.assert_gone_soon();
}

#[test]
fn a_panicking_process_leaves_no_server() {
    let (mut holder, held) = hold("panic");
    assert!(!holder.wait().unwrap().success());
    held.assert_gone_soon();
}

/// A server held by another process.
struct Held {
    port: u16,
    postmaster: String,
    root: String,
}

impl Held {
    fn assert_gone_soon(&self) {
        let end = Instant::now() + Duration::from_secs(5);
        while listens(self.port) || lives(&self.postmaster) || Path::new(&self.root).exists() {
            assert!(Instant::now() < end, "postgres {} in {} outlived its process", self.postmaster, self.root);
            sleep(Duration::from_millis(50));
        }
    }
}

/// Runs [`hold_a_server`] in a process of its own, and waits for its server.
fn hold(how: &str) -> (Child, Held) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["hold_a_server", "--exact", "--ignored", "--nocapture"]).env(HOLDER, how);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("held ")).unwrap();
    // The rest must be read, or the process may not be able to end.
    std::thread::spawn(move || lines.count());
    let mut words = line.split(' ').skip(1).map(str::to_owned);
    let mut word = || words.next().unwrap();
    (child, Held { port: word().parse().unwrap(), postmaster: word(), root: word() })
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn lives(pid: &str) -> bool {
    Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).stderr(Stdio::null()).status().unwrap().success()
}
