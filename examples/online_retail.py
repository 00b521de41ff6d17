"""Online Retail II → the tables of the homework job.

Online Retail II (D. Chen, UCI Machine Learning Repository, 2012, https://doi.org/10.24432/C5CG6D) is published under
CC BY 4.0 at https://archive.ics.uci.edu/dataset/502/online+retail+ii. It is not part of this project.

A wholesaler's customer stands in for a teacher with one class, the basket of a day for the homework that is set:
chapter = first four digits of a stock code, section = stock code, package = the stock codes that one customer took in
one chapter on one day. Lines that stand twice in the file (its two sheets overlap in December 2010) change nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from examples.command import guarded
from examples.dates import ORDERS, Order
from examples.retail_lines import find_file, read_lines
from examples.tally import Tally
from examples.targets import SqlTarget, parse_target
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.storage.urls import mask_url

DDL = sorted((Path(__file__).resolve().parent / "sql" / "online_retail").glob("*.sql"))
_ROWS = "daily_homework_info"
_CUSTOMERS = "r_teacher_info"
_ITEM = ["day", "customer", "stock_code"]


def convert(source: Path, target: SqlTarget, first: Day | None, last: Day | None, dates: Order | None = None) -> Tally:
    """Writes the two tables and counts what was dropped; raises `SourceError` for a file that cannot be read."""
    tally = Tally()
    path = find_file(source)
    kept, span = [], []
    for part, lines in read_lines(path, dates):
        tally.add(_ROWS, f"lines read from {path.name}" if part == path.name else f"lines read from {part}", len(lines))
        span += [lines["time"].min(), lines["time"].max()]
        kept.append(_clean(lines, tally))
    if not kept:
        raise SourceError(f"{path}: no lines")
    items = pd.concat(kept, ignore_index=True)
    customers = _customers(items)
    items = items.drop_duplicates(_ITEM).sort_values(_ITEM, kind="stable", ignore_index=True)
    start, end = Day.from_date(min(span).date()), Day.from_date(max(span).date())
    days = [day for day in start.through(end) if (first is None or day >= first) and (last is None or day <= last)]
    if not days:
        raise UsageError(f"--from {first} --to {last}: {path} holds {start} to {end}")
    packages = _packages(items)
    ordinal = np.array([Day.parse(day).ordinal for day in packages["day"].unique().to_pylist()])
    starts = np.searchsorted(packages["day"].to_numpy(zero_copy_only=False), packages["day"].unique())
    stops = np.append(starts[1:], packages.num_rows)
    place = dict(zip(ordinal.tolist(), zip(starts.tolist(), stops.tolist(), strict=True), strict=True))
    for day in days:
        begin, stop = place.get(day.ordinal, (0, 0))
        tally.add(_ROWS, "packages written", target.write_day(_ROWS, day, [packages.slice(begin, stop - begin)]))
        tally.add(_ROWS, "days", 1)
        tally.add(_ROWS, "days without rows", int(begin == stop))
    tally.add(_CUSTOMERS, "written", target.write_table(_CUSTOMERS, customers))
    return tally


def _clean(lines: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """The lines that are somebody's order of an article, as (day, customer, stock_code, country)."""
    code = lines["stock_code"].str.strip().str.upper()
    drops = {
        "dropped: no customer": ~(lines["customer"] > 0),  # a copy of the file may write 0 or -1 for none
        "dropped: cancellation": lines["invoice"].str.strip().str.upper().str.startswith("C"),
        "dropped: service code (does not start with five digits)": ~code.str.match(r"\d{5}"),
    }
    keep = pd.Series(True, index=lines.index)
    for reason, drop in drops.items():
        tally.add(_ROWS, reason, int((keep & drop).sum()))
        keep &= ~drop
    tally.add(_ROWS, "lines kept", int(keep.sum()))
    kept = lines[keep]
    return pd.DataFrame(
        {
            "day": kept["time"].dt.strftime("%Y-%m-%d"),
            "customer": kept["customer"].astype("int64"),
            "stock_code": code[keep],
            "country": kept["country"],
        }
    )


def _customers(items: pd.DataFrame) -> pa.Table:
    """One row a customer, with the country and day of the first basket."""
    firsts = items.sort_values(["customer", "day"], kind="stable").drop_duplicates("customer")
    return pa.table(
        {
            "teacher_id": pa.array(firsts["customer"], pa.int64()),
            "country": pa.array(firsts["country"], pa.string()),
            "register_day": pa.array(firsts["day"], pa.string()),
        }
    )


def _packages(items: pd.DataFrame) -> pa.Table:
    """One row per day, customer and chapter, in that order, the stock codes sorted and joined.

    Args:
        items: distinct (day, customer, stock_code), sorted.
    """
    chapter = items["stock_code"].str[:4]
    key = pd.DataFrame({"day": items["day"], "customer": items["customer"], "chapter": chapter})
    begins = np.flatnonzero((key != key.shift()).any(axis=1).to_numpy())
    codes = pa.array(items["stock_code"], pa.string())
    groups = pa.ListArray.from_arrays(pa.array(np.append(begins, len(items)), pa.int32()), codes)
    heads = key.iloc[begins]
    customer = pa.array(heads["customer"], pa.int64())
    return pa.table(
        {
            "day": pa.array(heads["day"], pa.string()),
            "teacher_id": customer,
            "class_id": customer,
            "chapter_id": pa.array(heads["chapter"], pa.string()),
            "section_id": pc.binary_join(groups, ","),
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.online_retail",
        description="Convert Online Retail II (CC BY 4.0, UCI) to the tables of the homework job.",
        epilog="example: python -m examples.online_retail --source online_retail_II.xlsx --target sqlite:///retail.db "
        "--from 2009-12-01 --to 2011-08-31",
    )
    parser.add_argument("--source", required=True, type=Path, help="folder of online_retail_II.xlsx, or .csv, .parquet")
    parser.add_argument("--target", required=True, help="sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/DATABASE")
    parser.add_argument("--from", dest="first", metavar="DAY", help="first day, YYYY-MM-DD (default: all)")
    parser.add_argument("--to", dest="last", metavar="DAY", help="last day, YYYY-MM-DD (default: all)")
    parser.add_argument(
        "--dates", choices=ORDERS, help="what comes first in dates such as 01/12/2010 (default: what the file tells)"
    )
    given = parser.parse_args(arguments)

    def run() -> None:
        first, last = (Day.parse(text) if text else None for text in (given.first, given.last))
        find_file(given.source)
        target = parse_target(given.target, DDL)
        if not isinstance(target, SqlTarget):
            raise UsageError(f"--target {mask_url(given.target)}: the homework tables go to sqlite:///FILE or MySQL")
        with target:
            print(convert(given.source, target, first, last, given.dates))

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
