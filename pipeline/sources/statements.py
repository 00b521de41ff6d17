"""The statements of ``sql/queries/``: one a file, with what their comment lines say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.days import Day
from pipeline.errors import SourceError

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"
_MARKER = re.compile(r"^--\s*marker:\s*(\S+)\s*$", re.MULTILINE)
_DAY = re.compile(r"(?<![:\w\\]):day\b")
_DAY_COLUMN = re.compile(r"(?<![\w.`])(?P<whole>(?:`?\w+`?\.)?`?(?P<column>\w+)`?)\s*=\s*:day\b")
_RANGES = re.compile(r"^--\s*ranges:\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    """A ``SELECT``, with ``:day`` (``YYYY-MM-DD``) where the table is dated.

    Attributes:
        marker: the table whose rows of ``day_ready`` mark a day as complete; ``-- marker: NAME``, else its own name.
        ranges: a column of whole numbers by whose ranges a long day is read piece by piece; ``-- ranges: COLUMN``. An
            index on the day and this column makes each piece cheap.
    """

    path: Path
    text: str
    marker: str
    ranges: str | None

    @property
    def is_dated(self) -> bool:
        return _DAY.search(self.text) is not None

    @property
    def of_all_days(self) -> tuple[str, str] | None:
        """The statement without its day, and the column that holds it; ``None`` where it compares no plain column."""
        found = _DAY_COLUMN.findall(self.text)
        if len(found) != len(_DAY.findall(self.text)) or len({column for _, column in found}) != 1:
            return None
        return _DAY_COLUMN.sub(r"\g<whole> IS NOT NULL", self.text), found[0][1]

    def of_day(self, day: Day | None) -> str:
        """The statement with its day written in, as a server reads it."""
        written = self.text if day is None else _DAY.sub(f"'{day}'", self.text)
        return written.replace("\\:", ":")


class Statements:
    """The statements of a folder, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Statement] = {}

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.sql"

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
            bare = "\n".join(line for line in written.splitlines() if not line.lstrip().startswith("--"))
            marker, ranges = _MARKER.search(written), _RANGES.search(written)
            self._known[name] = Statement(
                path, bare.strip().rstrip(";"), marker[1] if marker else name, ranges[1] if ranges else None
            )
        return self._known[name]
