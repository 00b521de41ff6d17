"""KuaiRand-Pure → the tables of the ads job.

KuaiRand-Pure (C. Gao et al., "KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly Exposed Videos",
CIKM 2022) is published at https://kuairand.com under CC BY-SA 4.0. It is not part of this project.

A user becomes a row of ``midas_online_user``, a video one of ``midas_online_ad``, a line of the standard-policy log one
of ``midas_online_context``. What is known only after the impression (likes, play time, …) is left out, but for
``long_view``, which may be the second label of a model with two, never a feature, and what ``--outcomes`` adds for the
histories and counters of later days. ``source_row`` is a 64-bit digest of
the whole published line: lines that are exact duplicates share it, others do not, though the columns kept may be equal.
Types stay as published.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from examples.command import guarded
from examples.published import Layout, layout_of, one_each, plain, stem_of, suffix_of
from examples.tally import Tally
from examples.targets import AdsTarget, SqlTarget, parse_target
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.storage.urls import mask_url

LOG_COLUMNS = (
    "user_id", "video_id", "date", "hourmin", "time_ms", "is_click", "is_like", "is_follow", "is_comment",
    "is_forward", "is_hate", "long_view", "play_time_ms", "duration_ms", "profile_stay_time", "comment_stay_time",
    "is_profile_enter", "is_rand", "tab",
)  # fmt: skip
_TEXT = (
    "user_active_degree", "follow_user_num_range", "fans_user_num_range", "friend_user_num_range",
    "register_days_range", "video_type", "upload_dt", "upload_type", "tag",
)  # fmt: skip
CONTEXT = pa.schema(
    {
        "row_key": pa.string(),
        "user_id": pa.int64(),
        "ad_id": pa.int64(),
        "log_day": pa.string(),
        "log_time": pa.int64(),
        "log_hourtime": pa.int64(),
        "tab": pa.int64(),
        "duration_ms": pa.int64(),
        "is_click": pa.int64(),
        "long_view": pa.int64(),
        "source_row": pa.int64(),
    }
)
OUTCOMES = (
    "play_time_ms", "is_like", "is_follow", "is_comment", "is_forward", "is_hate", "is_profile_enter",
    "profile_stay_time", "comment_stay_time",
)  # fmt: skip
"""What came of an impression, for later days alone."""
_WHERE = "KuaiRand-Pure is published at https://kuairand.com (CC BY-SA 4.0): unpack it and give its folder as --source"


def convert(source: Path, target: AdsTarget, first: Day | None, last: Day | None, *, outcomes: bool = False) -> Tally:
    """Writes the three tables and counts their rows; raises `SourceError` where files or columns are missing.

    Args:
        outcomes: also write what came of each impression (``OUTCOMES``).
    """
    schema = CONTEXT
    for name in OUTCOMES if outcomes else ():
        schema = schema.append(pa.field(name, pa.int64()))
    files = find_files(source)
    tally = Tally()
    for table, path, key in (
        ("midas_online_user", files["user_features"], "user_id"),
        ("midas_online_ad", files["video_features_basic"], "video_id"),
    ):
        rows = _profiles(path, key)
        target.write_table(table, rows)
        tally.add(table, "written", rows.num_rows)
    logs = [path for name, path in files.items() if name.startswith("log")]
    days = _days(logs, first, last)
    seen: dict[Day, list[NDArray[np.int64]]] = {}
    with target.partitions("midas_online_context", schema, days) as partitions:
        for path in logs:
            for rows in _batches(path, LOG_COLUMNS):
                tally.add("midas_online_context", f"read from {path.name}", rows.num_rows)
                dates = rows["date"].to_numpy()
                context = _context(rows, schema)
                for date in np.unique(dates):
                    day = _day(int(date))
                    here = context.filter(pa.array(dates == date))
                    if not days[0] <= day <= days[-1]:
                        tally.add("midas_online_context", "outside --from … --to, left out", here.num_rows)
                        continue
                    partitions.write(day, here)
                    tally.add("midas_online_context", "written", here.num_rows)
                    seen.setdefault(day, []).append(here["source_row"].to_numpy())
    twice = sum(len(every) - len(np.unique(every)) for every in map(np.concatenate, seen.values()))
    tally.add("midas_online_context", "of them exact duplicates of a line of the day (kept)", twice)
    tally.add("midas_online_context", "days", len(days))
    tally.add("midas_online_context", "days without rows", len(days) - len(seen))
    return tally


def find_files(source: Path) -> dict[str, Path]:
    """The files to read by their name without suffix: user and video features, and the logs.

    Looks in the folder and below it in ``data``; CSV as published, or Parquet of the same columns. Where logs of the
    standard policy are named as such, others (the randomly exposed ones) are not read.
    """
    found: dict[str, Path] = {}
    missing = []
    folders = [source, source / "data", source / "KuaiRand-Pure" / "data"]
    for name in ("user_features", "video_features_basic", "log_standard", "log"):
        if name == "log" and any(stem.startswith("log_standard") for stem in found):
            continue
        here = next((files for folder in folders if (files := _named(folder, name))), [])
        if not here and name != "log_standard":
            missing.append(f"{name}*.csv or {name}*.parquet")
        if name.startswith("log"):
            found |= {stem_of(path): path for path in here}
        elif here:
            found[name] = here[0]
    if missing:
        raise SourceError(f"--source {source}: {', '.join(missing)} not there. {_WHERE}")
    return found


def _named(folder: Path, name: str) -> list[Path]:
    return one_each(path for path in folder.glob(f"{name}*") if suffix_of(path) in (".csv", ".parquet"))


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The log's rows in chunks, the columns as int64."""
    types = pa.schema({name: pa.int64() for name in columns})
    try:
        for batch in _open_log(path, types):
            rows = pa.Table.from_batches([batch]).select(columns).cast(types)
            for name in {"user_id", "video_id", "date"} & set(columns):
                if rows[name].null_count:
                    raise SourceError(f"{path}: column {name} is empty in {rows[name].null_count} lines. {_WHERE}")
            yield rows
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path}: cannot be read as a log of whole numbers: {error}. {_WHERE}") from None


