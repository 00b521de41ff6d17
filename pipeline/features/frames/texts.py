"""Text as numbers: the place of each text among some words, so that what is done to text is done once a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    _Objects = np.ndarray[Any, np.dtype[Any]]
else:
    _Objects = object


_FEW = 16


class Texts(_Objects):
    """What stands for an array of objects that hold text, of any shape: numpy and Arrow see the texts themselves.

    Args:
        words: object ``[words]``; one may stand there twice.
        codes: int32 of the shape of the texts, places in ``words``.
    """

    dtype = np.dtype(object)

    if TYPE_CHECKING:

        def __new__(cls, words: NDArray[Any], codes: NDArray[Any]) -> Texts: ...

    def __init__(self, words: NDArray[Any], codes: NDArray[Any]) -> None:
        self.words, self.codes = words, codes

    @classmethod
    def of(cls, values: NDArray[Any] | pa.Array) -> Texts:
        """The texts of an array, none of which is missing; words in order of first appearance."""
        if isinstance(values, cls):
            return values._in_order()
        if isinstance(values, np.ndarray) and len(values) <= _FEW and all(type(each) is str for each in values):
            return cls._of_few(values.tolist())
        encoded = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        words = np.asarray(encoded.dictionary.to_numpy(zero_copy_only=False), object)
        return cls(words, encoded.indices.to_numpy(zero_copy_only=False))

    @classmethod
    def _of_few(cls, values: list[str]) -> Texts:
        """What Arrow would make of them, which takes longer to begin with than a few texts do."""
        places = {word: place for place, word in enumerate(dict.fromkeys(values))}
        return cls(np.array([*places], object), np.array([places[each] for each in values], np.int32))

    def _in_order(self) -> Texts:
        import pandas as pd

        used = pd.unique(self.codes.ravel())
        again = pa.array(self.words[used], pa.string()).dictionary_encode()
        place = np.zeros(len(self.words), np.int32)
        place[used] = again.indices.to_numpy(zero_copy_only=False)
        return Texts(np.asarray(again.dictionary.to_numpy(zero_copy_only=False), object), place[self.codes])

    @property  # type: ignore[misc]
    def shape(self) -> tuple[int, ...]:
        return self.codes.shape

    @property
    def ndim(self) -> int:
        return self.codes.ndim

    @property
    def size(self) -> int:
        return self.codes.size

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Any:
        found = self.codes[rows]
        return Texts(self.words, found) if isinstance(found, np.ndarray) else self.words[found]

    def take(self, rows: NDArray[Any], **options: Any) -> Texts:  # type: ignore[override]
        return Texts(self.words, self.codes.take(rows, **options))

    def ravel(self) -> Texts:  # type: ignore[override]
        return Texts(self.words, self.codes.ravel())

    def reshape(self, *shape: Any) -> Texts:  # type: ignore[override]
        return Texts(self.words, self.codes.reshape(*shape))

    def tolist(self) -> Any:
        return np.asarray(self).tolist()

    def __eq__(self, other: object) -> Any:
        if isinstance(other, str):
            return np.asarray(self.words == other, bool)[self.codes]
        return np.asarray(self) == other

    def __ne__(self, other: object) -> Any:
        return ~(self == other)

    __hash__ = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # type: ignore[override]
        return np.asarray(self.words[self.codes], dtype)

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.Array:
        return pa.array(self.words, pa.string()).take(pa.array(self.codes))

    def made(self, rule: Callable[[NDArray[Any]], NDArray[Any]]) -> Texts:
        """The texts that a rule makes of each word."""
        return Texts(rule(self.words), self.codes)

    def each(self, rule: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
        """What a rule makes of each word, of the shape of the texts."""
        return rule(self.words)[self.codes]

    def beside(self, word: Any) -> tuple[NDArray[Any], NDArray[Any], int]:
        """The words with one more at their end, the codes, wide enough for it, and its place."""
        place = len(self.words)
        codes = self.codes if place <= np.iinfo(self.codes.dtype).max else self.codes.astype(np.int32)
        return np.append(self.words, np.array([word], object)), codes, place

    def distinct(self) -> NDArray[Any]:
        """Each text once, in order of first appearance."""
        import pandas as pd

        found: NDArray[Any] = pd.unique(self.words[pd.unique(self.codes.ravel())])
        return found


def placed(values: NDArray[Any], places: NDArray[np.int64], size: int, fill: Any) -> NDArray[Any]:
    """An array of ``size`` values: those given stand at their places, and ``fill`` elsewhere."""
    if isinstance(values, Texts):
        words, codes, place = values.beside(fill)
        return Texts(words, placed(codes, places, size, place))
    out = np.full(size, fill, values.dtype)
    out[places] = values
    return out
