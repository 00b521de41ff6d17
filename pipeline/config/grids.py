"""Grids: experiments that differ by a few settings, written once and expanded to experiments like any others.

Of the standard library alone, as Airflow's processes expand them too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.options import meant

MOST = 64
"""Experiments of a job: each is a chain that is trained every day."""
_MOST_COMBINED = 10_000
_PARTS = ("name", "settings", "axes", "exclude")
_NESTED = ("options", "dims", "optimizer")
"""Settings of an experiment that may be mappings themselves, of which an axis may be a part: `options.pooling`."""
_PLACE = re.compile(r"\{([^{}]*)\}")

Point = dict[str, Any]
"""A value by axis."""


def expanded(data: Mapping[str, Any], known: Collection[str] | None = None) -> dict[str, Any]:
    """A job's settings with each grid's experiments among ``experiments``, and ``grids`` as their names by grid.

    Args:
        known: the settings that an experiment has; without them no axis is checked.

    Raises:
        ValueError: names the grid, the value and what to do.
    """
    grids = data.get("grids")
    if isinstance(grids, Mapping) and not grids:
        raise ValueError("grids: holds none; write `name: {axes: …}`, a grid each, or leave it out")
    if not isinstance(grids, Mapping):
        raise ValueError("grids: is not a mapping; write `name: {axes: …}`, a grid each, or leave it out")
    by_hand = data.get("experiments") or {}
    if not isinstance(by_hand, Mapping):
        raise ValueError("experiments: is not a mapping; write `name: {model: …}`, a line each")
    experiments: dict[str, Any] = dict(by_hand)
    origin = dict.fromkeys(experiments, "experiments")
    names: dict[str, list[str]] = {}
    for grid, content in grids.items():
        where = f"grids.{grid}"
        for name, settings in _Grid.of(str(grid), content, known).experiments():
            if name in origin:
                other = "another of it" if origin[name] == where else f"one of {origin[name]}"
                raise ValueError(f"{where}: '{name}' is the name of {other} too; let `name` tell them apart")
            origin[name], experiments[name] = where, settings
            names.setdefault(str(grid), []).append(name)
    if len(experiments) > MOST:
        raise ValueError(f"grids: {len(experiments)} experiments, and {MOST} are the most that a job may have; "
                         "each is a chain that is trained every day. Exclude some, or shorten an axis")  # fmt: skip
    return {**data, "experiments": experiments, "grids": names}


@dataclass(frozen=True)
class _Grid:
    """One grid.

    Attributes:
        settings: what all of its experiments share.
        axes: values by the setting that they are of, ``options.pooling``.
        exclude: values, or lists of them, by axis: what fits all of one's values is left out.
    """

    name: str
    template: str
    settings: Mapping[str, Any]
    axes: Mapping[str, list[Any]]
    exclude: list[Mapping[str, list[Any]]]

    @classmethod
    def of(cls, name: str, content: Any, known: Collection[str] | None) -> _Grid:
        where = f"grids.{name}"
        if not isinstance(content, Mapping):
            raise ValueError(f"{where}: is not a mapping; write `axes: {{setting: [values]}}`")
        for part in content:
            if part not in _PARTS:
                raise ValueError(f"{where}.{part}: no such setting of a grid; one of {', '.join(_PARTS)}")
        settings = content.get("settings") or {}
        if not isinstance(settings, Mapping):
            raise ValueError(f"{where}.settings: is not a mapping; write `setting: value`, as of an experiment")
        axes = {str(axis): _values(f"{where}.axes.{axis}", each) for axis, each in _mapping(where, content).items()}
        for axis in axes:
            _check_axis(f"{where}.axes.{axis}", axis, axes, settings, known)
        if (combined := _product(axes)) > _MOST_COMBINED:
            raise ValueError(f"{where}.axes: {combined:,} combinations, far more than the {MOST} that a job may have")
        given = content.get("name")
        template = "_".join(["{grid}", *(f"{{{axis}}}" for axis in axes)]) if _is_left_out(given) else str(given)
        exclude = _excluded(where, axes, content.get("exclude") or [])
        return cls(name, template, settings, axes, exclude)

    def experiments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and settings of each combination that is not excluded, the last axis running fastest."""
        points = [dict(zip(self.axes, values, strict=True)) for values in itertools.product(*self.axes.values())]
        idle = set(range(len(self.exclude)))
        left = []
        for point in points:
            fitting = {n for n, each in enumerate(self.exclude) if all(point[axis] in each[axis] for axis in each)}
            idle -= fitting
            left += [] if fitting else [point]
        if idle:
            raise ValueError(f"grids.{self.name}.exclude.{min(idle)}: excludes nothing; leave it out, or give values "
                             "that a combination has")  # fmt: skip
        if not left:
            raise ValueError(f"grids.{self.name}.exclude: nothing is left of its {len(points)} combinations")
        for point in left:
            yield self._named(point), self._with(point)

    def _named(self, point: Point) -> str:
        def filled(match: re.Match[str]) -> str:
            if match[1] == "grid":
                return self.name
            axes = [axis for axis in self.axes if match[1] in (axis, axis.rpartition(".")[2])]
            if len(axes) != 1:
                what = "names no axis" if not axes else f"may be {' or '.join(axes)}"
                raise ValueError(f"grids.{self.name}.name: {{{match[1]}}} {what}; there are {', '.join(self.axes)}")
            return _word(point[axes[0]])

        name = re.sub(r"_+", "_", _PLACE.sub(filled, self.template)).strip("_")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"grids.{self.name}.name: makes '{name}', which must be lower-case letters, digits and _, "
                             "a letter first")  # fmt: skip
        return name

    def _with(self, point: Point) -> dict[str, Any]:
        found = dict(self.settings)
        for axis, value in point.items():
            if not _is_left_out(value):
                found = _set(f"grids.{self.name}.settings", found, axis.split("."), value)
        return found


