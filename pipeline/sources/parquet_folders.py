"""Which files hold the rows of a folder of Parquet, however a warehouse names its folders and files.

Hidden are names that begin with ``.`` or ``_`` (without ``=``), and copies under way, as Spark has it. Every other file
counts, whatever its name and however deep: what cannot be told is an error that names it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.days import Day
from pipeline.errors import SourceError

_DATE = re.compile(
    r"(\d{4})(?:([-/._])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))"  # 2024-02-26, 20240226 …
    r"(?:[-_ T]?(\d{2}(?:[:.-]?\d{2}){0,2}(?:\.\d+)?))?"  # … and a time of day
)
_PARTS = {"year": ("year", "yyyy", "y"), "month": ("month", "mon", "mm", "m"), "day": ("day", "dd", "d")}
_DAY_NAMES = ("day", "dt", "ds", "date")
"""Columns that are the day, and words of names that probably are: ``log_day``, where ``log_week`` is none."""
_NONE = "__HIVE_DEFAULT_PARTITION__"
_TRANSACTIONS = re.compile(r"(?:base|delta|delete_delta)_\d+(?:_\w+)*")
_PARQUET = (".parquet", ".parq", ".pq")
_OTHERS = {b"ORC": "ORC", b"Obj\x01": "Avro", b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PARE": "encrypted Parquet"}
_LEAVE_OUT = "take it out of the table's folder, or put _ before its name to have it left out"


@dataclass(frozen=True)
class DataFile:
    """A file of rows, and the values of the columns that its folders name (in small letters)."""

    path: Path
    values: Mapping[str, str | None]


@dataclass(frozen=True)
class DayFolder:
    """A folder that holds rows of one day.

    Attributes:
        time: what its name says of the time of the day; a folder an hour is several of one day.
        values: columns that the folders above and its own name give, the day's under the folder's name for it.
        above: the same without the day.
    """

    path: Path
    day: Day
    time: str
    values: Mapping[str, str | None]
    above: Mapping[str, str | None]


@dataclass
class _Level:
    """What lies directly in a folder, hidden names left out; names in order."""

    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)  # with a byte in them


def day_folders(table: Path) -> list[DayFolder]:
    """Every day's folder of a table, by day.

    Raises:
        SourceError: two folders mean the same, or rows lie where no folder names their day.
    """
    found = list(_days_in(table, table, {}))
    _refuse_lakes(table)
    strays = sorted(_strays(table, {each.path for each in found}))
    if strays and not found and strays[0].parent == table:
        raise SourceError(
            f"{table}: has files but no folders day=YYYY-MM-DD, though the job reads it by day ({strays[0].name}); "
            "write it in day partitions, or declare the table `dated: false`"
        )
    if strays:
        what = strays[0] if strays[0].parent == table else strays[0].parent
        raise SourceError(f"{what}: holds rows, but no folder day=YYYY-MM-DD (or dt=YYYYMMDD …) says of which day; "
                          f"write them in day partitions, or {_LEAVE_OUT}")  # fmt: skip
    _refuse_twice(found)
    return sorted(found, key=lambda each: (each.day, each.time, str(each.path)))


def files_of_day(folder: DayFolder) -> list[DataFile]:
    """The files of a day's folder at any depth, in order of their paths."""
    return _files_below(folder.path, folder.values, folder.day)


def files_of_table(table: Path) -> list[DataFile]:
    """The files of an undated table; ``SourceError`` where it has none or is kept by day."""
    folders = _level(table).folders
    _refuse_lakes(table)
    for folder in folders:
        if (partition := _partition(folder)) and _date_of(partition[1] or "") is not None:
            raise SourceError(_snapshots(folder))
    files = _files_below(table, {}, None)
    if not files:
        raise SourceError(
            f"{table}: no Parquet file in it; write the table there, or declare it `dated: true` "
            "if it is kept in folders day=YYYY-MM-DD"
        )
    return files


def _snapshots(folder: Path) -> str:
    return f"{folder}: a day's folder, though the job reads the table as undated; declare the table `dated: true`"


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder by name, hidden ones left out."""
    return _level(folder).folders


def day_above(file: Path) -> Day | None:
    """The day that the folders above a file are called by, whatever lies deeper; ``None`` where none is."""
    known = dict(filter(None, map(_partition, reversed(file.absolute().parents))))
    dates = {name: found[0] for name, value in known.items() if (found := _date_of(value or "")) is not None}
    if dates:
        return dates[max(dates, key=_is_day)]
    by_parts = _from_parts(known, next((name for name in _PARTS["day"] if name in known), ""))
    return by_parts[0] if by_parts is not None else None


def no_parquet(path: Path, error: Exception) -> SourceError:
    """What to say of a file that cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as failed:
        return SourceError(f"{path}: cannot be read: {failed.strerror or failed}; let the pipeline's user read it")
    if head == b"PAR1":
        return SourceError(f"{path}: cannot be read as Parquet: {error}; write the file again")
    kind = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), "text or something else")
    return SourceError(
        f"{path}: cannot be read as Parquet: it is {kind}; write the table as Parquet, or if it is no part of it "
        f"{_LEAVE_OUT}"
    )


def _days_in(table: Path, folder: Path, above: Mapping[str, str | None]) -> Iterator[DayFolder]:
    """Day folders in a folder, or below its folders of other partition columns."""
    for each in _level(folder).folders:
        partition = _partition(each)
        if partition is None:
            continue
        name, value = partition
        known = {**above, name: value} if name else dict(above)
        found = _date_of(value or "") or _from_parts(known, name)
        if found is None or (name not in _DAY_NAMES and _holds_days(each, found[0], name)):
            if name:
                yield from _days_in(table, each, known)
            continue
        day, time = found
        values = {**known, name or "day": str(day)}
        yield DayFolder(each, day, time, values, above)


