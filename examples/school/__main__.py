"""`python -m examples.school`: writes a generated school."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from examples.command import guarded
from examples.school.options import EFFECTS, USUAL, Options
from examples.tally import Tally
from examples.targets import SCHEMA, AdsTarget, SqlTarget, parse_target
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.storage.urls import mask_url

_ADS = ("midas_online_user", "midas_online_ad", "midas_online_context", "midas_offline")


def main(arguments: Sequence[str] | None = None) -> int:
    return guarded(lambda: _write(_parser().parse_args(arguments)))


def _write(given: argparse.Namespace) -> None:
    from examples.school.generate import write_ads, write_homework

    options = Options(
        first=Day.parse(given.first),
        days=given.days,
        teachers=given.teachers,
        last_year_classes=given.last_year_classes,
        users=given.users,
        ads=given.ads,
        impressions=given.impressions_per_day,
        click_rate=given.click_rate,
        effects=_effects(given.effects),
        dirty=given.dirty,
        outages=frozenset(Day.parse(day) for day in given.outage),
        seed=given.seed,
    )
    beyond = sorted(day for day in options.outages if not options.first <= day <= options.last)
    if beyond:
        raise UsageError(f"--outage {beyond[0]}: the days are {options.first} to {options.last}")
    tally = Tally()
    ddl = sorted(SCHEMA.glob("*.sql"))
    for text in given.target:
        target = parse_target(text, ddl)
        if isinstance(target, SqlTarget):
            with target:
                tables = [path.stem for path in ddl if path.stem != "day_ready"]
                _make_room(text, [table for table in tables if target.count(table)], target, given.replace)
                write_homework(options, target, tally)
        else:
            _make_room(text, [table for table in _ADS if target.holds(table)], target, given.replace)
            write_ads(options, target, tally)
    print(tally)


def _make_room(text: str, full: list[str], target: SqlTarget | AdsTarget, replace: bool) -> None:
    """Two schools in one place would be a wrong one: a table that holds rows is emptied only when asked."""
    if full and not replace:
        shown = mask_url(text)
        raise UsageError(f"--target {shown}: {', '.join(full)} already hold rows; --replace removes them first")
    for table in full:
        target.clear(table)


def _effects(text: str) -> frozenset[str]:
    named = {"usual": USUAL, "all": frozenset(EFFECTS), "none": frozenset[str]()}
    return named[text] if text in named else frozenset(name.strip() for name in text.split(","))


def _parser() -> argparse.ArgumentParser:
    effects = "\n".join(
        f"  {name:<11} {'' if name in USUAL else '(not usual) '}{meaning}" for name, meaning in EFFECTS.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m examples.school",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write a generated school: the homework tables to a database, the ads tables to Parquet or HBase.\n"
        "Homework is made for the days asked for and for last year's window around them, and for no day between.",
        epilog=f"effects:\n{effects}\n\nexamples:\n"
        "  python -m examples.school --target sqlite:///school.db --target parquet:ads\n"
        "  python -m examples.school --target sqlite:///school.db --effects last_year --dirty 0 --teachers 600\n"
        "  python -m examples.school --target parquet:ads --impressions-per-day 1000000 --users 50000 --days 3",
    )
    add = parser.add_argument
    add(
        "--target",
        required=True,
        action="append",
        help="sqlite:///FILE, mysql+pymysql://USER:PASSWORD@HOST/DATABASE, parquet:FOLDER, hbase://HOST:PORT/",
    )
    add("--from", dest="first", metavar="DAY", default="2024-02-26", help="first day (default %(default)s)")
    add("--days", type=int, default=10, help="number of days (default %(default)s)")
    add("--teachers", type=int, default=300, help="teachers of this year (default %(default)s)")
    add("--last-year-classes", type=int, default=4, metavar="N", help="by county, edition, grade (default %(default)s)")
    add("--users", type=int, default=1000, help="users of the ads job (default %(default)s)")
    add("--ads", type=int, default=400, help="advertisements (default %(default)s)")
    add("--impressions-per-day", type=int, default=2000, metavar="N", help="default %(default)s")
    add("--click-rate", type=float, default=0.04, metavar="SHARE", help="of impressions (default %(default)s)")
    add("--effects", default="usual", metavar="NAMES", help="usual (default), all, none, or names joined by commas")
    add("--dirty", type=float, default=0.01, metavar="SHARE", help="of the logs' rows (default %(default)s)")
    add("--outage", nargs="*", action="extend", default=[], metavar="DAY", help="days without any row")
    add("--seed", type=int, default=1, help="default %(default)s")
    add("--replace", action="store_true", help="empty the tables first where they hold rows")
    return parser


if __name__ == "__main__":
    sys.exit(main())