def _set(where: str, section: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    inner = section.get(first)
    if rest and inner is not None and not isinstance(inner, Mapping):
        raise ValueError(f"{where}.{first}: {inner!r} is not a mapping, and an axis is a part of it")
    return {**section, first: _set(f"{where}.{first}", inner or {}, rest, value) if rest else value}


def _mapping(where: str, content: Mapping[str, Any]) -> Mapping[Any, Any]:
    axes = content.get("axes")
    if not isinstance(axes, Mapping) or not axes:
        raise ValueError(f"{where}.axes: a grid has none; write `axes: {{setting: [values]}}`, an axis each")
    return axes


def _values(where: str, values: Any) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise ValueError(f"{where}: an axis is a list of values, one at least (null leaves the setting out)")
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{where}: {value} stands twice")
    return values


def _check_axis(
    where: str, axis: str, axes: Mapping[str, list[Any]], settings: Mapping[str, Any], known: Collection[str] | None
) -> None:
    section, *parts = axis.split(".")
    if known is not None and section not in known:
        alike = meant(section, known)
        raise ValueError(f"{where}: no such setting of an experiment{alike}; one of {', '.join(known)}")
    if parts and section not in _NESTED:
        raise ValueError(f"{where}: '{section}' has no parts; only {' and '.join(_NESTED)} have")
    above = next((other for other in axes if axis.startswith(f"{other}.")), None)
    if above is not None:
        raise ValueError(f"{where}: the axis '{above}' sets it too; keep one of them")
    given: Any = settings
    for part in (section, *parts):
        if not isinstance(given, Mapping) or part not in given:
            return
        given = given[part]
    raise ValueError(f"{where}: `settings` gives it too, which no experiment would have; leave it out there")


def _excluded(where: str, axes: Mapping[str, list[Any]], listed: Any) -> list[Mapping[str, list[Any]]]:
    found: list[Mapping[str, list[Any]]] = []
    if not isinstance(listed, list):
        raise ValueError(f"{where}.exclude: is not a list; write `- {{setting: value, other: value}}`, a line each")
    for place, each in enumerate(listed):
        here = f"{where}.exclude.{place}"
        if not isinstance(each, Mapping) or not each:
            raise ValueError(f"{here}: is not a mapping; write `{{setting: value, other: value}}`")
        chosen: dict[str, list[Any]] = {}
        for axis, values in each.items():
            if axis not in axes:
                raise ValueError(f"{here}: '{axis}' is no axis of the grid; one of {', '.join(axes)}")
            # A value that is a list itself stands for itself.
            chosen[axis] = values if isinstance(values, list) and values not in axes[axis] else [values]
            strange = [value for value in chosen[axis] if value not in axes[axis]]
            if strange:
                raise ValueError(f"{here}.{axis}: {strange[0]} is no value of the axis; "
                                 f"it has {', '.join(map(str, axes[axis]))}")  # fmt: skip
        found.append(chosen)
    return found


def _product(axes: Mapping[str, list[Any]]) -> int:
    count = 1
    for values in axes.values():
        count *= len(values)
    return count


def _is_left_out(value: Any) -> bool:
    """Nothing, as it stands in YAML: ``null`` keeps its text until it is known what is declared."""
    return value is None or getattr(value, "meaning", value) is None


def _word(value: Any) -> str:
    """A value as a part of a name."""
    if _is_left_out(value):
        return ""
    if isinstance(value, Mapping):
        return "_".join(_word(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return "_".join(map(_word, value))
    return re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_")