def _holds_days(folder: Path, day: Day, name: str) -> bool:
    """Whether a folder of a date, such as that of a load or a week, is one of day folders, however deep they lie.

    Raises:
        SourceError: below it is a folder of another date, and no name says which of the two is the day.
    """
    for each in _level(folder).folders:
        below, value = _partition(each) or ("", None)
        found = _date_of(value or "") if below else None
        if found is not None and _is_day(below) > _is_day(name):
            return True
        if found is not None and _is_day(below) == _is_day(name) and found[0] != day:
            raise SourceError(
                f"{each}: a folder of {found[0]} below one of {day}, and their names do not say which is the day; "
                f"call the day's folders day={found[0]}"
            )
        if _holds_days(each, day, name):
            return True
    return False


def _is_day(name: str) -> int:
    """How surely the column of a folder is the day."""
    return 2 if name in _DAY_NAMES else int(bool({*name.split("_")} & {*_DAY_NAMES}))


def _strays(folder: Path, days: set[Path]) -> Iterator[Path]:
    """Files with rows that lie in no day's folder; at most one a folder."""
    here = _level(folder)
    for file in here.files:
        if _has_rows(file):
            yield file
            break
    for each in here.folders:
        if each not in days:
            yield from _strays(each, days)


def _files_below(folder: Path, values: Mapping[str, str | None], day: Day | None) -> list[DataFile]:
    here = _level(folder)
    files = [DataFile(path, values) for path in here.files]
    names: dict[str, Path] = {}
    for each in here.folders:
        if _TRANSACTIONS.fullmatch(each.name):
            raise SourceError(
                f"{each}: a folder of a transactional table, whose rows stand there several times; have the warehouse "
                "write the table as plain Parquet"
            )
        name, value = _partition(each) or ("", None)
        found = _date_of(value or "")
        if found is not None and day is None and name in _DAY_NAMES:
            raise SourceError(_snapshots(each))
        if found is not None and day is not None and found[0] != day and (not name or name in _DAY_NAMES):
            raise SourceError(f"{each}: a day's folder below the folder of {day}; which is meant? Keep one of them")
        if name:
            names.setdefault(name, each)
        below = {**values, name: value} if name else values
        files += _files_below(each, below, day)
    if len(names) > 1:
        raise SourceError(
            f"{' and '.join(map(str, names.values()))}: folders of different columns beside each other; "
            "write the table with the same partition columns everywhere"
        )
    return sorted(files, key=lambda each: each.path)


def _level(folder: Path) -> _Level:
    found = _Level()
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if _hidden(entry.name):
                    continue
                if entry.is_dir():
                    found.folders.append(Path(entry.path))
                elif entry.is_file():
                    if not _is_empty(entry):
                        found.files.append(Path(entry.path))
                else:
                    raise SourceError(f"{entry.path}: a link to nothing, or no file; {_LEAVE_OUT}")
    except OSError as error:
        said = error.strerror or error
        raise SourceError(f"{folder}: cannot be listed: {said}; let the pipeline's user read it") from None
    return found


def _hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name) or name.endswith(("._COPYING_", ".crc"))


def _is_empty(entry: os.DirEntry[str]) -> bool:
    """A file without a byte, as Hive and S3 leave them; an error for one that says that it is Parquet."""
    if entry.stat().st_size:
        return False
    if entry.name.endswith(_PARQUET):
        raise SourceError(f"{entry.path}: is empty, so its writing was cut short; write it again")
    return True


def _has_rows(path: Path) -> bool:
    try:
        return bool(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise no_parquet(path, error) from None


def _partition(folder: Path) -> tuple[str, str | None] | None:
    """Column and value of ``NAME=VALUE``, or no name and the value of a folder that is called like a date."""
    name, mark, value = folder.name.partition("=")
    if mark:
        return unquote(name).casefold(), None if value == _NONE else unquote(value)
    return ("", name) if _date_of(name) is not None else None


def _date_of(text: str) -> tuple[Day, str] | None:
    """The day of a folder's value, and its time of the day with the zeros at the end left out."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, _, month, day, month_, day_, time = found.groups()
    try:
        return Day.from_date(date(int(year), int(month or month_), int(day or day_))), re.sub(
            r"\D", "", time or ""
        ).rstrip("0")
    except ValueError:
        return None


def _from_parts(values: Mapping[str, str | None], last: str) -> tuple[Day, str] | None:
    """The day of folders year=2024/month=02/day=26, where ``last`` is the day."""
    parts = [next((values[name] for name in names if values.get(name)), None) for names in _PARTS.values()]
    if last not in _PARTS["day"] or not all(part and part.isdecimal() for part in parts):
        return None
    year, month, day = (int(part or 0) for part in parts)
    try:
        return Day.of(year, month, day), ""
    except ValueError:
        return None


def _refuse_twice(found: list[DayFolder]) -> None:
    """Two folders of a day are of two hours, or of two values of the columns above; else its rows may be doubled."""
    seen: dict[Day, list[DayFolder]] = {}
    for each in found:
        for other in seen.setdefault(each.day, []):
            if other.above.keys() != each.above.keys() or (other.time, other.above) == (each.time, each.above):
                raise SourceError(f"{other.path} and {each.path}: both are folders of {each.day}; keep the right one")
        seen[each.day].append(each)


def _refuse_lakes(table: Path) -> None:
    if (table / ".hoodie").is_dir():
        raise SourceError(f"{table}: a table of Hudi, which keeps old rows in its files; write it as plain Parquet")
