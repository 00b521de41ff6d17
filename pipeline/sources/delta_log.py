"""The log of a table of Delta Lake, so far as to see files whose rows the table no longer holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import SourceError

_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")


def refuse_removed(table: Path, files: Iterable[Path]) -> None:
    """Raises ``SourceError`` where a file's rows are no longer the table's, or not all of them; reads the whole log."""
    log = table / "_delta_log"
    if not log.is_dir():
        return
    try:
        live = _live(log)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise SourceError(
            f"{log}: cannot be read as a log of Delta Lake: {error}; write the table as plain Parquet"
        ) from None
    for path in files:
        if not live.get(path.relative_to(table).as_posix(), False):
            raise SourceError(
                f"{path}: the log of Delta Lake beside it says that some of its rows are removed or replaced; "
                "have them written anew and swept (OPTIMIZE, then VACUUM), or write the table as plain Parquet"
            )


def _live(log: Path) -> dict[str, bool]:
    """By path: whether all rows of the file are the table's."""
    live: dict[str, bool] = {}
    found = sorted((each[1], path) for path in log.iterdir() if (each := _CHECKPOINT.fullmatch(path.name)))
    start = found[-1][0] if found else ""
    for version, path in found:
        if version == start:
            for add in pq.read_table(path, columns=["add"], use_threads=False)["add"].to_pylist():
                _add(live, add)
    for path in sorted(log.glob("*.json")):
        if path.stem > start:
            for line in path.read_text(encoding="utf-8").splitlines():
                action = json.loads(line)
                if "remove" in action:
                    live.pop(unquote(action["remove"]["path"]), None)
                _add(live, action.get("add"))
    return live


def _add(live: dict[str, bool], add: dict[str, object] | None) -> None:
    if add is not None:
        live[unquote(str(add["path"]))] = not add.get("deletionVector")
