"""The statements of ``sql/queries/``: one a file, with what their comment lines say of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.days import Day
from pipeline.errors import SourceError

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"
"""The project's own, where ``DAYSPRING_SQL`` has none of that name."""
TEMPLATES = QUERIES.parent / "templates"
_DAY = re.compile(r"(?<![:\w\\]):day\b")
_DAY_COLUMN = re.compile(r"(?<![\w.`])(?P<whole>(?:`?\w+`?\.)?`?(?P<column>\w+)`?)\s*=\s*:day\b")
_FIRST = re.compile(r"(?<![:\w\\]):first\b")
_SAID = re.compile(r"^--\s*(\w+):\s*(.+?)\s*$", re.MULTILINE)
_HOLE = re.compile(r"\{(?:(\w+)\.)?(\w+)\}")
_ISO = "%Y-%m-%d"
_FORM = re.compile(r"(?=.*%Y)(?=.*%m)(?=.*%d)(%[Ymd]|[-/. ])+")
_NAMES = re.compile(r"\w+(\.\w+)?(,\s*\w+)*")


def queries_folder() -> Path:
    """The folder of one's own queries: ``DAYSPRING_SQL``, else the project's."""
    return Path(os.environ.get("DAYSPRING_SQL") or QUERIES)


@dataclass(frozen=True)
class Statement:
    """A ``SELECT``, with ``:day`` where the table is dated.

    Attributes:
        window: days that end on ``:day``, the first of which is ``:first``; ``-- window: DAYS``.
        marker: the table whose rows of ``day_ready`` mark a day as complete; ``-- marker: NAME``, else its own name.
        ranges: a column of whole numbers by whose ranges a long day is read piece by piece; ``-- ranges: COLUMN``. An
            index on the day and this column makes each piece cheap.
        days: how its tables write a day, as of ``strftime``; ``-- days: %Y/%m/%d``.
    """

    path: Path
    text: str
    marker: str
    ranges: str | None
    window: int | None = None
    days: str = _ISO

    @property
    def is_dated(self) -> bool:
        return _DAY.search(self.text) is not None

    @property
    def of_all_days(self) -> tuple[str, str] | None:
        """The statement without its day, and the column that holds it; ``None`` where it compares no plain column, or
        reads a window."""
        found = _DAY_COLUMN.findall(self.text)
        days = {column for _, column in found}
        if self.window is not None or len(found) != len(_DAY.findall(self.text)) or len(days) != 1:
            return None
        return _DAY_COLUMN.sub(r"\g<whole> IS NOT NULL", self.text), found[0][1]

    def parameters(self, day: Day | None) -> dict[str, str]:
        """What stands for ``:day`` and, of a statement with a window, for ``:first``."""
        if day is None or not self.is_dated:
            return {}
        told = {"day": day} | ({} if self.window is None else {"first": day.plus(1 - self.window)})
        return {name: each.date.strftime(self.days) for name, each in told.items()}

    def of_day(self, day: Day | None) -> str:
        """The statement with its day written in, as a server reads it."""
        said = self.parameters(day)
        written = _DAY.sub(f"'{said['day']}'", self.text) if said else self.text
        written = _FIRST.sub(f"'{said['first']}'", written) if "first" in said else written
        return written.replace("\\:", ":")


class Statements:
    """The statements of a folder, each read once; those that it lacks are the project's.

    Args:
        folder: ``None`` = of :func:`queries_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or queries_folder()
        self._known: dict[str, Statement] = {}

    def path(self, name: str) -> Path:
        own, shipped = self._folder / f"{name}.sql", QUERIES / f"{name}.sql"
        return shipped if shipped.is_file() and not own.is_file() else own

    def get(self, name: str) -> Statement:
        """The statement ``<folder>/<name>.sql``; ``SourceError`` where there is none."""
        if name not in self._known:
            path = self.path(name)
            try:
                written = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                known = ", ".join(sorted(each.stem for each in self._folder.glob("*.sql"))) or "none"
                raise SourceError(
                    f"{path}: no such query, though a table of the job names `source: {name}`; "
                    f"write it, or name one of: {known}; or is the job's URL of the wrong kind? A database is read by "
                    "queries, hbase:// and parquet: are not"
                ) from None
            said, bare = dict(_SAID.findall(written)), _bare(written)
            if "template" in said:
                bare = _made(path, said)
            self._known[name] = Statement(
                path, bare, said.get("marker", name), said.get("ranges"), _window(path, said.get("window"), bare),
                _form(path, said.get("days", _ISO)),
            )  # fmt: skip
        return self._known[name]


def _bare(written: str) -> str:
    kept = (line for line in written.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(kept).strip().rstrip(";")


def _made(path: Path, said: Mapping[str, str]) -> str:
    """A statement made of a template: names of tables and columns in its holes, of ``{table.names}`` each with its
    table."""
    template = TEMPLATES / f"{said['template']}.sql"
    try:
        text = _bare(template.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(each.stem for each in TEMPLATES.glob("*.sql"))) or "none"
        raise SourceError(f"{path}: there is no template '{said['template']}'; one of: {known}") from None

    def filled(hole: re.Match[str]) -> str:
        table, name = hole.groups()
        value = said.get(name)
        if value is None or not _NAMES.fullmatch(value):
            wrong = "says nothing of" if value is None else f"says '{value}' of"
            raise SourceError(f"{path}: {wrong} `{name}`, a name of {template.name}; write `-- {name}: NAME`")
        return ", ".join(f"{table}.{each.strip()}" for each in value.split(",")) if table else value

    return _HOLE.sub(filled, text)


def _window(path: Path, said: str | None, text: str) -> int | None:
    wanted = _FIRST.search(text) is not None
    if said is None and not wanted:
        return None
    if not wanted or said is None or not said.isdigit() or int(said) < 1:
        raise SourceError(f"{path}: a statement with :first says how many days end on :day; write `-- window: 14`")
    return int(said)


def _form(path: Path, said: str) -> str:
    if not _FORM.fullmatch(said):
        raise SourceError(f"{path}: says '{said}' of `days`; write %Y, %m and %d as its tables do, `-- days: %Y/%m/%d`")
    return said