def _open_log(path: Path, types: pa.Schema) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        _require(path, file.schema_arrow.names, LOG_COLUMNS)
        yield from file.iter_batches(1 << 17, columns=types.names)
        return
    with plain(path) as csv:
        layout = layout_of(csv, path)
        names = _names(layout, LOG_COLUMNS)
        _require(path, names, LOG_COLUMNS)
        options = pyarrow.csv.ConvertOptions(column_types=types, include_columns=types.names)
        with pyarrow.csv.open_csv(
            csv, read_options=_reading(layout, names, block_size=1 << 24), convert_options=options,
            parse_options=pyarrow.csv.ParseOptions(delimiter=layout.delimiter),
        ) as batches:  # fmt: skip
            yield from batches


def _names(layout: Layout, known: Sequence[str]) -> list[str]:
    """The header, known columns as they are published."""
    published = {place: name for name in known if (place := layout.place(name)) is not None}
    return [published.get(place, name) for place, name in enumerate(layout.names)]


def _reading(layout: Layout, names: list[str], **options: int) -> pyarrow.csv.ReadOptions:
    return pyarrow.csv.ReadOptions(column_names=names, skip_rows=layout.lines, **options)


def _context(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    frame = rows.to_pandas()
    digest = pd.util.hash_pandas_object(frame, index=False).to_numpy().view(np.int64)
    date = pc.cast(rows["date"], pa.string())
    parts = [pc.utf8_slice_codeunits(date, *cut) for cut in ((0, 4), (4, 6), (6, 8))]
    columns = {
        "row_key": pc.binary_join_element_wise(
            pc.cast(rows["user_id"], pa.string()), pc.cast(rows["video_id"], pa.string()), "_"
        ),
        "user_id": rows["user_id"],
        "ad_id": rows["video_id"],
        "log_day": pc.binary_join_element_wise(*parts, "/"),
        "log_time": rows["time_ms"],
        "log_hourtime": pa.array(frame["hourmin"].to_numpy() // 100),
        "tab": rows["tab"],
        "duration_ms": rows["duration_ms"],
        "is_click": rows["is_click"],
        "long_view": rows["long_view"],
        "source_row": pa.array(digest),
        **{name: rows[name] for name in OUTCOMES},
    }
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _profiles(path: Path, key: str) -> pa.Table:
    if path.suffix == ".parquet":
        rows = pq.read_table(path)
    else:
        rows = _read_profiles(path, key)
    _require(path, rows.column_names, (key,))
    names = ["ad_id" if name == "video_id" else name for name in rows.column_names]
    fields = [
        (name, pa.string() if pa.types.is_large_string(column.type) else column.type)
        for name, column in zip(names, rows.columns, strict=True)
    ]
    rows = rows.rename_columns(names).cast(pa.schema(fields))
    return rows.add_column(0, "row_key", pc.cast(rows["ad_id" if key == "video_id" else key], pa.string()))


def _read_profiles(path: Path, key: str) -> pa.Table:
    with plain(path) as csv:
        layout = layout_of(csv, path)
        options = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in _TEXT}, strings_can_be_null=True, decimal_point=layout.decimal
        )
        try:
            return pyarrow.csv.read_csv(
                csv, read_options=_reading(layout, _names(layout, (key, *_TEXT))), convert_options=options,
                parse_options=pyarrow.csv.ParseOptions(delimiter=layout.delimiter),
            )  # fmt: skip
        except pa.ArrowInvalid as error:
            raise SourceError(f"{path}: cannot be read as CSV in UTF-8: {error}. {_WHERE}") from None


