"""A standalone Spark: a master and two workers, each of one core."""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.deployment import write_private
from ops.services import programs
from ops.services.base import HOST, Service


class Spark(Service):
    """A Spark of its own, from the jars that PySpark brings; it works for nobody who has not read its ``conf``."""

    name = "spark"
    optional = True
    workers = 2
    memory = "2g"
    """Of each worker, for executors and their Python processes."""

    @property
    def master(self) -> str:
        return f"spark://{HOST}:{self.port}"

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    def environment(self, space: str = "") -> dict[str, str]:
        # The secret lies in the folder, which only its owner may read.
        return {"DAYSPRING_SPARK_MASTER": self.master, "SPARK_CONF_DIR": str(self.conf)}

    def lacking(self) -> str | None:
        if _home() is None:
            return "PySpark is not installed: make dev"
        return programs.lacking(self.name)

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)
        settings = {
            "spark.authenticate": "true",
            "spark.authenticate.secret": self.secret("secret"),
            "spark.executor.memory": "512m",
            "spark.executor.cores": "1",
        }
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_private(self.conf / "spark-defaults.conf", lines)

    def process_environment(self) -> dict[str, str]:
        return super().process_environment() | {
            "SPARK_HOME": str(_home()), "SPARK_CONF_DIR": str(self.conf), "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_IP": HOST, "SPARK_NO_DAEMONIZE": "1",
        }  # fmt: skip

    def process_names(self) -> Sequence[str]:
        return ["master", *(f"worker-{number}" for number in range(1, self.workers + 1))]

    def commands(self) -> Mapping[str, Sequence[str]]:
        home = _home()
        assert home is not None
        run = [str(home / "bin" / "spark-class"), "org.apache.spark.deploy."]
        page = str(self.port_of("page"))
        commands = {"master": [run[0], f"{run[1]}master.Master", "--port", str(self.port), "--webui-port", page]}
        for name in self.process_names()[1:]:
            commands[name] = [
                run[0], f"{run[1]}worker.Worker", "--cores", "1", "--memory", self.memory, "--webui-port", "0",
                "--work-dir", str(self.data / name), self.master,
            ]  # fmt: skip
        return {name: [*command[:2], "--host", HOST, *command[2:]] for name, command in commands.items()}

    def trouble(self) -> str | None:
        page = f"http://{HOST}:{self.port_of('page')}/json/"
        try:
            with urllib.request.urlopen(page, timeout=5) as answer:
                there = int(json.load(answer)["aliveworkers"])
        except (OSError, ValueError, KeyError) as error:
            return f"its page does not answer: {error}"
        return None if there >= self.workers else f"{there} of {self.workers} workers have come"


def _home() -> Path | None:
    """Where PySpark lies, with its jars; ``None`` where it is not installed or has none."""
    found = importlib.util.find_spec("pyspark")
    home = Path(str(found.origin)).parent if found is not None and found.origin else None
    return home if home is not None and (home / "bin" / "spark-class").is_file() else None
