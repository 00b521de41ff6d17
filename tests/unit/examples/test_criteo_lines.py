from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from examples import criteo_lines
from examples.criteo_lines import NAMES, count_lines, read_lines
from pipeline.errors import SourceError

NUMBERS = ["1", "-2", "", "40", "5", "6", "7", "8", "9", "10", "11", "", "13"]
IDS = [f"{n:08x}" for n in range(26)]
GOOD = "\t".join(["1", *NUMBERS, *IDS])


def told(path: Path) -> tuple[list[dict[str, object]], list[int], list[tuple[int, str, str]]]:
    found = list(read_lines(path))
    rows = pa.concat_tables([each.rows for each in found])
    return rows.to_pylist(), [n for each in found for n in each.at.tolist()], [b for each in found for b in each.bad]


def row(**changes: object) -> dict[str, object]:
    numbers = [float(each) if each else None for each in NUMBERS]
    return {**dict(zip(NAMES, [1, *numbers, *IDS], strict=True)), **changes}


@pytest.mark.parametrize("block", [1 << 22, 300, 7])
def test_cells_between_tabs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """However they are cut into blocks; an empty cell is missing, and what is wrong is told of its line."""
    monkeypatch.setattr(criteo_lines, "_BLOCK", block)
    cells = GOOD.split("\t")
    lines = [
        GOOD, "\t".join(["0", *[""] * 39]), "\t".join(cells[:-1]), "\t".join(["2", *cells[1:]]),
        "\t".join([*cells[:3], "many", *cells[4:]]), "\t".join([*cells[:-1], " aa "]),
    ]  # fmt: skip
    path = tmp_path / "train.txt"
    path.write_text("\r\n".join(lines) + "\r\n")
    rows, at, bad = told(path)
    assert rows == [row(), {**dict.fromkeys(NAMES), "label": 0}, row(c26="aa")]
    assert at == [0, 1, 5]
    assert [(number, reason) for number, reason, _ in bad] == [
        (2, "39 cells, where 40 are"), (3, "label: neither 0 nor 1"), (4, "i3: not a number"),
    ]  # fmt: skip
    assert bad[0][2] == lines[2][:200]
    assert count_lines(path) == 6


def test_cells_under_a_header_in_any_order(tmp_path: Path) -> None:
    names = [name.upper() if name != "label" else name for name in NAMES]
    path = tmp_path / "sample.csv.gz"
    lines = [",".join([*names[1:], "more", "label"]), ",".join([*GOOD.split("\t")[1:], "x", "1"])]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert told(path)[0] == [row()]
    path.write_bytes(gzip.compress(b"label,I1\n1,2\n"))
    with pytest.raises(SourceError, match="the header has no i2"):
        told(path)
    path.write_bytes(gzip.compress("\n".join([f"{lines[0]},C7", f"{lines[1]},x"]).encode()))
    with pytest.raises(SourceError, match="the header names c7 twice"):
        told(path)
    path.write_bytes(gzip.compress(lines[0].encode()))
    with pytest.raises(SourceError, match="there is none below the header"):
        told(path)


def test_slots(tmp_path: Path) -> None:
    """A slot that is not there is missing, numbers are all there, and ids come in any order."""
    dense = " ".join(f"dense_feature:{n / 10}" for n in range(13))
    lines = [
        f"click:1 {dense} 26:9 1:737395", f"click:0 {dense}", f"click:0 {dense} 27:1", f"click:0 {dense} 3:1 3:2",
        "click:0 dense_feature:0.1 1:2", f"click:0 {dense} alone", f"{dense} 1:2",
    ]  # fmt: skip
    path = tmp_path / "part-0"
    path.write_text("\n".join(lines))
    rows, at, bad = told(path)
    numbers = {f"i{n + 1}": n / 10 for n in range(13)}
    empty = dict.fromkeys(NAMES)
    assert rows == [{**empty, "label": 1, **numbers, "c1": "737395", "c26": "9"}, {**empty, "label": 0, **numbers}]
    assert at == [0, 1]
    assert [(number, reason) for number, reason, _ in bad] == [
        (2, "a slot that is none of 1 to 26"), (3, "a slot that stands twice"),
        (4, "1 times dense_feature, where 13 are"), (5, "a part that is no name:value"), (6, "label: neither 0 nor 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty"), (b"\n\n", "is empty"), (b"a,b\n1,2\n", "begins with 'a,b'"),
    (b'"label","I1"\n', "cells in quotes"),
    (gzip.compress(b"0\t1\n"), r"begins with '\\x1f.* a packed file's name ends in"),
])  # fmt: skip
def test_a_file_of_no_known_form_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "rows.txt").write_bytes(content)
    with pytest.raises(SourceError, match=words):
        told(tmp_path / "rows.txt")
