"""The names and shapes of a stored state, checked strictly: nothing is ever loaded in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from models.tables import TableSpec

State = Mapping[str, NDArray[Any]]
"""Tensors by name: ``table/<name>``, ``slot/<name>/<slot>``, ``dense/<weight>``, ``slot/dense/<weight>/<slot>``,
``normalise/<feature>``, ``step``; the slots are those that the optimiser of the table or of the dense weights keeps."""

Shape = tuple[int | None, ...]

Slots = Mapping[str, Mapping[str, float]]
"""For each table of a model, the slots that its optimiser keeps, each with the value that it starts from."""


def of_table(name: str, slots: Iterable[str]) -> dict[str, str]:
    """The tensors of a model's table: its own, ``w``, and each slot's."""
    return {"w": f"table/{name}", **{slot: f"slot/{name}/{slot}" for slot in slots}}


class StateMismatch(ValueError):
    """A stored state is not of this model; names the tensor, what was expected and what was found."""


def expected_shapes(
    specs: Iterable[TableSpec], slots: Slots, others: Mapping[str, tuple[int, ...]]
) -> dict[str, Shape]:
    """Shape of every tensor of a model's state; ``None`` for the size of an id space.

    Args:
        specs: the model's tables.
        slots: of each.
        others: shapes of all tensors that are no table's: dense weights and their slots, statistics.
    """
    tables: dict[str, Shape] = {
        tensor: (None, spec.width) for spec in specs for tensor in of_table(spec.name, slots[spec.name]).values()
    }
    return {"step": (), **tables, **others}


def check_state(
    state: State, expected: Mapping[str, Shape], specs: Iterable[TableSpec], slots: Slots
) -> dict[str, int]:
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
        for name in of_table(spec.name, slots[spec.name]).values():
            size = sizes.setdefault(spec.space, len(state[name]))
            if len(state[name]) != size:
                wanted = (size, *expected[name][1:])
                raise StateMismatch(f"tensor '{name}': expected {_show(wanted)}, found {_show(state[name].shape)}")
    return sizes


def _show(shape: Shape) -> str:
    return "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
