"""A day's tables against the days before: columns that vanish, come empty or miss values, rows that recur.

What is told is a change. A column that the days before lacked as well, a first day, a skipped day and a day that is
read from another source (`tables.….sources`) are none; and as every day joins what is usual for the next, a change is
told on its first day and not every day for ever.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from pipeline.config.alerts import Alerts
from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.ingest.records import ValidatedRecord
from pipeline.ingest.repeats import in_words
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import VALIDATED
from pipeline.storage.artifacts.store import ArtifactStore

_FILLED = 10
"""An empty column is no chance where so many filled rows were to be expected: none at all is one in 20,000."""
_DEVIATIONS = 4
"""So many standard deviations of a share are noise."""
_TOLD = 12
"""Columns of a source that are told."""
_ALIKE = 0.5
"""Names that are alike by this share of their letters may be the same column's."""

What = Literal["missing_columns", "missing_values", "constant_columns", "repeated_rows"]


@dataclass(frozen=True)
class TableDay:
    """A table on a day.

    Attributes:
        source: what it was read from; ``None`` where the day does not say.
        absent: columns that the source did not have.
        missing: rows without a value, by column that may be without one; ``None`` where the day does not say.
        unread: columns of the source that the job does not declare.
        repeated: rows that were there on earlier days; ``None`` where the day does not say, or has too few to tell.
        repeated_of: the day that had most of them, and how many.
        constant: columns that are the same in all rows; ``None`` where the day does not say, or has too few to tell.
        rarely: columns in which hardly any row differs from the others.
    """

    source: str | None
    rows: int
    absent: frozenset[str]
    missing: Mapping[str, int] | None
    unread: frozenset[str]
    repeated: int | None = None
    repeated_of: Mapping[str, int] = field(default_factory=dict)
    constant: frozenset[str] | None = None
    rarely: frozenset[str] = frozenset()

    def declares(self, column: str) -> bool:
        return self.missing is None or column in self.missing

    def share(self, column: str) -> float | None:
        """Rows without a value, as a share; ``None`` where it is not known."""
        if column in self.absent:
            return 1.0
        return None if self.missing is None or column not in self.missing else self.missing[column] / self.rows

    def gone(self) -> set[str]:
        """Columns without any value."""
        return {*self.absent, *(name for name, rows in (self.missing or {}).items() if rows == self.rows)}


@dataclass(frozen=True)
class Change:
    """What is other than usual in a table on a day.

    Attributes:
        columns: that it is about.
        text: one sentence with the figures.
    """

    table: str
    what: What
    columns: tuple[str, ...]
    text: str


def table_days(said: ValidatedRecord) -> dict[str, TableDay]:
    """The tables with rows of a validated day."""
    sources, unread = said.sources or {}, said.unread_columns or {}
    return {
        name: TableDay(
            sources.get(name), counts.kept, frozenset(counts.missing_columns), counts.missing,
            frozenset(unread.get(name, ())), counts.repeated, counts.repeated_of,
            None if counts.constant is None else frozenset(counts.constant), frozenset(counts.rarely),
        )
        for name, counts in said.counts.items() if counts.kept
    }  # fmt: skip


def changes_of(context: JobContext, day: Day) -> list[Change]:
    """What is other than usual on ``day``; nothing on a day that is not validated."""
    limits = context.config.alerts
    wanted = [day.plus(-back) for back in range(limits.days + 1)]
    return changes_on(day, {each: _seen(context.store, context.job, each) for each in wanted}, limits)


def changes_on(day: Day, days: Mapping[Day, Mapping[str, TableDay]], limits: Alerts) -> list[Change]:
    """What is other than usual on one of ``days``."""
    before = [days.get(day.plus(-back), {}) for back in range(1, limits.days + 1)]
    return list(changes(days.get(day, {}), before, limits))


def _seen(store: ArtifactStore, job: str, day: Day) -> dict[str, TableDay]:
    validated = store.current(Ref(VALIDATED, job, day))
    return table_days(ValidatedRecord.of(validated)) if validated is not None else {}


