//! The private MariaDB servers work, restart, and keep what was committed.

use mig_test_support::mariadb::{Server, server};

#[test]
fn loads_reads_and_dumps() {
    let database = server().database("create table t (a int primary key, b text); insert into t values (1, 'ä');");
    assert_eq!(database.sql("select * from t; select count(*) from t"), "1|ä\n1");
    assert!(database.dump().contains("CREATE TABLE `t`"));
    assert!(database.try_sql("select * from missing").is_err_and(|error| error.contains("doesn't exist")));
    assert_eq!(database.url(), format!("mysql://root@127.0.0.1:{}/{}", server().port(), database.name()));
}

#[test]
fn an_own_server_stops_and_starts() {
    let server = Server::start_own();
    let database = server.database("create table t (a int); insert into t values (7);");
    server.stop_immediate();
    assert!(database.try_sql("select 1").is_err());
    server.start();
    assert_eq!(database.sql("select a from t"), "7");
}
