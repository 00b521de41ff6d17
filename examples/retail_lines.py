"""Reading the lines of Online Retail II, from the workbook as published, or CSV or Parquet of the same columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.errors import SourceError

WHERE = (
    "Online Retail II is published at https://archive.ics.uci.edu/dataset/502/online+retail+ii (CC BY 4.0): "
    "give the folder of online_retail_II.xlsx as --source"
)
COLUMNS = ("invoice", "stock_code", "time", "customer", "country")
_NAMES = {
    "invoice": ("Invoice", "InvoiceNo", "invoice_no"),
    "stock_code": ("StockCode", "stock_code"),
    "time": ("InvoiceDate", "invoice_ts"),
    "customer": ("Customer ID", "CustomerID", "customer_id"),
    "country": ("Country", "country"),
}
_STEP = 100_000


def find_file(source: Path) -> Path:
    """The workbook, or else the CSV or Parquet file, of a folder; ``source`` may be the file itself."""
    if source.is_file():
        return source
    for pattern in ("online_retail*.xlsx", "online_retail*.csv", "*.parquet"):
        if found := sorted(source.glob(pattern)):
            return found[0]
    raise SourceError(f"--source {source}: online_retail_II.xlsx (or .csv, or a Parquet file) is not there. {WHERE}")


def read_lines(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Chunks of lines with the part of the file that they are from: ``COLUMNS``, text but for ``time``.

    Raises `SourceError` where columns are missing or the file is of another kind.
    """
    readers = {".xlsx": _workbook, ".csv": _csv, ".parquet": _parquet}
    if path.suffix not in readers:
        raise SourceError(f"{path}: neither .xlsx nor .csv nor .parquet. {WHERE}")
    for part, chunk in readers[path.suffix](path):
        columns = dict(zip(COLUMNS, _columns(path, list(chunk.columns)), strict=True))
        lines = pd.DataFrame({name: chunk[column] for name, column in columns.items()})
        for name in ("invoice", "stock_code"):
            lines[name] = lines[name].astype("str")
        lines["customer"] = pd.to_numeric(lines["customer"], errors="coerce").astype("float64")
        try:
            lines["time"] = pd.to_datetime(lines["time"])
        except ValueError as error:
            raise SourceError(f"{path}: {columns['time']} holds what is no time: {error}. {WHERE}") from None
        yield part, lines


def _workbook(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    for sheet in book.worksheets:
        rows = sheet.iter_rows(values_only=True)
        header = [str(name) for name in next(rows, ())]
        while chunk := list(itertools.islice(rows, _STEP)):
            yield f"sheet {sheet.title}", pd.DataFrame(chunk, columns=header)
    book.close()


def _csv(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    for chunk in pd.read_csv(path, chunksize=_STEP, dtype="str", encoding_errors="replace"):
        yield path.name, chunk


def _parquet(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    file = pq.ParquetFile(path)
    wanted = _columns(path, file.schema_arrow.names)
    for batch in file.iter_batches(_STEP, columns=wanted):
        yield path.name, batch.to_pandas()


def _columns(path: Path, have: Sequence[str]) -> list[str]:
    found = [next((name for name in names if name in have), None) for names in _NAMES.values()]
    missing = [" or ".join(_NAMES[wanted]) for wanted, name in zip(COLUMNS, found, strict=True) if name is None]
    if missing:
        raise SourceError(f"{path}: column {', '.join(missing)} is not there. {WHERE}")
    return [name for name in found if name is not None]