def changes(
    today: Mapping[str, TableDay], before: Sequence[Mapping[str, TableDay]], limits: Alerts
) -> Iterator[Change]:
    """A day's changes.

    Args:
        before: the trailing days, newest first; empty ones say nothing.
    """
    for name, here in today.items():
        past = [each[name] for each in before if name in each]
        # Days that do not say what they were read from are of a version that did not write it.
        past = [each for each in past if None in (each.source, here.source) or each.source == here.source]
        if not past:
            continue
        absent = sorted(column for column in here.absent if _was_there(column, past))
        empty = sorted(column for column in here.gone() - here.absent if _was_filled(column, here, past))
        if absent or empty:
            yield Change(name, "missing_columns", (*absent, *empty), _gone(absent, empty, here, past))
        odd = {
            column: text for column in here.missing or {}
            if column not in (*absent, *empty) and (text := _odd(column, here, past, limits))
        }  # fmt: skip
        if odd:
            yield Change(
                name, "missing_values", tuple(odd),
                f"rows without a value far from the usual: {'; '.join(odd.values())} (alerts.missing is "
                f"{limits.missing:.0%})",
            )  # fmt: skip
        constant = sorted((here.constant or frozenset()) - here.gone() - _always_or_rarely(here, past, limits))
        if constant:
            yield Change(
                name, "constant_columns", tuple(constant),
                f"the same in all {here.rows:,} rows, which it was on none of the days before: {', '.join(constant)}",
            )  # fmt: skip
        recurring = _recurring(here, past, limits)
        if recurring:
            yield Change(name, "repeated_rows", (), recurring)


def lacking(table: Table, missing: Sequence[str], others: Collection[str]) -> str:
    """Optional columns that a source does not have, in its names, and what they may be called there, in words.

    Args:
        others: columns of the source that the job does not declare.
    """
    sources = {name: table.columns[name].source or name for name in missing}
    pairs = _alike(list(sources.values()), sorted(others))
    named = [
        table.in_source(name) + (f" (is '{pairs[source]}' meant?)" if source in pairs else "")
        for name, source in sources.items()
    ]
    unread = [*sorted(others)[:_TOLD], *(["…"] if len(others) > _TOLD else [])]
    beside = f"; not read are {', '.join(unread)}" if unread and not pairs else ""
    return (
        f"has no column {', '.join(named)}: read as missing in every row{beside}; name the source's column with "
        "`source:`, or take it out of the YAML"
    )


def never_there(context: JobContext, validated: Artifact) -> list[str]:
    """Columns that the sources lack on the first day that declares them, in words: later ones tell of changes only."""
    said, tables, job = ValidatedRecord.of(validated), context.config.tables, context.job
    days = [validated.ref.day.plus(-back) for back in range(1, context.config.alerts.days + 1)]
    # A day that was trained keeps what was validated, a table that has left the settings too.
    lacks = {name: lost for name, each in said.counts.items() if (lost := each.missing_columns) and name in tables}
    before = [_seen(context.store, job, day) for day in days] if lacks else []
    told = []
    for name, columns in lacks.items():
        past = [each[name] for each in before if name in each]
        new = [each for each in columns if each in tables[name].columns and not any(day.declares(each) for day in past)]
        if new and said.counts[name].kept:
            told.append(f"{name}: the source {lacking(tables[name], new, (said.unread_columns or {}).get(name, ()))}")
    return told


def _was_there(column: str, past: Sequence[TableDay]) -> bool:
    """A column that the source had on all of the days before, with a value somewhere."""
    declared = [each for each in past if each.declares(column)]
    return bool(declared) and all(column not in each.absent for each in declared) and any(
        each.share(column) != 1.0 for each in declared
    )  # fmt: skip


def _was_filled(column: str, here: TableDay, past: Sequence[TableDay]) -> bool:
    """A column that had values on all of the days before, so many that it cannot be empty by chance."""
    shares = [share for each in past if (share := each.share(column)) is not None]
    return bool(shares) and max(shares) < 1.0 and (1 - statistics.median(shares)) * here.rows >= _FILLED


def _odd(column: str, here: TableDay, past: Sequence[TableDay], limits: Alerts) -> str | None:
    """In words, a share of missing values outside of what the days before had, by more than the limit and noise."""
    share = here.share(column)
    usual = [each for other in past if (each := other.share(column)) is not None]
    if share is None or len(usual) < limits.least_days:
        return None
    middle = statistics.median(usual)
    noise = _noise(middle, here.rows)
    if min(usual) - noise - limits.missing <= share <= max(usual) + noise + limits.missing:
        return None
    return f"{column} {share:.1%} of {here.rows:,} (usually {middle:.1%})"


