"""Which table holds the rows to learn from, and which of its columns is the day, the label, the user, the item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import UsageError
from pipeline.proposal.columns import Guess, guess
from pipeline.proposal.look import Looked

_NAMES: Mapping[str, re.Pattern[str]] = {
    "label": re.compile(r"click|label|target|bought|buy|order|convert|like|点击|标签|转化|购买|下单", re.IGNORECASE),
    "user": re.compile(r"user|uid|member|customer|visitor|teacher|用户|会员|顾客|客户|老师|教师", re.IGNORECASE),
    "item": re.compile(
        r"item|(^|_)ads?(_|$)|advert|video|goods|sku|product|article|book|song|movie|news|物品|商品|广告|视频|文章|图书|课程|歌曲|音乐|电影|菜品|房源",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True)
class Profile:
    """An undated table with a row for each user or item; ``key`` is its column."""

    table: Looked
    guesses: Mapping[str, Guess]
    key: str


@dataclass(frozen=True)
class Roles:
    """What a job over the tables would be.

    Attributes:
        day: column that says the day; ``None`` where folders do.
        user, item: ``None`` for rows that belong to nobody.
        profiles: by ``user`` and ``item``.
        others: tables that nothing was found for.
    """

    rows: Looked
    guesses: Mapping[str, Guess]
    day: str | None
    label: str
    user: str | None
    item: str | None
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "impressions" if self.user is not None and self.item is not None else "rows"


def roles(tables: Sequence[Looked], asked: Mapping[str, str | None]) -> Roles:
    """What is what.

    Args:
        asked: what the user says of ``table``, ``day``, ``label``, ``user``, ``item``; ``user`` and ``item`` may be
            ``none``.

    Raises:
        UsageError: it cannot be told, or is asked for and is not there; says what there is.
    """
    guesses = {each.name: {name: guess(name, values) for name, values in each.columns.items()} for each in tables}
    rows = _rows(tables, guesses, asked.get("table"))
    own = guesses[rows.name]
    day = _day(rows, own, asked.get("day"))
    label = _label(rows, own, asked.get("label"))
    taken = {day, label}
    user = _named(rows, own, "user", asked.get("user"), taken)
    item = _named(rows, own, "item", asked.get("item"), taken | {user})
    _guard_one_each(rows, {"day": day, "label": label, "user": user, "item": item}, asked)
    profiles = {}
    for role, column in (("user", user), ("item", item)):
        if user is not None and item is not None and column is not None:
            found = _profile(tables, guesses, rows, column, role)
            if found is not None:
                profiles[role] = found
    used = {rows.name, *(each.table.name for each in profiles.values())}
    others = tuple(each.name for each in tables if each.name not in used)
    return Roles(rows, own, day, label, user, item, profiles, others)


def _rows(tables: Sequence[Looked], guesses: Mapping[str, Mapping[str, Guess]], asked: str | None) -> Looked:
    if asked is not None:
        found = [each for each in tables if each.name == asked]
        if not found:
            raise UsageError(f"--table {asked}: there are {', '.join(each.name for each in tables)}")
        return found[0]
    fit = [each for each in tables if _days(each, guesses[each.name]) and _labels(guesses[each.name])]
    if not fit:
        told = "; ".join(
            f"{each.name}: " + ("days" if _days(each, guesses[each.name]) else "no column of days") + ", "
            + (f"0 and 1 in {', '.join(named)}" if (named := _labels(guesses[each.name])) else "no column of 0 and 1")
            for each in tables
        )  # fmt: skip
        raise UsageError(f"no table has both a day and a label of 0 and 1 ({told}); name it by --table, --day, --label")
    return max(fit, key=lambda each: (any(map(_NAMES["label"].search, _labels(guesses[each.name]))), each.rows))


def _days(table: Looked, own: Mapping[str, Guess]) -> list[str]:
    """What may say the day: dates before instants, the fullest first."""
    found = [
        name for name, each in own.items() if each.type in ("day", "time") and each.unit is None and not each.zoned
    ]
    found.sort(key=lambda name: (own[name].type != "day", own[name].missing))
    return ["(its folders)", *found] if table.by_folder else found


def _day(table: Looked, own: Mapping[str, Guess], asked: str | None) -> str | None:
    if asked is not None:
        return _there(table, "--day", asked)
    found = _days(table, own)
    if not found:
        raise UsageError(f"{table.name}: no column of dates such as 2024-03-01; add one, or name it by --day")
    if table.by_folder:
        return "day" if "day" in own else None
    return found[0]


def _labels(own: Mapping[str, Guess]) -> list[str]:
    return [name for name, each in own.items() if each.is_label]


def _label(table: Looked, own: Mapping[str, Guess], asked: str | None) -> str:
    if asked is not None:
        other = next((each for each in table.columns[_there(table, "--label", asked)] if not _is_binary(each)), None)
        if other is not None:
            raise UsageError(f"--label {asked}: holds {str(other)!r}, not 0 and 1")
        return asked
    found = _labels(own)
    named = [name for name in found if _NAMES["label"].search(name)] or found
    if len(named) != 1:
        told = f"0 and 1 are in {', '.join(found)}" if found else f"none of {', '.join(own)} holds 0 and 1"
        raise UsageError(f"{table.name}: which column is the label? {told}; name it by --label")
    return named[0]


def _named(
    table: Looked, own: Mapping[str, Guess], role: str, asked: str | None, taken: set[str | None]
) -> str | None:
    if asked is not None:
        return None if asked == "none" else _there(table, f"--{role}", asked)
    fit = [name for name, each in own.items() if name not in taken and each.type in ("int", "str") and not each.missing]
    named = [name for name in fit if _NAMES[role].search(name)]
    return max(named, key=lambda name: own[name].distinct, default=None)


def _is_binary(value: Any) -> bool:
    """0, 1 or nothing, however they are written."""
    return value is None or value in (0, 1) or str(value).strip() in ("", "0", "1", "0.0", "1.0")


def _guard_one_each(table: Looked, found: Mapping[str, str | None], asked: Mapping[str, str | None]) -> None:
    """Raises ``UsageError`` where a column is named for two roles, or for one and guessed to be of another."""
    for role, column in found.items():
        others = [name for name, each in found.items() if column is not None and each == column and name != role]
        if others and asked.get(role) is not None:
            raise UsageError(
                f"--{role} {column}: is the {others[0]} of '{table.name}' too; name another column for one of them"
            )


def _there(table: Looked, option: str, name: str) -> str:
    if name not in table.columns:
        raise UsageError(f"{option} {name}: the table '{table.name}' has {', '.join(table.columns)}")
    return name


def _profile(
    tables: Sequence[Looked], guesses: Mapping[str, Mapping[str, Guess]], rows: Looked, column: str, role: str
) -> Profile | None:
    """The table with one row for each value of the column, under the same name or one of the role's."""
    for each in tables:
        if each is rows or each.by_folder:
            continue
        for name, values in each.columns.items():
            alike = name == column or (_NAMES[role].search(name) and not _days(each, guesses[each.name]))
            if alike and len(set(values)) == len(values) and None not in values:
                return Profile(each, guesses[each.name], name)
    return None
