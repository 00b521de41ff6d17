"""Reading the lines of Online Retail II, from the workbook as published, or CSV or Parquet of the same columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from examples.dates import Order, UnclearDates, is_written, order_of, times
from examples.published import PACKED, layout_of, one_each, plain, suffix_of
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
Reader = Callable[[Path], Iterator[tuple[str, pd.DataFrame]]]


def find_file(source: Path) -> Path:
    """The workbook, or else the CSV or Parquet file, of a folder; ``source`` may be the file itself."""
    if source.is_file():
        return source
    here = [each for each in source.glob("*") if each.is_file()]
    for suffix in (".xlsx", ".csv", ".parquet"):
        names = "*" if suffix == ".parquet" else "online?retail*"
        found = [each for each in here if suffix_of(each) == suffix and fnmatch(each.name.casefold(), names)]
        if found:
            return one_each(found)[0]
    raise SourceError(f"--source {source}: online_retail_II.xlsx (or .csv, or a Parquet file) is not there. {WHERE}")


def read_lines(path: Path, dates: Order | None = None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Chunks of lines with the part of the file that they are from: ``COLUMNS``, text but for ``time``.

    Args:
        dates: which number of a date such as 01/12/2010 is the day; by default all dates of the file must tell.

    Raises:
        SourceError: columns are missing, the file is of another kind, or its dates may mean one thing or another.
    """
    readers = {".xlsx": _workbook, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(suffix_of(path))
    if reader is None:
        raise SourceError(f"{path}: neither .xlsx nor .csv nor .parquet. {WHERE}")
    order, known = dates, dates is not None
    for part, chunk in reader(path):
        columns = dict(zip(COLUMNS, _columns(path, list(chunk.columns)), strict=True))
        lines = pd.DataFrame({name: chunk[column] for name, column in columns.items()})
        for name in ("invoice", "stock_code"):
            lines[name] = lines[name].astype("str")
        lines["customer"] = _customers(path, columns["customer"], lines["customer"])
        if not known and is_written(lines["time"]):
            order, known = _order_of(path, reader), True
        try:
            lines["time"] = times(lines["time"], order)
        except ValueError as error:
            raise SourceError(f"{path}: {columns['time']} holds what is no time: {error}. {WHERE}") from None
        if lines["time"].isna().any():
            raise SourceError(f"{path}: {columns['time']} is empty in {lines['time'].isna().sum()} lines. {WHERE}")
        yield part, lines


def _order_of(path: Path, reader: Reader) -> Order | None:
    """Which number of the dates is the day, by a look at the whole file."""
    column = _columns(path, list(next(iter(reader(path)))[1].columns))[COLUMNS.index("time")]
    try:
        return order_of(value for _, chunk in reader(path) for value in chunk[column].unique())
    except UnclearDates as error:
        raise SourceError(
            f"{path}: {column}: {error}; say which comes first: --dates day-first or --dates month-first"
        ) from None


def _customers(path: Path, column: str, values: pd.Series) -> pd.Series:
    """Their numbers, also where a spreadsheet wrote 13085,0; no value where there is none."""
    text = values.map(lambda value: isinstance(value, str)).astype(bool)
    if text.any():
        written = values.astype("str").str.strip().str.replace(r"^(-?\d+),(0+)$", r"\1.\2", regex=True)
        values = values.where(~text, written)
        values = values.mask(values == "")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        value = values[wrong].iloc[0]
        raise SourceError(f"{path}: {column} holds '{value}', which is no number of a customer. {WHERE}")
    return numbers


def _workbook(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    from openpyxl import load_workbook

    # A workbook is itself a zip: only one that is packed once more is unpacked.
    with plain(path) if path.suffix.casefold() in PACKED else nullcontext(path) as file:
        book = load_workbook(file, read_only=True)
        for sheet in book.worksheets:
            rows = sheet.iter_rows(values_only=True)
            header = [str(name) for name in next(rows, ())]
            while chunk := list(itertools.islice(rows, _STEP)):
                yield f"sheet {sheet.title}", pd.DataFrame(chunk, columns=header)
        book.close()


def _csv(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    with plain(path) as file:
        layout = layout_of(file, path)
        wanted = _columns(path, layout.names)
        places = {layout.names.index(name): name for name in wanted}
        try:
            chunks = pd.read_csv(
                file, chunksize=_STEP, dtype="str", encoding_errors="replace", sep=layout.delimiter, header=None,
                names=list(range(len(layout.names))), usecols=list(places), index_col=False, skiprows=layout.lines,
            )  # fmt: skip
            for chunk in chunks:
                yield path.name, chunk.rename(columns=places)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise SourceError(f"{path}: cannot be read as CSV: {error}. {WHERE}") from None


def _parquet(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    file = pq.ParquetFile(path)
    wanted = _columns(path, file.schema_arrow.names)
    for batch in file.iter_batches(_STEP, columns=wanted):
        yield path.name, batch.to_pandas()


def _columns(path: Path, have: Sequence[str]) -> list[str]:
    folded = {name.casefold(): name for name in reversed(have)}
    found = [
        next((folded[name.casefold()] for name in names if name.casefold() in folded), None)
        for names in _NAMES.values()
    ]
    missing = [" or ".join(_NAMES[wanted]) for wanted, name in zip(COLUMNS, found, strict=True) if name is None]
    if missing:
        raise SourceError(f"{path}: column {', '.join(missing)} is not there. {WHERE}")
    return [name for name in found if name is not None]
