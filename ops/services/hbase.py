"""HBase standalone (ZooKeeper, master and region server in one process) and its Thrift gateway."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from ops.services.base import HOST, TOOLS, Service, ServiceError, listening

JARS = TOOLS / "lib" / "hbase"
_OPENED = ("lang", "lang.reflect", "io", "nio", "util", "util.concurrent")
_FLAGS = [
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED),
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
]
_PROBE = "dayspring_probe"


class HBase(Service):
    """An HBase of its own; ``port`` is that of the Thrift gateway."""

    name = "hbase"
    patience = 180.0

    @property
    def url(self) -> str:
        return f"hbase://{HOST}:{self.port}/"

    def environment(self, space: str = "") -> dict[str, str]:
        return {"DAYSPRING_ADS_URL": f"{self.url}{space}"}

    def lacking(self) -> str | None:
        if shutil.which("java") is None:
            return "no Java; on Debian or Ubuntu: sudo apt-get install default-jre-headless"
        if not any(JARS.glob("hbase-thrift-*.jar")):
            return "its jars are missing; they come by Maven (sudo apt-get install maven): `make services`"
        return None

    def prepare(self) -> None:
        conf = self.folder / "conf"
        conf.mkdir(exist_ok=True)
        self.data.mkdir(exist_ok=True)
        (conf / "hbase-site.xml").write_text(_site(self._settings()), encoding="utf-8")
        (conf / "log4j.properties").write_text(_LOG4J, encoding="utf-8")

    def process_names(self) -> Sequence[str]:
        return ["master", "thrift"]

    def commands(self) -> Mapping[str, Sequence[str]]:
        thrift = ["org.apache.hadoop.hbase.thrift.ThriftServer", "start", "-p", str(self.port), "-b", HOST]
        return {
            "master": self._java("1g", "org.apache.hadoop.hbase.master.HMaster", "start"),
            "thrift": self._java("512m", *thrift),
        }

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

    def split(self, table: str, families: Sequence[str], regions: int) -> None:
        """Makes an empty table of so many regions, which happybase cannot; raises ``ServiceError``."""
        command = self._java(
            "256m", "org.apache.hadoop.hbase.util.RegionSplitter", table, "UniformSplit", "-c", str(regions),
            "-f", ":".join(families),
        )  # fmt: skip
        done = subprocess.run(
            command, env=self.process_environment(), capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode != 0:
            raise ServiceError(f"hbase: RegionSplitter {table} failed:\n{(done.stdout + done.stderr)[-1500:]}")

    def await_process(self, name: str) -> None:
        # A gateway that starts before the master has said where it is ends by itself.
        if name == "master":
            zookeeper = self.port_of("zookeeper")
            self._await(lambda: None if listening(zookeeper) else "ZooKeeper does not listen", ["master"])

    def _java(self, heap: str, *arguments: str) -> list[str]:
        java = shutil.which("java") or "java"
        path = f"{self.folder / 'conf'}:{JARS}/*"
        return [java, *_FLAGS, f"-Xmx{heap}", "-cp", path, *arguments]

    def _settings(self) -> dict[str, str]:
        return {
            # The raw local file system hands every flushed edit to the kernel, so a killed server loses none.
            "fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
            "hbase.rootdir": (self.data / "hbase").as_uri(),
            "hbase.tmp.dir": str(self.data / "tmp"),
            "hbase.zookeeper.property.dataDir": str(self.data / "zookeeper"),
            "hbase.zookeeper.property.clientPort": str(self.port_of("zookeeper")),
            "hbase.zookeeper.property.clientPortAddress": HOST,
            "hbase.zookeeper.quorum": HOST,
            "hbase.cluster.distributed": "false",
            "hbase.unsafe.stream.capability.enforce": "false",
            "hbase.wal.provider": "filesystem",
            "hbase.master.hostname": "localhost",
            "hbase.regionserver.hostname": "localhost",
            "hbase.master.ipc.address": HOST,
            "hbase.regionserver.ipc.address": HOST,
            "hbase.master.port": "0",
            "hbase.regionserver.port": "0",
            "hbase.master.info.port": "-1",
            "hbase.regionserver.info.port": "-1",
            "hbase.thrift.info.port": "-1",
        }


_LOG4J = """log4j.rootLogger=WARN,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.out
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
log4j.logger.org.apache.hadoop.hbase.master.HMaster=INFO
"""


def _site(settings: Mapping[str, str]) -> str:
    properties = "".join(
        f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in settings.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{properties}</configuration>\n'
