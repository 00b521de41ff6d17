"""A stored state taken up by a model that has grown since: what is old stays bit for bit, at its place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.architecture import Architecture, Axes, Growth, Segments
from models.engine.growth import first_table, grow_slot
from models.engine.state import Slots, State, StateMismatch, of_table
from models.schema import FIRST
from models.tables import TableSpec

Tensors = dict[str, NDArray[np.float32]]


def growth_of(
    state: State,
    then: Architecture,
    now: Architecture,
    specs: Iterable[TableSpec],
    others: Iterable[str],
) -> Growth:
    """What a model has that a stored state has not; whether the two fit otherwise is ``check_state``'s matter.

    Args:
        then: of the model that the state was stored by.
        specs: tables of the model as it is now.
        others: names of its tensors that are no table's.

    Raises:
        StateMismatch: it was another model, or a weight read what is gone or narrower now.
    """
    if then.model != now.model:
        raise StateMismatch(f"it is of the model '{then.model}', not of '{now.model}'")
    widths = {spec.name: (_width(state, f"table/{spec.name}"), spec.width) for spec in specs}
    for name, (before, after) in widths.items():
        if before > after:
            raise StateMismatch(f"tensor 'table/{name}': its rows have {before} values, of which only {after} are left")
    layers = {_layer(name) for name in state if name.startswith("dense/")}
    new = [name for name in others if name not in state and not name.startswith("slot/")]
    changed = [name for name, axes in now.axes.items() if name in state and axes != then.axes.get(name, axes)]
    wider = {name: _wider(name, then.axes[name], now.axes[name]) for name in changed}
    return Growth(
        tables={name: sizes for name, sizes in widths.items() if sizes[0] < sizes[1] or f"table/{name}" in wider},
        inputs={name: labels for name, labels in wider.items() if not name.startswith("table/")},
        # A weight more in a layer that was there is another model: a deeper one, say.
        weights=tuple(name for name in new if name.startswith("normalise/") or _layer(name) not in layers),
    )


def _width(state: State, table: str) -> int:
    return int(state[table].shape[-1]) if table in state else 0


def _layer(name: str) -> str:
    return name.split("/")[1]


def _wider(name: str, then: Axes, now: Axes) -> dict[str, tuple[int, int]]:
    """What is new or wider along the axes of a weight."""
    found: dict[str, tuple[int, int]] = {}
    for before, after in zip(then, now, strict=True):
        old, new = dict(before or ()), dict(after or ())
        for label, size in old.items():
            if new.get(label, 0) < size:
                left = f"only {new[label]} are" if label in new else "none is"
                raise StateMismatch(f"tensor '{name}': reads {size} values of '{label}', of which {left} left")
        found |= {label: (old.get(label, 0), size) for label, size in new.items() if size > old.get(label, 0)}
    return found


def taken_up(
    state: State,
    first: State,
    growth: Growth,
    then: Architecture,
    now: Architecture,
    specs: Iterable[TableSpec],
    slots: Slots,
    seed: int,
) -> tuple[Tensors, Tensors]:
    """The tensors of a state that the model has otherwise, in two ways, and all that it has more.

    Args:
        first: what dense weights, their slots and statistics start from in a new chain.
        seed: of the first rows of tables.

    Returns:
        As the state answered, with what is new beside the old being zero, so that it tells nothing; and as training
        begins, with what is new being as in a new chain.
    """
    silent: Tensors = {}
    begun: Tensors = {}
    of_spaces = {spec.space: len(state[f"table/{spec.name}"]) for spec in specs if f"table/{spec.name}" in state}
    for spec in specs:
        if spec.name not in growth.tables:
            continue
        size, before = of_spaces.get(spec.space, FIRST), growth.tables[spec.name][0]
        columns = then.axes.get(f"table/{spec.name}", (None, None))[1]
        places = np.arange(before) if columns is None else _along(columns, spec.columns)
        for part, name in of_table(spec.name, slots[spec.name]).items():
            nothing = np.zeros((0, spec.width), np.float32)
            is_table = part == "w"
            fresh = first_table(spec, size, seed) if is_table else grow_slot(nothing, size, slots[spec.name][part])
            if before and (name not in state or state[name].shape != (size, before)):
                continue
            begun[name] = fresh
            silent[name] = np.zeros_like(fresh) if is_table else fresh
            for each in (begun, silent) if before else ():
                each[name][:, places] = state[name]
    for weight in growth.inputs:
        index = _places(then.axes[weight], now.axes[weight], state[weight].shape)
        for name in _with_slots(weight, first):
            if name not in state or state[name].shape != state[weight].shape:
                continue
            begun[name] = np.array(first[name])
            silent[name] = np.zeros_like(first[name]) if name == weight else begun[name]
            for each in (begun, silent):
                each[name][index] = state[name]
    for weight in growth.weights:
        begun |= {name: np.array(first[name]) for name in _with_slots(weight, first)}
    return {**begun, **silent}, begun


def _with_slots(weight: str, tensors: Iterable[str]) -> list[str]:
    return [name for name in tensors if name == weight or name.startswith(f"slot/{weight}/")]


def _places(then: Axes, now: Axes, shape: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
    """Where in the weight of now everything of the one of then stands, as an index."""
    along = [
        np.arange(length) if before is None or after is None else _along(before, after)
        for before, after, length in zip(then, now, shape, strict=True)
    ]
    return np.ix_(*along)


def _along(then: Segments, now: Segments) -> NDArray[np.intp]:
    starts: dict[str, int] = {}
    end = 0
    for label, size in now:
        starts[label], end = end, end + size
    return np.concatenate([np.arange(starts[label], starts[label] + size) for label, size in then])
