"""A look into the tables of a source: their columns and the first rows of each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.tables import TextFiles
from pipeline.errors import SourceError, UsageError
from pipeline.sources.parquet_folders import day_folders, files_of_day, files_of_table, folders_in
from pipeline.sources.table_file import kinds, table_file
from pipeline.storage.urls import mask_url

ROWS = 50_000
"""So many rows of a table are looked at."""
_ENCODINGS = ("utf-8", "gb18030")
_HEAD = 1 << 16


@dataclass(frozen=True)
class Looked:
    """A table as it was found.

    Attributes:
        name: what a job calls it as its `source`.
        columns: the first values of each column, missing ones as ``None``.
        by_folder: its days are folders: no column need say the day.
        form: how its text is written, where that is not as its name says.
        types: of a database, the declared type of each column, in capitals.
    """

    name: str
    columns: dict[str, list[Any]]
    by_folder: bool = False
    form: TextFiles | None = None
    types: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), []))


def look(url: str) -> list[Looked]:
    """Every table of a source that has rows.

    Raises:
        UsageError: the URL is none whose tables can be listed.
        SourceError: nothing is there, or it cannot be read.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "files":
        found = list(_files(Path(rest.removeprefix("//"))))
    elif scheme == "parquet":
        found = [_parquet(folder) for folder in folders_in(Path(rest.removeprefix("//")))]
    elif scheme in ("sqlite", "mysql+pymysql"):
        found = list(_database(url))
    else:
        raise UsageError(
            f"--from {mask_url(url)}: tables can be listed of files:FOLDER, parquet:FOLDER, sqlite:///FILE and "
            "mysql+pymysql://…; what HBase holds has to be written by hand (docs/own-data.md)"
        )
    found = [each for each in found if each.rows]
    if not found:
        raise SourceError(f"--from {mask_url(url)}: no table with rows in it")
    return found


def _files(folder: Path) -> Iterator[Looked]:
    if not folder.is_dir():
        raise SourceError(f"--from files:{folder}: no such folder")
    for path in sorted(each for each in folder.iterdir() if not each.name.startswith((".", "_"))):
        inside = sorted(each for each in path.rglob("*") if each.is_file() and kinds(each)) if path.is_dir() else [path]
        if not inside or not kinds(inside[0]):
            continue
        name = path.name if path.is_dir() else path.name.split(".")[0]
        form = _form(inside[0]) if inside[0].suffix != ".parquet" else None
        file = table_file(inside[0], form or TextFiles())
        yield Looked(name, _first(file.batches(file.names, ROWS), file.names), form=form)


def _form(path: Path) -> TextFiles | None:
    """How a file of text is written; ``None`` where it is as its name says."""
    with pa.input_stream(str(path), compression="detect") as file:
        head = file.read(_HEAD)
    for encoding in _ENCODINGS:
        try:
            text = head[: head.rfind(b"\n") + 1 or None].decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SourceError(f"{path}: is neither {' nor '.join(_ENCODINGS)}; write it as UTF-8")
    usual = "\t" if any(each in (".tsv", ".txt") for each in path.suffixes) else ","
    try:
        delimiter = csv.Sniffer().sniff("\n".join(text.splitlines()[:20]), delimiters=",;\t|").delimiter
    except csv.Error:  # one column
        delimiter = usual
    given = ({"encoding": encoding} if encoding != "utf-8" else {}) | (
        {"delimiter": delimiter} if delimiter != usual else {}
    )
    return TextFiles.model_validate(given) if given else None


def _parquet(folder: Path) -> Looked:
    try:
        days = day_folders(folder)
    except SourceError:
        days = []
    files = files_of_day(days[-1]) if days else files_of_table(folder)
    names = list(pq.read_schema(files[0].path).names)
    batches = (batch for file in files for batch in pq.ParquetFile(file.path).iter_batches(ROWS, columns=names))
    return Looked(folder.name, _first(batches, [name.rpartition(":")[2] for name in names]), by_folder=bool(days))


def _database(url: str) -> Iterator[Looked]:
    from sqlalchemy import create_engine, inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise SourceError(f"--from {url}: no such file")
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ValueError):  # what it says of a URL may hold the password
        raise UsageError(f"--from {mask_url(url)}: cannot be read as sqlite:///FILE or mysql+pymysql://USER:PASSWORD@"
                         "HOST:PORT/DB") from None  # fmt: skip
    try:
        for name in sorted(inspect(engine).get_table_names()):
            types = {each["name"]: str(each["type"]).upper() for each in inspect(engine).get_columns(name)}
            with engine.connect() as connection:
                quoted = engine.dialect.identifier_preparer.quote(name)
                rows = connection.execute(text(f"SELECT * FROM {quoted} LIMIT {ROWS}")).fetchall()
            columns = {column: [row[place] for row in rows] for place, column in enumerate(types)}
            yield Looked(name, columns, types=types)
    except SQLAlchemyError as error:
        raise SourceError(f"--from {engine.url.render_as_string()}: {error}") from None
    finally:
        engine.dispose()


def _first(batches: Iterable[pa.RecordBatch], names: list[str]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {name: [] for name in names}
    for batch in islice(batches, 64):
        for name, column in zip(names, batch.columns, strict=True):
            rows[name] += column.to_pylist()
        if len(rows[names[0]]) >= ROWS:
            break
    return {name: values[:ROWS] for name, values in rows.items()}
