# Owns one PostgreSQL data directory for as long as its standard input stays open. The test process holds the other
# end of that pipe, so the server ends with it, whether it returns, panics or is killed.
#
# usage: sh -c SCRIPT supervisor BIN_DIR, as the user that the server shall run as
# reads:  start PORT | stop        answers: directory PATH (once), then done | failed after each command
bin=$1
umask 077
root=$(mktemp -d "${TMPDIR:-/tmp}/mig-postgres.XXXXXX" 2>/dev/null) || root=$(mktemp -d /tmp/mig-postgres.XXXXXX) || exit 1

clean() {
    trap '' HUP INT TERM
    "$bin/pg_ctl" stop -D "$root/data" -m immediate -w >/dev/null 2>&1
    rm -rf "$root"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM
# A test process that died before it read the answer must not end this one before it has cleaned up.
trap '' PIPE

make() {
    "$bin/initdb" -D "$root/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync || return
    cat >>"$root/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
unix_socket_directories = '$root'
fsync = off
full_page_writes = off
max_connections = 200
max_locks_per_transaction = 1024
max_prepared_transactions = 10
END
}

start() {
    [ -e "$root/data/postgresql.conf" ] || make || return
    "$bin/pg_ctl" start -D "$root/data" -w -t 120 -l "$root/log" -o "-p $1"
}

echo "directory $root"
while read -r command argument; do
    case $command in
        start) start "$argument" ;;
        stop) "$bin/pg_ctl" stop -D "$root/data" -m immediate -w ;;
        *) false ;;
    esac >>"$root/log" 2>&1 && echo done || echo failed
done
