from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from examples.dien_lines import Bad, Item, Review, Sample, read_items, read_reviews, read_samples
from pipeline.errors import SourceError


def test_lines_of_samples(tmp_path: Path) -> None:
    """Steps stand between marks of their own; what is wrong with a line is told of it."""
    path = tmp_path / "local_train_splitByUser.gz"
    lines = [
        "1\tA\ti3\tBooks\ti1\x02i2\tBooks\x02Art", "0\tA\ti9\tArt\t\t", "", "2\tA\ti\tc\ti\tc", "1\tA\ti",
        "1\tA\ti\tc\ti\x02j\tc", "1\t\ti\tc\ti\tc", "1\tA\t\tc\ti\tc", "1\tA\ti\tc\ti\x02\tc\x02d",
    ]  # fmt: skip
    path.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    good, empty, *bad = read_samples(path)
    assert good == Sample(0, 1, "A", "i3", "Books", (("i1", "Books"), ("i2", "Art")))
    assert empty == Sample(1, 0, "A", "i9", "Art", ())
    assert [(each.number, each.reason) for each in bad if isinstance(each, Bad)] == [
        (3, "label: neither 0 nor 1"), (4, "3 cells, where 6 are"), (5, "2 items and 1 categories of the steps before"),
        (6, "no user"), (7, "no item"), (8, "a step without an item"),
    ]  # fmt: skip
    assert bad[1] == Bad(path.name, 4, "3 cells, where 6 are", "1\tA\ti")


def test_lines_of_items_and_reviews(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("i1\tBooks\n\tBooks\n")
    assert [*read_items(path)] == [Item("i1", "Books"), Bad("lines", 1, "no item", "\tBooks")]
    path.write_text("A\ti1\t5.0\t1370000000\nA\ti1\t5.0\tsoon\n\ti1\t5.0\t1\nA\t\t5.0\t1\n")
    first, *bad = read_reviews(path)
    assert first == Review("A", "i1", 1_370_000_000)
    assert [each.reason for each in bad if isinstance(each, Bad)] == ["time: no whole number", "no user", "no item"]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n"])
def test_a_file_without_any_such_line_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "item-info").write_bytes(content)
    with pytest.raises(SourceError, match="no line has the 2 cells between tabs"):
        list(read_items(tmp_path / "item-info"))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"i\tc\n" * 999)[:-20])
    with pytest.raises(SourceError, match="cannot be unpacked or read"):
        list(read_items(tmp_path / "cut.gz"))
