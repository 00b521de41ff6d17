"""The data that the demo runs on: a generated school, or real public data that the user has downloaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from examples.published import PACKED
from ops import quietly
from ops.backfill import Range
from ops.deployment import PROJECT
from ops.services.stack import Stack
from pipeline.storage.urls import mask_url

# What each published data set can be told by; the converters read the folder that holds one of them.
KUAIRAND_FILES = ("log.parquet", "log_standard_4_08_to_4_21_pure.csv", "log_standard_4_22_to_5_08_pure.csv")
RETAIL_FILES = ("transactions.parquet", "online_retail_II.xlsx", "online_retail_II.csv", "online_retail_II.parquet")
WHERE_TO_GET = (
    "KuaiRand-Pure: https://kuairand.com (CC BY-SA 4.0); Online Retail II: https://archive.ics.uci.edu/dataset/502 "
    "(CC BY 4.0). Unpack both under one folder and give it as DATA=FOLDER."
)


@dataclass(frozen=True)
class Sample:
    """One data set with everything that its runs need, in a root of its own so that two never mix.

    Args:
        kind: ``school`` or ``real``.
        title: what it is and whose.
        conf: folder of the jobs' YAML.
        ranges: the days that the demo backfills.
        data: folder of the published data sets.
        stack: the servers that hold it; without them it is embedded: files in its root.
    """

    kind: str
    title: str
    conf: Path
    ranges: tuple[Range, ...]
    data: Path | None = None
    stack: Stack | None = None

    @property
    def name(self) -> str:
        return self.kind if self.stack is None else f"{self.kind}-services"

    @property
    def root(self) -> Path:
        return PROJECT / ".dayspring" / self.name

    @property
    def settings(self) -> dict[str, str]:
        """The ``DAYSPRING_*`` environment of its runs and of every command that looks at them."""
        return self._stores() | {
            "DAYSPRING_ROOT": str(self.root),
            "DAYSPRING_CONF": str(self.conf),
            # The data ends; a nightly run for yesterday would only record that nothing came.
            "DAYSPRING_SCHEDULE_END": max(wanted.last for wanted in self.ranges).isoformat(),
        }

    def _stores(self) -> dict[str, str]:
        """All that differs between files and servers."""
        if self.stack is not None:
            return self.stack.environment(self.kind)
        return {
            "DAYSPRING_HOMEWORK_URL": f"sqlite:///{self.root}/sources/homework.db",
            "DAYSPRING_ADS_URL": f"parquet:{self.root}/sources/ads",
            "DAYSPRING_RELEASE_URL": f"file:{self.root}/bucket",
        }

    def _targets(self) -> tuple[str, str]:
        """Where the tables of ``homework`` and of ``ads`` are written."""
        stores = self._stores()
        homework, ads = stores["DAYSPRING_HOMEWORK_URL"], stores["DAYSPRING_ADS_URL"]
        # The pipeline's own user may only read.
        return (homework if self.stack is None else self.stack.mariadb.make_database(self.kind)), ads

    def fill(self) -> None:
        """Makes the source tables where they are missing; a half-made set is made again.

        Raises ``SystemExit`` with the converter's own message where one fails.
        """
        sources = self.root / "sources" if self.stack is None else self.stack.folder
        done = sources / (f"complete-{self.kind}" if self.stack else "complete")
        commands = list(self._commands())
        text = "\n".join(" ".join(map(mask_url, command)) for command in commands)
        if done.is_file() and done.read_text(encoding="utf-8") == text:
            place = sources.relative_to(PROJECT) if sources.is_relative_to(PROJECT) else sources
            print(f"data: {self.title}; already in {place}")
            return
        print(f"data: {self.title}", flush=True)
        done.parent.mkdir(parents=True, exist_ok=True)
        for command in commands:
            code = quietly.run(command[0], command[1:])
            if code != 0:
                shown = " ".join(map(mask_url, command))
                raise SystemExit(f"data: `python -m {shown}` failed with exit code {code}")
        done.write_text(text, encoding="utf-8")

    def _commands(self) -> Iterable[list[str]]:
        homework, ads = self._targets()
        if self.data is None:
            yield ["examples.school", "--target", homework, "--target", ads, *SCHOOL_OPTIONS]
            return
        retail, kuairand = find(self.data, RETAIL_FILES), find(self.data, KUAIRAND_FILES)
        # All of their days: histories and counters are built from `state_from` of the YAML on.
        yield ["examples.kuairand", "--source", str(kuairand), "--target", ads]
        yield ["examples.online_retail", "--source", str(retail), "--target", homework]


SCHOOL_RANGES = (
    Range("homework", date(2024, 3, 4), date(2024, 3, 10)),
    Range("ads", date(2024, 3, 4), date(2024, 3, 6)),
)
SCHOOL_OPTIONS = [
    "--from", "2024-03-04", "--days", "7", "--outage", "2024-03-07", "--teachers", "300", "--seed", "1", "--replace",
]  # fmt: skip
REAL_RANGES = (
    Range("homework", date(2011, 3, 1), date(2011, 3, 7)),
    Range("ads", date(2022, 4, 25), date(2022, 4, 27)),
)
REAL_FULL = (
    Range("homework", date(2011, 3, 1), date(2011, 3, 24)),
    Range("ads", date(2022, 4, 25), date(2022, 5, 4)),
)


def school(stack: Stack | None = None) -> Sample:
    title = "a generated school, seed 1 (made up: no figure of it is a claim)"
    return Sample("school", title, PROJECT / "conf", SCHOOL_RANGES, stack=stack)


def real(data: Path, *, full: bool, stack: Stack | None = None) -> Sample:
    """KuaiRand-Pure as ads and Online Retail II as homework, from the folder that holds both."""
    title = "KuaiRand-Pure (Gao et al. 2022, CC BY-SA 4.0) and Online Retail II (Chen 2012, CC BY 4.0)"
    ranges = REAL_FULL if full else REAL_RANGES
    return Sample("real", title, PROJECT / "examples" / "conf", ranges, data.resolve(), stack)


def find(data: Path, names: tuple[str, ...]) -> Path:
    """The folder at or under ``data`` (three levels deep) that holds one of the files ``names``."""
    if not data.is_dir():
        raise SystemExit(f"DATA={data}: no such folder. {WHERE_TO_GET}")
    for pattern in ("", "*/", "*/*/", "*/*/*/"):
        for name in names:
            for each in (name, *(f"{name}{packed}" for packed in PACKED)):
                for path in sorted(data.glob(f"{pattern}{each}")):
                    return path.parent
    raise SystemExit(f"DATA={data}: holds none of {', '.join(names)}. {WHERE_TO_GET}")
