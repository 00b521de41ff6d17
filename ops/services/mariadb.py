"""MariaDB, which stands in for MySQL 8: the database ``dayspring``, a writer and a reader."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping, Sequence

from ops.deployment import write_private
from ops.services import programs
from ops.services.base import HOST, Service
from pipeline.storage.daemon import DaemonError

DATABASE = "dayspring"
# The writer may make databases beside it (a test has one of its own); the reader reads all of them and no more.
_SETUP = """
CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS `writer`@`127.0.0.1` IDENTIFIED BY '{writer}';
CREATE USER IF NOT EXISTS `reader`@`127.0.0.1` IDENTIFIED BY '{reader}';
GRANT ALL ON `{database}`.* TO `writer`@`127.0.0.1`;
GRANT ALL ON `{database}\\_%`.* TO `writer`@`127.0.0.1`;
GRANT SELECT ON `{database}`.* TO `reader`@`127.0.0.1`;
GRANT SELECT ON `{database}\\_%`.* TO `reader`@`127.0.0.1`;
"""


class MariaDb(Service):
    """A ``mariadbd`` of its own. Its root account answers to this user on the server's socket alone."""

    name = "mariadb"

    @property
    def writer_url(self) -> str:
        return self.url_for("writer")

    @property
    def reader_url(self) -> str:
        return self.url_for("reader")

    def url_for(self, user: str, database: str = DATABASE) -> str:
        """The URL of a database as ``writer`` or ``reader``; the writer may make others called ``dayspring_…``."""
        return f"mysql+pymysql://{user}:{self.secret(user)}@{HOST}:{self.port}/{database}?charset=utf8mb4"

    def environment(self, space: str = "") -> dict[str, str]:
        return {"DAYSPRING_HOMEWORK_URL": self.url_for("reader", _database(space))}

    def make_database(self, space: str) -> str:
        """Makes the space's database if it is missing; the URL by which it can be filled."""
        import pymysql

        with pymysql.connect(
            host=HOST, port=self.port, user="writer", password=self.secret("writer"), connect_timeout=10
        ) as connection:
            connection.cursor().execute(
                f"CREATE DATABASE IF NOT EXISTS `{_database(space)}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )
        return self.url_for("writer", _database(space))

    def lacking(self) -> str | None:
        return programs.lacking(self.name)

    def prepare(self) -> None:
        if not (self.data / "mysql").is_dir():
            made = subprocess.run(
                [
                    programs.find("mariadb-install-db") or "mariadb-install-db", "--no-defaults",
                    f"--user={getpass.getuser()}", f"--datadir={self.data}",
                    "--auth-root-authentication-method=socket", f"--auth-root-socket-user={getpass.getuser()}",
                    "--skip-test-db",
                ],
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            if made.returncode != 0:
                raise DaemonError(f"mariadb: mariadb-install-db failed:\n{(made.stdout + made.stderr)[-1500:]}")
        script = _SETUP.format(database=DATABASE, writer=self.secret("writer"), reader=self.secret("reader"))
        write_private(self.folder / "setup.sql", script)

    def commands(self) -> Mapping[str, Sequence[str]]:
        program = programs.find("mariadbd")
        assert program is not None
        # The socket's name is relative to the data folder: a Unix socket's path may hold 107 bytes only.
        return {
            self.name: [
                program, "--no-defaults", f"--user={getpass.getuser()}", f"--datadir={self.data}",
                "--socket=mariadb.sock", f"--pid-file={self.logs / 'own.pid'}", f"--init-file={self.folder}/setup.sql",
                f"--bind-address={HOST}", f"--port={self.port}", "--skip-name-resolve",
                "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--max-allowed-packet=64M",
                "--innodb-buffer-pool-size=256M",
            ]
        }  # fmt: skip

    def trouble(self) -> str | None:
        import pymysql

        try:
            pymysql.connect(
                host=HOST, port=self.port, user="writer", password=self.secret("writer"), database=DATABASE,
                connect_timeout=5, read_timeout=5,
            ).close()  # fmt: skip
        except pymysql.MySQLError as error:
            return str(error)
        return None


def _database(space: str) -> str:
    return f"{DATABASE}_{space}" if space else DATABASE
