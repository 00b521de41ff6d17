"""A whole day's joined rows in one file: written by the stage that grows, read by the one that builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.features.frames.frame import Array, Frame
from pipeline.features.frames.stored import PackedColumns, StoredColumns
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows, flat
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.rows.whole_day import Replayed, WholeDay
from pipeline.storage import array_file
from pipeline.storage.digests import content_digest

FILE = "rows.arrays"
_DAYS: dict[str, type[DayRows]] = {each.kind: each for each in (DayRows, HomeworkDay)}
_FRAMES = ("events", "items", "requests")


def file_of(part: int) -> str:
    """The name of the file of a part of the rows."""
    return FILE if part == 0 else f"rows-{part:04d}.arrays"


def write(folder: Path, whole: WholeDay, part: int = 0) -> str:
    """Write the rows of a day, or a part of them, and those replayed beside; returns the digest of the content."""
    packed = PackedColumns()
    # Days that share a candidate table share it here too.
    tables: dict[int, Listed] = {id(each): each for each in _listed(whole)}
    number = {identity: place for place, identity in enumerate(tables)}

    def described(rows: DayRows, listed: Listed | None, name: str) -> dict[str, Any]:
        return {**_add_rows(packed, f"{name}/", rows), "listed": number[id(listed)] if listed is not None else None}

    meta = {
        "rows": described(whole.rows, whole.listed, "rows"),
        "replayed": [described(past.rows, past.listed, f"replay-{past.rows.day}") for past in whole.replayed],
        "listed": [_add_listed(packed, f"listed-{place}/", each) for place, each in enumerate(tables.values())],
        "missing": list(whole.missing.items()),
    }  # fmt: skip
    meta["columns"] = packed.index
    array_file.write(folder / file_of(part), packed.arrays, meta)
    return digest(packed.arrays, meta)


def read(path: Path) -> WholeDay:
    """The rows of a day; raises ``CorruptArtifact`` for a file that is not whole."""
    arrays, meta = array_file.read(path)
    columns = StoredColumns(arrays, meta["columns"])
    tables = [_read_listed(columns, f"listed-{place}/", each) for place, each in enumerate(meta["listed"])]

    def found(described: dict[str, Any], name: str) -> tuple[DayRows, Listed | None]:
        at = described["listed"]
        return _read_rows(columns, f"{name}/", described), tables[at] if at is not None else None

    replayed = tuple(Replayed(*found(each, f"replay-{each['day']}")) for each in meta["replayed"])
    return WholeDay(*found(meta["rows"], "rows"), replayed, dict(meta["missing"]))


def digest(arrays: dict[str, Array], meta: dict[str, Any]) -> str:
    """Digest of what a file holds."""
    return content_digest({**arrays, "meta": json.dumps(meta, sort_keys=True)})


def _listed(whole: WholeDay) -> list[Listed]:
    found = [whole.listed, *(past.listed for past in whole.replayed)]
    return [each for each in found if each is not None]


def _add_rows(packed: PackedColumns, at: str, rows: DayRows) -> dict[str, Any]:
    for frame in _FRAMES:
        for name, column in getattr(rows, frame).columns.items():
            packed.add(f"{at}{frame}/{name}", column)
    packed.add(f"{at}label", rows.label)
    for task, label in rows.further.items():
        packed.add(f"{at}label/{task}", label)
    packed.add(f"{at}event_item", rows.event_item)
    packed.add(f"{at}weight", rows.weight)
    columns, told = rows.beside()
    for name, column in columns.items():
        packed.add(f"{at}{name}", column)
    return {
        "day": str(rows.day), "counts": [[name, int(count)] for name, count in rows.counts.items()],
        "frames": {frame: [getattr(rows, frame).rows, list(getattr(rows, frame).columns)] for frame in _FRAMES},
        "kind": rows.kind, "told": told, **({"tasks": list(rows.further)} if rows.further else {}),
    }  # fmt: skip


def _read_rows(columns: StoredColumns, at: str, described: dict[str, Any]) -> DayRows:
    def frame(name: str) -> Frame:
        length, names = described["frames"][name]
        return Frame(length, columns.under({each: f"{at}{name}/{each}" for each in names}))

    def column(name: str) -> Array:
        return flat(columns[f"{at}{name}"])

    fields = {
        "day": Day.parse(described["day"]), "events": frame("events"), "label": column("label"),
        "items": frame("items"), "event_item": column("event_item"), "requests": frame("requests"),
        "weight": column("weight"), "counts": dict(described["counts"]),
        "further": {task: column(f"label/{task}") for task in described.get("tasks", ())},
    }  # fmt: skip
    return _DAYS[described["kind"]].of(fields, column, described["told"])


def _add_listed(packed: PackedColumns, at: str, listed: Listed) -> dict[str, int]:
    columns, told = listed.stored()
    for name, column in columns.items():
        packed.add(f"{at}{name}", column)
    return told


def _read_listed(columns: StoredColumns, at: str, told: dict[str, int]) -> Listed:
    return Listed.of(lambda name: columns[f"{at}{name}"], told)
