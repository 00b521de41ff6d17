"""A proposed job as files: its YAML, the queries of its tables, its DAG."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.proposal.columns import Guess
from pipeline.proposal.look import Looked
from pipeline.proposal.roles import Profile, Roles

_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,30}")
_STEPS = 20
_KINDS = 3
"""Of so many attributes of items with the fewest values there are counters with the user."""


@dataclass(frozen=True)
class Column:
    """A column as the job calls it."""

    name: str
    source: str
    guess: Guess
    role: str | None = None

    @property
    def line(self) -> str:
        said = {"type": "day" if self.role == "day" else self.guess.type}
        text = ", ".join(f"{name}: {value}" for name, value in said.items())
        if self.guess.unit is not None:
            text += f", unit: {self.guess.unit}"
        if self.role in ("day", "label", "user", "item", "key"):
            text += ", required: true"
        if self.role == "label":
            text += ", allowed: [0, 1]"
        if self.source != self.name:
            text += f", source: {_quoted(self.source)}"
        return f"      {self.name}: {{{text}}}"


def yaml_of(job: str, url: str, zone: str, found: Roles) -> str:
    """The job's YAML, with what to look at in comments."""
    rows = columns_of(found.guesses, {found.day: "day", found.label: "label", found.user: "user", found.item: "item"})
    if found.day is None:
        rows.insert(0, Column("day", "day", Guess("day"), "day"))
    profiles = {
        role: columns_of(each.guesses, {each.key: "key"}, {each.key: role}, f"{role}_column")
        for role, each in found.profiles.items()
    }
    features = list(_features(found, rows, profiles))
    spaces = dict(each.space for each in features if each.space is not None)
    lines = [
        f"# The job `{job}`, proposed by `init` from {url}. Look it through: what it cannot know is",
        "# - which columns are known only after their row (a duration of play, a later purchase): give them",
        "#   `change: outcome` and take their features out, or the model learns from what it will not have;",
        "# - what a missing value is written as (`absent: [-1]`), and bounds (`min:`, `max:`).",
        f"job: {job}",
        f"kind: {found.kind}",
        f"timezone: {zone}",
        "seed: 1",
        "threads: 2",
        "deadline_hours: 6",
        "",
        "tables:",
        *_table("rows", found.rows, rows),
    ]
    for role, each in found.profiles.items():
        lines += _undated(f"{role}s", each, profiles[role])
    if found.others:
        lines.append(f"  # not used: {', '.join(found.others)}")
    lines += ["", "spaces:", *(f"  {name}: {kind}" for name, kind in spaces.items())]
    lines += ["", *_section(found), "", "features:", *(each.line for each in features), "", *_experiments(found)]
    return "\n".join(lines) + "\n"


def queries_of(found: Roles, dialect: str) -> dict[str, str]:
    """For a database, the query of each table by its name."""
    queries = {}
    day = found.day
    if day is not None:
        where = f"{day} = :day"
        kind = found.rows.types.get(day, "")
        if dialect == "sqlite" and found.guesses[day].type == "time":
            where = f"date({day}) = :day"
        elif kind.startswith(("DATETIME", "TIMESTAMP")):
            where = f"{day} >= :day AND {day} < :day + INTERVAL 1 DAY"
        queries[found.rows.name] = f"SELECT * FROM {found.rows.name} WHERE {where}\n"
    for each in found.profiles.values():
        queries[each.table.name] = f"SELECT * FROM {each.table.name}\n"
    return queries


def dag_of(job: str) -> str:
    return (
        f'"""The Airflow DAG of the job `{job}`: one run, one day; and the one that follows each day."""\n\n'
        "from dayspring.daily_dag import daily_dag, report_dag\n\n"
        f'dag = daily_dag("{job}", "{job}")\n'
        f'report = report_dag("{job}")\n'
    )


def maintenance_of() -> str:
    """The DAG file that looks after every job, whichever there are."""
    return (
        '"""The Airflow DAG that looks after every job once a day."""\n\n'
        "from dayspring.maintenance_dag import maintenance_dag\n\n"
        "dag = maintenance_dag()\n"
    )


def columns_of(
    guesses: Mapping[str, Guess], roles: Mapping[str | None, str], names: Mapping[str, str] | None = None,
    other: str = "column",
) -> list[Column]:  # fmt: skip
    """The columns under names that a job can have: those of roles are called after them.

    Args:
        other: with its place, the name of a column whose own would not do.
    """
    found: list[Column] = []
    for place, (source, each) in enumerate(guesses.items(), 1):
        role = roles.get(source)
        plain = source.lower() if _PLAIN.fullmatch(source.lower()) else f"{other}_{place}"
        name = (names or {}).get(source) or (role if role not in (None, "key") else plain)
        taken = {column.name for column in found} | {role for role in roles.values() if role != "key"} - {role}
        found.append(Column(f"{name}_{place}" if name in taken else str(name), source, each, role))
    return found


@dataclass(frozen=True)
class _Feature:
    line: str
    space: tuple[str, str] | None = None


