"""A tiny school and two tiny jobs over the production schema, and the command line run on them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from examples.school.__main__ import main as write_school
from pipeline.config.extends import settings as of_file
from pipeline.config.scalars import Plain
from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore

PROJECT = Path(__file__).resolve().parents[1]
DAYS = tuple(Day.of(2024, 2, 26).through(Day.of(2024, 2, 29)))
FIRST, SECOND, OUTAGE, LAST = DAYS
"""Three days with data and, between them, one without any."""
STATE_FROM = Day.of(2023, 2, 20)
"""From here on last year's homework is there."""
CONTEXT = "midas_online_context"

_ADS = (
    "user", "hour", "ad", "label_values", "dclick_otherad", "ad_exposure_duration", "clicked_ads", "behaviours",
    "user_rate", "ad_rate",
)  # fmt: skip
_HOMEWORK = (
    "teacher", "class_id", "edition", "grade", "term", "county", "province", "city", "weekday", "years_teaching",
    "package", "chapters", "sections", "style", "chapter_history", "last_year_chapters", "taken", "own_taken", "rank",
    "style_counts",
)  # fmt: skip


def whole(path: Path) -> dict[str, Any]:
    """What a job's YAML says with what it extends; change it at will, and write it elsewhere."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.meaning if isinstance(value, Plain) else value

    found: dict[str, Any] = plain(of_file(path).data)
    return found


def settings(job: str) -> dict[str, Any]:
    """The production YAML of a job with fewer features and the smallest of models; change it at will."""
    text = (PROJECT / "conf" / f"{job}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    kept = _ADS if job == "ads" else _HOMEWORK
    found["features"] = {name: found["features"][name] for name in kept}
    spaces = {feature.get("space") for feature in found["features"].values()}
    if job == "homework":
        spaces.add(found["ranking"]["style_counts"]["space"])
    found["spaces"] = {name: kind for name, kind in found["spaces"].items() if name in spaces}
    for experiment in found["experiments"].values():
        for name in ("without", "options"):
            experiment.pop(name, None)
        experiment |= {"dim": 4, "batch": 64, "compile": "graph"}
    found["experiments"]["pooled"]["options"] = {"units": [8]}
    found["experiments"]["din"]["options"] = {"units": [8], "attention_units": [4]}
    if job == "homework":
        del found["ranking"]["study"]
        found["ranking"]["candidates"]["limit"] = 30
        found["history"] |= {"length": 4, "lead": 2, "values": 4}
        found["experiments"]["pooled"]["replay"] = "off"
        # Of forty rows, two dirty ones are 5 %, and on a Saturday one teacher in thirty works.
        found["validation"] |= {"max_quarantined": 0.25, "min_weekday_share": 0.01}
    found["release"]["gate"] = {"calibration": [0.0, 1e6]} if job == "ads" else {}
    return found


def generate(folder: Path) -> None:
    """Both sources under ``folder``: ``school.db`` and ``ads/``."""
    arguments = [
        "--from", FIRST, "--days", len(DAYS), "--outage", OUTAGE, "--teachers", 30, "--last-year-classes", 1,
        "--users", 60, "--ads", 30, "--impressions-per-day", 200, "--click-rate", 0.2, "--seed", 7,
        "--target", f"sqlite:///{folder / 'school.db'}", "--target", f"parquet:{folder / 'ads'}",
    ]  # fmt: skip
    with redirect_stdout(io.StringIO()):
        code = write_school([str(each) for each in arguments])
    assert not code, "the tiny school could not be written"


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The last line of the error stream: what a user reads first."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""


@dataclass
class Place:
    """A folder of sources, settings and artefacts, and the command line on it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def ads(self) -> Path:
        return self.folder / "ads"

    @property
    def database(self) -> Path:
        return self.folder / "school.db"

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.root)

    def at(self, root: Path) -> Place:
        """The same sources and settings with other artefacts, which must lie in a folder ``root``."""
        other = Place(root.parent, dict(self.environment))
        other.environment |= {
            "DAYSPRING_ADS_URL": f"parquet:{self.ads}", "DAYSPRING_HOMEWORK_URL": f"sqlite:///{self.database}",
            "DAYSPRING_CONF": str(self.folder / "conf"),
        }  # fmt: skip
        return other

    def configure(self, job: str, content: Mapping[str, Any] | str) -> Path:
        """Write a job's YAML."""
        path = self.folder / "conf" / f"{job}.yaml"
        path.parent.mkdir(exist_ok=True)
        if not isinstance(content, str):
            content = yaml.dump(dict(content), Dumper=yaml.CSafeDumper, sort_keys=False)
        path.write_text(content, encoding="utf-8")
        return path

    def settings(self, job: str) -> dict[str, Any]:
        """A job's YAML as it stands here."""
        found: dict[str, Any] = yaml.load((self.folder / "conf" / f"{job}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
        return found

    def variables(self) -> dict[str, str]:
        """The environment of the commands; nothing of the machine's own settings."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DAYSPRING_")}
        return {
            **clean, "LC_ALL": "C", "TF_CPP_MIN_LOG_LEVEL": "3",
            "DAYSPRING_ROOT": str(self.root), "DAYSPRING_CONF": str(self.folder / "conf"),
            "DAYSPRING_ADS_URL": f"parquet:{self.ads}", "DAYSPRING_HOMEWORK_URL": f"sqlite:///{self.database}",
            **self.environment,
        }  # fmt: skip

    def run(self, *arguments: object) -> Ran:
        """A command in this process."""
        from pipeline.cli.main import main

        before = dict(os.environ)
        out, err = io.StringIO(), io.StringIO()
        os.environ.clear()
        os.environ.update(self.variables())
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main([str(each) for each in arguments])
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Ran(code, out.getvalue(), err.getvalue())

    def good(self, *arguments: object) -> Ran:
        """A command that must succeed."""
        ran = self.run(*arguments)
        assert ran.code == 0, f"{arguments} ended with {ran.code}: {ran.err[-2000:]}"
        return ran

    def start(self, *arguments: object, **more: str) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *(str(each) for each in arguments)], cwd=PROJECT, text=True,
            env={**self.variables(), **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def process(self, *arguments: object, **more: str) -> Ran:
        """A command in a process of its own, to its end."""
        started = self.start(*arguments, **more)
        out, err = started.communicate(timeout=300)
        return Ran(started.returncode, out, err)

    def shows(self, day: Day) -> pa.Table:
        """The impressions of a day as the source has them."""
        return pq.read_table(self.ads / CONTEXT / f"day={day}" / "part-0000.parquet", partitioning=None)

    def table(self, name: str) -> pa.Table:
        """An undated table of the job ``ads`` as the source has it."""
        return pq.read_table(self.ads / name / "part-0000.parquet")

    def show(self, day: Day, rows: pa.Table) -> None:
        """Replace the impressions of a day."""
        folder = self.ads / CONTEXT / f"day={day}"
        folder.mkdir(exist_ok=True)
        pq.write_table(rows, folder / "part-0000.parquet")
        (folder / "_SUCCESS").touch()

    def artifact(self, kind: str, day: Day, experiment: str | None = None, job: str = "ads") -> Any:
        """The current artefact, which must be there."""
        found = self.store.current(Ref(kind, job, day, experiment))
        assert found is not None, f"no {kind} of {day}"
        return found


def copy_of(place: Place, folder: Path, *, root: bool = False) -> Place:
    """A place of one's own to break: settings and sources copied, with ``root`` its artefacts too."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("conf", "ads", *(["root"] if root else [])):
        shutil.copytree(place.folder / name, folder / name, ignore=shutil.ignore_patterns("redis*"))
    shutil.copy(place.database, folder / "school.db")
    return Place(folder)