def _noise(share: float, rows: int) -> float:
    """By how much a share varies between days of so many rows, by chance alone."""
    likely = min(max(share, 1 / rows), 1 - 1 / rows) if rows > 1 else 0.5
    return _DEVIATIONS * math.sqrt(likely * (1 - likely) / rows)


def _always_or_rarely(here: TableDay, past: Sequence[TableDay], limits: Alerts) -> set[str]:
    """The columns whose rows may all be the same: they were, or nearly were, on a day before, or it is not known."""
    known = [each for each in past if each.constant is not None and each.rows <= 2 * here.rows]
    if len(known) < limits.least_days:
        return set(here.constant or ())
    return set().union(*(each.constant or () for each in known), *(each.rarely | each.gone() for each in known))


def _recurring(here: TableDay, past: Sequence[TableDay], limits: Alerts) -> str | None:
    """In words, more rows of earlier days than the days before had, by more than the limit and noise."""
    usual = [each.repeated / each.rows for each in past if each.repeated is not None]
    if here.repeated is None or len(usual) < limits.least_days:
        return None
    middle = statistics.median(usual)
    if here.repeated / here.rows <= max(usual) + _noise(middle, here.rows) + limits.repeated:
        return None
    told = in_words(here.rows, here.repeated, here.repeated_of)
    return f"{told}; usually {middle:.1%} (alerts.repeated is {limits.repeated:.0%})"


def _gone(absent: Sequence[str], empty: Sequence[str], here: TableDay, past: Sequence[TableDay]) -> str:
    told = []
    if absent:
        new = sorted(here.unread - past[0].unread)
        pairs = _alike(absent, new)
        names = [f"{each} (is it '{pairs[each]}' now?)" if each in pairs else each for each in absent]
        told.append(f"the source no longer has {', '.join(names)}")
        others = [each for each in new if each not in pairs.values()]
        if others:
            told[-1] += f"; new in it: {', '.join(others)}"
    if empty:
        told.append(f"empty in all {here.rows:,} rows: {', '.join(empty)}")
    return "; ".join(told)


def _alike(gone: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """The likely new names of columns, each new one once; the only new one where only one is gone."""
    if len(gone) == len(new) == 1:
        return {gone[0]: new[0]}
    scored = sorted(
        ((-_likeness(old, other), old, other) for old in gone for other in new), key=lambda each: each
    )  # fmt: skip
    pairs: dict[str, str] = {}
    for score, old, other in scored:
        if -score >= _ALIKE and old not in pairs and other not in pairs.values():
            pairs[old] = other
    return pairs


def _likeness(one: str, other: str) -> float:
    first, second = (each.lower().replace("_", "") for each in (one, other))
    # One that the other begins or ends with is alike however long the rest: `device` and `device_type_name`.
    if min(len(first), len(second)) >= 3 and (first in second or second in first):
        return 0.9
    return SequenceMatcher(None, first, second).ratio()


def standing(days: Mapping[Day, Mapping[str, TableDay]]) -> dict[str, dict[str, Day]]:
    """By table, columns without any value on its newest day that had some before, and since when they have none."""
    found: dict[str, dict[str, Day]] = {}
    newest: dict[str, Day] = {}
    for day in sorted(days):
        newest |= dict.fromkeys(days[day], day)
    for name, last in newest.items():
        open_ = dict.fromkeys(days[last][name].gone(), last)
        for day in sorted((each for each in days if each < last and name in days[each]), reverse=True):
            here = days[day][name]
            if here.source is not None and here.source != days[last][name].source:
                continue
            had = [column for column in open_ if here.declares(column) and column not in here.gone()]
            for column in had:
                found.setdefault(name, {})[column] = open_.pop(column)
            open_ |= {column: day for column in open_ if column in here.gone()}
            if not open_:
                break
    return found


def standing_in_words(days: Mapping[Day, Mapping[str, TableDay]]) -> list[str]:
    """One line a table."""
    return [
        f"{table}: no value since " + ", ".join(f"{day} in {column}" for column, day in sorted(columns.items()))
        for table, columns in standing(days).items()
    ]


def stored(context: JobContext) -> dict[Day, dict[str, TableDay]]:
    """The columns of all validated days."""
    job, store = context.config.job, context.store
    return {day: _seen(store, job, day) for day in store.days(VALIDATED, job)}