def _features(found: Roles, rows: list[Column], profiles: Mapping[str, list[Column]]) -> Iterator[_Feature]:
    sided = found.kind == "impressions"
    if sided:
        ids = {column.role: column for column in rows}
        yield _categorical("user", "row.user", "request", ids["user"].guess)
        yield _categorical("item", "item.item", "item", ids["item"].guess)
    named = {"user", "item", "label", "day"}
    for frame, side, columns in (
        ("row", "request", rows),
        ("user", "request", profiles.get("user", [])),
        ("item", "item", profiles.get("item", [])),
    ):
        for column in columns:
            if column.role is not None or column.guess.type in ("day", "time") or column.guess.distinct == 1:
                continue
            name = column.name if column.name not in named else f"{frame}_{column.name}"
            named.add(name)
            yield _feature(name, f"{frame}.{column.name}", side if sided else None, column.guess)
    if sided:
        yield _Feature(
            f"  clicked: {{kind: sequence, side: request, space: item, source: history.items, of: item, "
            f"steps: {_STEPS}, group: clicked}}"
        )
        for key in ("user", "item"):
            yield _Feature(
                f"  {key}_rate: {{kind: dense, side: pair, counter: {{key: [{key}], measure: rate, transform: logit}}}}"
            )
            yield _Feature(
                f"  {key}_count: {{kind: dense, side: pair, counter: {{key: [{key}], measure: count, transform: log, "
                "scale: 6}}"
            )
        # What a user takes of a kind: in most tables of this form the most telling number there is.
        kinds = [c for c in profiles.get("item", []) if c.role is None and c.guess.is_id and c.guess.distinct > 1]
        for column in sorted(kinds, key=lambda column: column.guess.distinct)[:_KINDS]:
            name = column.name if column.name not in ("user", "item", "label", "day") else f"item_{column.name}"
            yield _Feature(
                f"  user_{name}_rate: {{kind: dense, side: pair, counter: {{key: [user, {name}], measure: rate, "
                "transform: logit}}"
            )


def _feature(name: str, source: str, side: str | None, each: Guess) -> _Feature:
    if each.type.endswith("_list"):
        kind = each.type.removesuffix("_list")
        line = f"  {name}: {{kind: bag,{_side(side)} space: {name}, source: {source}, values: 8}}"
        return _Feature(line, (name, kind))
    if each.is_id:
        return _categorical(name, source, side, each)
    flag = ", flag: true" if each.missing > 0.01 else ""
    return _Feature(f"  {name}: {{kind: dense,{_side(side)} source: {source}, normalise: zscore{flag}}}")


def _categorical(name: str, source: str, side: str | None, each: Guess) -> _Feature:
    line = f"  {name}: {{kind: categorical,{_side(side)} space: {name}, source: {source}}}"
    return _Feature(line, (name, "int" if each.type == "int" else "str"))


def _side(side: str | None) -> str:
    return f" side: {side}," if side is not None else ""


def _table(name: str, table: Looked, columns: list[Column]) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    source: {_quoted(table.name)}"
    yield "    day: day"
    yield from _form(table)
    yield "    columns:"
    yield from (column.line for column in columns)


def _undated(name: str, each: Profile, columns: list[Column]) -> Iterator[str]:
    key = next(column.name for column in columns if column.role == "key")
    yield f"  {name}: # one row each; a column that changes with time is `change: running`, or past days see today's"
    yield f"    source: {_quoted(each.table.name)}"
    yield "    dated: false"
    yield f"    key: [{key}]"
    yield from _form(each.table)
    yield "    columns:"
    yield from (column.line for column in columns)


def _form(table: Looked) -> Iterator[str]:
    if table.form is not None:
        given = {name: getattr(table.form, name) for name in sorted(table.form.model_fields_set)}
        yield f"    text: {{{', '.join(f'{name}: {json.dumps(value)}' for name, value in given.items())}}}"


def _section(found: Roles) -> Iterator[str]:
    yield f"{found.kind}:"
    yield "  rows: rows"
    yield "  label: label"
    if found.kind == "impressions":
        yield "  user: user"
        yield "  item: item"
        if "user" in found.profiles:
            yield "  profile: {table: users, key: user}"
        if "item" in found.profiles:
            yield "  items: {table: items, key: item}"
        yield f"  history_length: {_STEPS}"
        yield ""
        yield f"history: {{days: active, length: {_STEPS}, lead: 0}}"


def _experiments(found: Roles) -> Iterator[str]:
    ranks = found.kind == "impressions"
    nets = (
        ("pooled", "{units: [64, 32]}"), ("din", "{units: [64, 32], attention_units: [40]}")
    ) if ranks else (("lr", "{}"), ("deepfm", "{units: [64, 32]}"))  # fmt: skip
    yield "experiments: # docs/experiments.md has every option, docs/models.md every model"
    for name, options in nets:
        yield f"  {name}: {{model: {name}, options: {options}, loss: binary, batch: 128}}"
    yield "  popularity: {model: popularity, loss: binary} # what any net has to beat"
    yield ""
    yield "release:"
    yield f"  champion: {nets[-1][0]}"
    yield "measures: {primary: auc}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else json.dumps(name, ensure_ascii=False)
