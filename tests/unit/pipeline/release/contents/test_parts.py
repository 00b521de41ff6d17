from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.release.contents.parts import MOST_FIELDS, Part, decoded, encoded, shard_of


@pytest.mark.parametrize("fields", [0, 1, 998, 999, 1000, 5_000, 40_000])
def test_no_shard_holds_more_fields_than_allowed_and_none_is_lost(fields: int) -> None:
    part = Part("histories", {str(i): b"x" for i in range(fields)})
    shards = part.shards()
    assert max(map(len, shards)) + 1 <= MOST_FIELDS  # one more names the release
    assert sum(map(len, shards)) == fields
    for number, shard in enumerate(shards):
        assert all(shard_of(name, len(shards)) == number for name in shard)
    assert len(shards) <= 2 + fields // 700


def test_the_digest_depends_on_content_not_on_order() -> None:
    one = Part("p", {"a": b"1", "b": b"2"})
    assert one.digest == Part("p", {"b": b"2", "a": b"1"}).digest
    assert one.digest != Part("p", {"a": b"2", "b": b"1"}).digest
    assert Part("p", {"ab": b"c"}).digest != Part("p", {"a": b"bc"}).digest


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.text())
def test_values_come_back_bit_for_bit(floats: list[float], text: str) -> None:
    text = text.encode(errors="replace").decode()
    back = decoded(encoded({"f": floats, "t": text}))
    assert [value.hex() for value in back["f"]] == [value.hex() for value in floats]
    assert back["t"] == text


def test_a_value_that_no_reader_could_parse_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encoded([float("nan")])
