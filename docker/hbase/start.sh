#!/bin/bash
# Starts the master, waits until it has all of its tables, then starts the Thrift gateway. Ends when either ends.
set -eu
HOME_FOLDER="${HBASE_HOME:-/opt/hbase}"
CONF="${HBASE_CONF:-$HOME_FOLDER/conf}"
DATA="${HBASE_DATA:-/data}"
PORT="${HBASE_THRIFT_PORT:-9090}"
# Where the gateway listens: in a container everywhere, since it is reached from others.
ADDRESS="${HBASE_THRIFT_ADDRESS:-0.0.0.0}"
LOG="$DATA/master.log"

run() { # run HEAP CLASS ARGUMENTS…
    heap=$1
    shift
    exec java "@$CONF/jvm.options" "-Xmx$heap" "-Ddayspring.data=$DATA" \
        "-Ddayspring.zookeeper=${HBASE_ZOOKEEPER_PORT:-2181}" -cp "$CONF:$HOME_FOLDER/lib/*" "$@"
}

: >"$LOG"
(run "${HBASE_HEAP:-1g}" org.apache.hadoop.hbase.master.HMaster start) > >(tee -a "$LOG") 2>&1 &
MASTER=$!
trap 'kill -TERM $(jobs -p) 2>/dev/null; wait; exit 0' TERM INT
until grep -q "Master has completed initialization" "$LOG"; do
    kill -0 "$MASTER" 2>/dev/null || { echo "the master ended" >&2; exit 1; }
    sleep 1
done
(run "${HBASE_THRIFT_HEAP:-512m}" org.apache.hadoop.hbase.thrift.ThriftServer start -p "$PORT" -b "$ADDRESS") &
wait -n || true
echo "one of the two processes ended; stopping the other" >&2
kill -TERM $(jobs -p) 2>/dev/null || true
wait
exit 1
