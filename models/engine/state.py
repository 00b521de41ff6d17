"""The names and shapes of a stored state, checked strictly: nothing is ever loaded in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from models.tables import TableSpec

State = Mapping[str, NDArray[Any]]
"""Tensors by name: ``table/<name>``, ``slot/<name>/m|v``, ``dense/<weight>``, ``slot/dense/<weight>/m|v``,
``normalise/<feature>``, ``step``."""

Shape = tuple[int | None, ...]

SLOTS = ("m", "v")
"""What an optimiser keeps of every weight beside its value: Adam's two moments."""


def of_table(name: str) -> dict[str, str]:
    """The tensors of a model's table: its own, ``w``, and each slot's."""
    return {"w": f"table/{name}", **{slot: f"slot/{name}/{slot}" for slot in SLOTS}}


class StateMismatch(ValueError):
    """A stored state is not of this model; names the tensor, what was expected and what was found."""


def expected_shapes(specs: Iterable[TableSpec], others: Mapping[str, tuple[int, ...]]) -> dict[str, Shape]:
    """Shape of every tensor of a model's state; ``None`` for the size of an id space.

    Args:
        specs: the model's tables.
        others: shapes of all tensors that are no table's: dense weights and their slots, statistics.
    """
    tables: dict[str, Shape] = {
        tensor: (None, spec.width) for spec in specs for tensor in of_table(spec.name).values()
    }
    return {"step": (), **tables, **others}


def check_state(state: State, expected: Mapping[str, Shape], specs: Iterable[TableSpec]) -> dict[str, int]:
    """The size of every id space in a state whose names and shapes are all as expected.

    Raises:
        StateMismatch: a tensor is missing, too many, or of another shape.
    """
    for name, shape in expected.items():
        if name not in state:
            raise StateMismatch(f"tensor '{name}': expected {_show(shape)}, found none")
        found = state[name].shape
        if len(found) != len(shape) or any(e not in (None, f) for e, f in zip(shape, found, strict=True)):
            raise StateMismatch(f"tensor '{name}': expected {_show(shape)}, found {_show(found)}")
    extra = sorted(set(state) - set(expected))
    if extra:
        raise StateMismatch(f"tensor '{extra[0]}': expected none, found {_show(state[extra[0]].shape)}")
    sizes: dict[str, int] = {}
    for spec in specs:
        for name in of_table(spec.name).values():
            size = sizes.setdefault(spec.space, len(state[name]))
            if len(state[name]) != size:
                wanted = (size, *expected[name][1:])
                raise StateMismatch(f"tensor '{name}': expected {_show(wanted)}, found {_show(state[name].shape)}")
    return sizes


def _show(shape: Shape) -> str:
    return "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
