from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.hbase.key_ranges import KeyRange, Progress, cuts_between, ranges_between

KEYS = st.one_of(st.binary(max_size=9), st.from_regex(rb"[1-9][0-9]{0,5}_[0-9]{1,4}", fullmatch=True))


@given(st.lists(KEYS))
def test_ranges_cover_the_key_space_without_gap_or_overlap(cuts: list[bytes]) -> None:
    ranges = ranges_between(cuts)
    progress = Progress(ranges)
    for key in [*cuts, b"", b"\xff" * 12]:
        assert sum(each.start <= key and (not each.stop or key < each.stop) for each in ranges) == 1
    for each in ranges:
        assert not progress.whole
        progress.ended(each)
    assert progress.whole


@given(KEYS, KEYS, st.integers(1, 20))
def test_cuts_ascend_between_the_keys(one: bytes, other: bytes, parts: int) -> None:
    first, last = sorted((one, other))
    cuts = cuts_between(first, last, parts)
    assert cuts == sorted(set(cuts))
    assert len(cuts) < parts or not cuts
    assert all(first < cut <= last for cut in cuts)


def test_cuts_of_ids_are_even() -> None:
    ids = sorted(str(number).encode() + b"_7" for number in range(1000, 10_000))
    cuts = cuts_between(ids[0], ids[-1], 8)
    assert len(cuts) == 7
    pieces = ranges_between(cuts)
    sizes = [sum(each.start <= key and (not each.stop or key < each.stop) for key in ids) for each in pieces]
    assert max(sizes) < 2 * len(ids) / 8
    assert sum(sizes) == len(ids)


def test_a_range_within_a_range_keeps_its_ends() -> None:
    whole = KeyRange(b"b", b"d")
    assert ranges_between([b"a", b"b", b"c", b"c", b"d", b"e"], whole) == [KeyRange(b"b", b"c"), KeyRange(b"c", b"d")]
    assert ranges_between([], whole) == [whole]
    assert whole.from_after(b"c") == KeyRange(b"c\0", b"d")


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [KeyRange(b"", b"b")],
        [KeyRange(b"a", b"")],
        [KeyRange(b"", b"b"), KeyRange(b"c", b"")],
        [KeyRange(b"", b"c"), KeyRange(b"b", b"")],
        [KeyRange(b"", b"b"), KeyRange(b"b", b"a"), KeyRange(b"a", b"")],
    ],
)
def test_ranges_with_a_hole_are_refused(ranges: list[KeyRange]) -> None:
    with pytest.raises(ValueError, match="do not cover"):
        Progress(ranges)


def test_a_range_ends_once() -> None:
    progress = Progress([KeyRange(b"", b"")])
    progress.ended(KeyRange(b"", b""))
    with pytest.raises(ValueError):  # noqa: PT011 - of list.remove
        progress.ended(KeyRange(b"", b""))
