"""Ranges of row keys: regions cut into pieces, and what of them has been read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_WIDTH = 6
"""Bytes behind the common prefix that a cut is computed from."""
_ALPHABETS = tuple(
    bytes(sorted(each))
    for each in (
        b"0123456789_",
        b"0123456789abcdefABCDEF_-",
        b"0123456789_-.:/|,;#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        bytes(range(256)),
    )
)


@dataclass(frozen=True)
class KeyRange:
    """The keys from ``start`` on, below ``stop``; empty is the begin or the end of the table."""

    start: bytes
    stop: bytes

    def from_after(self, key: bytes) -> KeyRange:
        """What is left of the range behind a key."""
        return KeyRange(key + b"\0", self.stop)


def ranges_between(cuts: Iterable[bytes], whole: KeyRange | None = None) -> list[KeyRange]:
    """The ranges that the cuts (in any order, any number of times) divide the key space, or a range, into."""
    whole = whole or KeyRange(b"", b"")
    inner = sorted({cut for cut in cuts if cut > whole.start and (not whole.stop or cut < whole.stop)})
    edges = [whole.start, *inner, whole.stop]
    return [KeyRange(start, stop) for start, stop in pairwise(edges)]


def cuts_between(first: bytes, last: bytes, parts: int) -> list[bytes]:
    """At most ``parts - 1`` keys above ``first`` and up to ``last``, ascending, evenly spread over such keys.

    Digits are taken for digits: between ``10_7`` and ``99_7`` there is nothing but digits and ``_``. Where keys look
    otherwise the pieces are of unequal size, no more.

    >>> cuts_between(b"100", b"900", 4)
    [b'300', b'500', b'700']
    """
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    prefix = first[:same]
    low, high = first[len(prefix) :][:_WIDTH], last[len(prefix) :][:_WIDTH]
    letters = next(each for each in _ALPHABETS if set(low + high) <= set(each))
    if b"_" in letters and b"_" not in low + high:
        letters = letters.replace(b"_", b"")
    bottom, top = _number(low, letters), _number(high, letters)
    found: list[bytes] = []
    for part in range(1, parts):
        key = prefix + _key(bottom + (top - bottom) * part // parts, letters)
        if first < key <= last and (not found or key > found[-1]):
            found.append(key)
    return found


def _number(key: bytes, letters: bytes) -> int:
    value = 0
    for place in range(_WIDTH):
        value = value * (len(letters) + 1) + (letters.index(key[place]) + 1 if place < len(key) else 0)
    return value


def _key(value: int, letters: bytes) -> bytes:
    places = []
    for _ in range(_WIDTH):
        value, place = divmod(value, len(letters) + 1)
        places.append(place)
    key = bytearray()
    for place in reversed(places):
        if place == 0:  # the end of a shorter key
            break
        key.append(letters[place - 1])
    return bytes(key)


class Progress:
    """Which ranges of a table have been read to their end.

    Args:
        ranges: ascending, without gaps, over the whole key space. Raises ``ValueError`` otherwise.
    """

    def __init__(self, ranges: Sequence[KeyRange]) -> None:
        joined = all(one.stop == other.start for one, other in pairwise(ranges))
        inner = all(one.start < one.stop for one in ranges[:-1])
        if not ranges or not joined or not inner or ranges[0].start or ranges[-1].stop:
            raise ValueError(f"these ranges do not cover the key space: {ranges}")
        self._open = list(ranges)

    def ended(self, each: KeyRange) -> None:
        """A range's scanner has come to its end; raises ``ValueError`` for one that is not open."""
        self._open.remove(each)

    @property
    def whole(self) -> bool:
        """Whether the ranges that were read cover the key space."""
        return not self._open
