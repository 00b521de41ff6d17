"""Writes the school: every table of both jobs, day by day, so that memory does not grow with the number of days."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from examples.school.ad_profiles import ad_table, user_table
from examples.school.audience import make_audience
from examples.school.dirt import ADS, HOMEWORK, damage
from examples.school.homework import Cohort
from examples.school.homework_tables import TABLES, homework_day
from examples.school.impressions import CONTEXT, Feed
from examples.school.options import Options
from examples.school.textbook import base_chapter_map, candidates, print_textbooks
from examples.school.world import make_world, teacher_table
from examples.tally import Tally
from examples.targets import AdsTarget, SqlTarget

_ONLINE, _OFFLINE = "midas_online_context", "midas_offline"


def write_homework(options: Options, target: SqlTarget, tally: Tally) -> None:
    """Fills the tables of ``sql/schema``: last year's window, then the days asked for."""
    books = print_textbooks(options)
    world = make_world(options)
    undated = {
        "homework_candidates": candidates(books),
        "base_chapter_map": base_chapter_map(books),
        "r_teacher_info": teacher_table(world.teachers),
    }
    for table, rows in undated.items():
        tally.add(table, "rows", target.write_table(table, rows))
    orphans = books.orphans.astype(str).tolist()
    cohorts = (
        ("last year", world.last_year, options.last_year),
        ("this year", world.this_year, options.this_year),
    )
    for name, (classes, law), days in cohorts:
        cohort = Cohort(options, name, classes, law)
        for day in days:
            homework = cohort.set_homework(day)
            rows_of: Mapping[str, pa.Table] = homework_day(options, name, books, world.teachers, classes, homework)
            for table in TABLES:
                rows = rows_of[table]
                if day in options.outages:
                    rows = rows.slice(0, 0)
                if table in HOMEWORK:
                    random = options.random(f"dirt in {table}", day.ordinal)
                    rows = damage(table, rows, HOMEWORK[table], options.dirty, random, tally, orphans)
                tally.add(table, f"rows of {name}", target.write_day(table, day, [rows]))


def write_ads(options: Options, target: AdsTarget, tally: Tally) -> None:
    """Fills the four ``midas_`` tables.

    `midas_online_context` keeps every impression. `midas_offline` is what HBase would still hold at the end of the day
    under the key userId_adId: of several impressions of a pair only the last, a click on an earlier one being lost.
    """
    audience = make_audience(options)
    feed = Feed(options, audience)
    for day in options.this_year:
        random = options.random(f"dirt in {_ONLINE}", day.ordinal)
        with (
            target.partitions(_ONLINE, CONTEXT, [day]) as online,
            target.partitions(_OFFLINE, CONTEXT, [day]) as offline,
        ):
            for rows, last_of_key in feed.impressions(day):
                if day in options.outages:
                    continue
                dirty = damage(_ONLINE, rows, ADS[_ONLINE], options.dirty, random, tally)
                kept = dirty.slice(0, rows.num_rows).filter(pa.array(last_of_key))
                online.write(day, dirty)
                offline.write(day, kept)
                tally.add(_ONLINE, "rows", dirty.num_rows)
                tally.add(_OFFLINE, "rows", kept.num_rows)
    for table, rows in (
        ("midas_online_user", user_table(options, audience)),
        ("midas_online_ad", ad_table(options, audience, feed)),
    ):
        dirty = damage(table, rows, ADS[table], options.dirty, options.random(f"dirt in {table}"), tally)
        tally.add(table, "rows", target.write_table(table, dirty))
