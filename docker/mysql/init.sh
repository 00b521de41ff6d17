#!/bin/bash
# Run once, by the image's entrypoint, on a fresh volume: the tables of sql/schema, a writer and a reader.
set -eu
mysql() { MYSQL_PWD="$MYSQL_ROOT_PASSWORD" command mysql --user=root --default-character-set=utf8mb4 "$@"; }

mysql <<SQL
CREATE DATABASE IF NOT EXISTS dayspring CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS 'writer'@'%' IDENTIFIED BY '$MYSQL_WRITER_PASSWORD';
CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED BY '$MYSQL_READER_PASSWORD';
GRANT ALL ON dayspring.* TO 'writer'@'%';
GRANT SELECT ON dayspring.* TO 'reader'@'%';
SQL
for file in "${SCHEMA:-/schema}"/*.sql; do
    mysql dayspring <"$file"
done
