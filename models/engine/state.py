"""The names and shapes of a stored state, checked strictly: nothing is ever loaded in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]
"""Tensors by name: ``table/<space>``, ``slot/<space>/m|v``, ``dense/<weight>``, ``slot/dense/<weight>/m|v``,
``normalise/<feature>``, ``step``."""

Shape = tuple[int | None, ...]


class StateMismatch(ValueError):
    """A stored state is not of this model; names the tensor, what was expected and what was found."""


def expected_shapes(
    dims: Mapping[str, int],
    weights: Mapping[str, tuple[int, ...]],
    trainable: list[str],
    statistics: Mapping[str, tuple[int, ...]],
) -> dict[str, Shape]:
    """Shape of every tensor of a model's state; ``None`` for the size of an id space.

    Args:
        dims: embedding width of every id space.
        weights: shapes of the dense weights.
        trainable: those of them that the optimiser moves.
        statistics: shapes of the statistics of normalised features.
    """
    expected: dict[str, Shape] = {"step": ()}
    for space, dim in dims.items():
        for name in (f"table/{space}", f"slot/{space}/m", f"slot/{space}/v"):
            expected[name] = (None, dim)
    for name, shape in weights.items():
        expected[f"dense/{name}"] = shape
    for name in trainable:
        expected[f"slot/dense/{name}/m"] = expected[f"slot/dense/{name}/v"] = weights[name]
    for name, shape in statistics.items():
        expected[f"normalise/{name}"] = shape
    return expected


def check_state(state: State, expected: Mapping[str, Shape], spaces: list[str]) -> dict[str, int]:
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
    sizes = {space: len(state[f"table/{space}"]) for space in spaces}
    for space, size in sizes.items():
        for name in (f"slot/{space}/m", f"slot/{space}/v"):
            if len(state[name]) != size:
                wanted = (size, *expected[name][1:])
                raise StateMismatch(f"tensor '{name}': expected {_show(wanted)}, found {_show(state[name].shape)}")
    return sizes


def _show(shape: Shape) -> str:
    return "[" + ", ".join("any" if n is None else str(n) for n in shape) + "]"
