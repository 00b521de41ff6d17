"""What a model is built of, as far as a checkpoint tells it: in one that has grown since, its places are found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field

Segments = tuple[tuple[str, int], ...]
"""What stands along an axis of a weight, in order: of what, and how many values."""
Axes = tuple[Segments | None, ...]
"""Of each axis of a weight; ``None`` for one whose length is no matter of the features."""

TREE_COLUMNS = "tree/columns"
"""What the axes of a model of trees call the numbers that trees ask."""


class Architecture(BaseModel):
    """What a checkpoint's tensors are of.

    Attributes:
        model: its name in the registry.
        axes: of each weight whose shape is a matter of the features.
        members: of a blend, what each of its members is built of, in order.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    axes: dict[str, Axes] = {}
    members: dict[str, Architecture] = Field(default_factory=dict, exclude_if=lambda members: not members)


class Growth(BaseModel):
    """What a model has that a checkpoint has not; sizes are those before (0: there was none) and now.

    Attributes:
        tables: values a row, by table.
        inputs: by weight, the values of what it reads that is new or wider; none where only their order is another.
        weights: dense weights and statistics that are new as a whole.
    """

    model_config = ConfigDict(frozen=True)

    tables: dict[str, tuple[int, int]] = {}
    inputs: dict[str, dict[str, tuple[int, int]]] = {}
    weights: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.inputs or self.weights)

    @property
    def in_words(self) -> str:
        """For a line on the terminal."""
        read = {label: sizes for labels in self.inputs.values() for label, sizes in labels.items()}
        told = [f"{what} {_sizes(sizes)}" for what, sizes in (("tables", self.tables), ("inputs", read)) if sizes]
        told += [f"weights {', '.join(name.removeprefix('dense/') for name in self.weights)}"] if self.weights else []
        return "; ".join(told) or "its inputs in another order"


def _sizes(sizes: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} ({f'{before} → ' if before else ''}{now})" for name, (before, now) in sizes.items())


def joined(parts: Iterable[Segments]) -> Segments:
    """The segments of what stands side by side.

    Raises:
        ValueError: two of them are called alike.
    """
    segments = tuple(segment for part in parts for segment in part)
    names = [name for name, _ in segments]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two parts of an axis are called alike: {', '.join(twice)}")
    return segments