def _days(logs: Sequence[Path], first: Day | None, last: Day | None) -> list[Day]:
    """The days of the logs' span that are wanted: of days beyond it nothing is known, so they are not complete."""
    dates = [chunk["date"].to_numpy() for path in logs for chunk in _batches(path, ["date"])]
    bounds = [int(date) for each in dates if len(each) for date in (each.min(), each.max())]
    if not bounds:
        raise SourceError(f"{', '.join(map(str, logs))}: no rows")
    start, end = _day(min(bounds)), _day(max(bounds))
    wanted = [day for day in start.through(end) if (first is None or day >= first) and (last is None or day <= last)]
    if not wanted:
        raise UsageError(f"--from {first} --to {last}: the log holds {start} to {end}")
    return wanted


def _day(date: int) -> Day:
    try:
        return Day.of(date // 10_000, date // 100 % 100, date % 100)
    except ValueError:
        raise SourceError(f"the logs' column date holds {date}, which is no day YYYYMMDD. {_WHERE}") from None


def _require(path: Path, have: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in have]
    if missing:
        raise SourceError(f"{path}: columns {', '.join(missing)} not there. {_WHERE}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.kuairand",
        description="Convert KuaiRand-Pure (CC BY-SA 4.0, https://kuairand.com) to the tables of the ads job.",
        epilog="example: python -m examples.kuairand --source KuaiRand-Pure/data --target parquet:ads "
        "--from 2022-04-25 --to 2022-05-04",
    )
    parser.add_argument("--source", required=True, type=Path, help="folder of the published CSV files, or Parquet ones")
    parser.add_argument("--target", required=True, help="parquet:FOLDER, or hbase://HOST:PORT/")
    parser.add_argument("--from", dest="first", metavar="DAY", help="first day, YYYY-MM-DD (default: all)")
    parser.add_argument("--to", dest="last", metavar="DAY", help="last day, YYYY-MM-DD (default: all)")
    parser.add_argument(
        "--outcomes", action="store_true", help="also write what came of each impression, for histories and counters"
    )
    given = parser.parse_args(arguments)

    def run() -> None:
        first, last = (Day.parse(text) if text else None for text in (given.first, given.last))
        target = parse_target(given.target)
        if isinstance(target, SqlTarget):
            raise UsageError(f"--target {mask_url(given.target)}: the ads tables go to parquet:FOLDER or to HBase")
        print(convert(given.source, target, first, last, outcomes=given.outcomes))

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
