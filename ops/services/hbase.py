"""HBase standalone (ZooKeeper, master and region server in one process) and its Thrift gateway."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from ops.deployment import PROJECT
from ops.services import programs
from ops.services.base import HOST, TOOLS, Service, listening
from pipeline.storage.daemon import DaemonError

JARS = TOOLS / "lib" / "hbase"
CONF = PROJECT / "ops" / "services" / "conf"
_PROBE = "dayspring_probe"


class HBase(Service):
    """An HBase of its own; ``port`` is that of the Thrift gateway."""

    name = "hbase"
    patience = 300.0
    heap = "1g"
    """Of the region server; two fifths of it keep blocks of the tables."""

    @property
    def url(self) -> str:
        return f"hbase://{HOST}:{self.port}/"

    def environment(self, space: str = "") -> dict[str, str]:
        return {"DAYSPRING_ADS_URL": f"{self.url}{space}"}

    def lacking(self) -> str | None:
        absent = programs.lacking(self.name)
        if absent:
            return absent
        if not any(JARS.glob("hbase-thrift-*.jar")):
            return "its jars are missing; they come by Maven (sudo apt-get install maven): `make services`"
        return None

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def process_names(self) -> Sequence[str]:
        return ["master", "thrift"]

    def commands(self) -> Mapping[str, Sequence[str]]:
        thrift = ["org.apache.hadoop.hbase.thrift.ThriftServer", "start", "-p", str(self.port), "-b", HOST]
        return {
            "master": self._java(self.heap, "org.apache.hadoop.hbase.master.HMaster", "start"),
            "thrift": self._java("512m", *thrift),
        }

    def await_process(self, name: str) -> None:
        # A gateway that starts before the master has said where it is ends by itself.
        if name == "master":
            zookeeper = self.port_of("zookeeper")
            self._await(lambda: None if listening(zookeeper) else "ZooKeeper does not listen", ["master"])

    def trouble(self) -> str | None:
        """The gateway answers before tables can be written, so a cell is written and read."""
        if not listening(self.port):
            return f"nothing listens on port {self.port}"
        import happybase
        from thriftpy2.thrift import TException

        try:
            connection = happybase.Connection(HOST, self.port, timeout=20_000)
            try:
                if _PROBE.encode() not in connection.tables():
                    connection.create_table(_PROBE, {"p": {"max_versions": 1}})
                table = connection.table(_PROBE)
                table.put(b"ready", {b"p:is": b"yes"})
                return None if table.row(b"ready") else "a cell that was written is not there"
            finally:
                connection.close()
        except (TException, OSError) as error:
            return repr(error)

    def split(self, table: str, families: Sequence[str], regions: int, algorithm: str = "UniformSplit") -> None:
        """Makes an empty table of so many regions, which happybase cannot; raises ``DaemonError``.

        ``UniformSplit`` is for keys of any bytes, ``HexStringSplit`` for keys that begin with eight hexadecimal digits.
        """
        command = self._java(
            "256m", "org.apache.hadoop.hbase.util.RegionSplitter", table, algorithm, "-c", str(regions),
            "-f", ":".join(families),
        )  # fmt: skip
        done = subprocess.run(
            command, env=self.process_environment(), capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            raise DaemonError(f"hbase: RegionSplitter {table} failed:\n{(done.stdout + done.stderr)[-1500:]}")

    def _java(self, heap: str, *arguments: str) -> list[str]:
        settings = [f"-Ddayspring.data={self.data}", f"-Ddayspring.zookeeper={self.port_of('zookeeper')}"]
        return [
            programs.find("java") or "java", f"@{CONF / 'jvm.options'}", f"-Xmx{heap}", *settings,
            "-cp", f"{CONF}:{JARS}/*", *arguments,
        ]  # fmt: skip
