"""Products of two things that a model reads, value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import tensorflow as tf


class Crosses:
    """Which features and histories are multiplied with which, by name.

    Args:
        asked: for each name those that it is multiplied with.
        known: names of what there is: features with ids, histories, and the parts of histories.
        whose: they are, in words.

    Raises:
        ValueError: a name that there is not, or a pair that stands twice or is one thing.
    """

    def __init__(self, asked: Mapping[str, Iterable[str]], known: Iterable[str], whose: str) -> None:
        self.pairs = [(one, other) for one, others in asked.items() for other in others]
        self.whose = whose
        names = dict.fromkeys(known)
        seen: set[frozenset[str]] = set()
        for pair in self.pairs:
            strange = [name for name in pair if name not in names]
            if strange:
                raise ValueError(
                    f"{whose}, option 'crosses': there is no feature with ids and no history '{strange[0]}' in use; "
                    f"there are {', '.join(names)}"
                )
            if len(set(pair)) == 1 or frozenset(pair) in seen:
                wrong = "stands twice" if len(set(pair)) == 2 else "is one thing"
                raise ValueError(f"{whose}, option 'crosses': the pair {pair[0]}, {pair[1]} {wrong}; leave it out")
            seen.add(frozenset(pair))

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def of(self, values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The products by name: ``[batch, values]``, or ``[batch, candidates, values]`` where one is of candidates.

        Args:
            values: by name, ``[batch, values]`` or ``[batch, candidates, values]``.

        Raises:
            ValueError: the two of a pair differ in width, or an encoder has made another thing of a part of a history.
        """
        return {f"{one} x {other}": self._product(one, other, values) for one, other in self.pairs}

    def _product(self, one: str, other: str, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        for name in (one, other):
            if name not in values:
                raise ValueError(
                    f"{self.whose}, option 'crosses': what reads '{name}' keeps no part of a step apart; name the "
                    f"whole history, or read it by 'pooled' or 'din' (`encoders`)"
                )
        a, b = values[one], values[other]
        if a.shape[-1] != b.shape[-1]:
            raise ValueError(
                f"{self.whose}, option 'crosses': '{one}' is read as {a.shape[-1]} values and '{other}' as "
                f"{b.shape[-1]}; they are multiplied value by value, so give their id spaces one width (`dims`), or "
                f"leave the pair out"
            )
        if a.shape.rank != b.shape.rank:
            a, b = (each[:, None] if each.shape.rank == 2 else each for each in (a, b))
        return a * b
