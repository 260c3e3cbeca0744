# Owns one MariaDB data directory for as long as its standard input stays open. The test process holds the other
# end of that pipe, so the server ends with it, whether it returns, panics or is killed.
#
# usage: sh -c SCRIPT supervisor BIN_DIR, as the user that the server shall run as
# reads:  start PORT | stop        answers: directory PATH (once), then done | failed after each command
PATH="$1:/usr/sbin:/usr/bin:$PATH"
umask 077
root=$(mktemp -d "${TMPDIR:-/tmp}/mig-mariadb.XXXXXX" 2>/dev/null) || root=$(mktemp -d /tmp/mig-mariadb.XXXXXX) || exit 1
# A server that starts removes what looks like temporary tables from its folder for them, also those of its neighbours.
mkdir "$root/tmp" && export TMPDIR="$root/tmp" || exit 1
server=

clean() {
    trap '' HUP INT TERM
    stop
    rm -rf "$root"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM
# A test process that died before it read the answer must not end this one before it has cleaned up.
trap '' PIPE

# Half a directory must not pass for a whole one.
make() {
    rm -rf "$root/data"
    mariadb-install-db --no-defaults --datadir="$root/data" --auth-root-authentication-method=normal --skip-test-db &&
        : >"$root/made"
}

start() {
    [ -e "$root/made" ] || make || return
    mariadbd --no-defaults --datadir="$root/data" --socket="$root/s" --port="$1" --bind-address=127.0.0.1 \
        --pid-file="$root/pid" --innodb-flush-log-at-trx-commit=2 --innodb-flush-method=nosync \
        --character-set-server=utf8mb4 --max-connections=200 &
    server=$!
    for _ in $(seq 300); do
        kill -0 "$server" 2>/dev/null || return 1
        mariadb-admin --no-defaults --socket="$root/s" --user=root ping >/dev/null 2>&1 && return 0
        sleep 0.2
    done
    return 1
}

stop() {
    [ -n "$server" ] || return 0
    kill -9 "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}

echo "directory $root"
while read -r command argument; do
    case $command in
        start) start "$argument" ;;
        stop) stop ;;
        *) false ;;
    esac >>"$root/log" 2>&1 && echo done || echo failed
done
