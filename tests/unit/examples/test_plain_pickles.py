"""What is pickled is read, and nothing of it executed."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from examples.plain_pickles import read_numbers
from pipeline.errors import SourceError

PYTHON_2 = b"(dp1\nS'default_mid'\np2\nI0\nsS'B000\\xc3\\xa9'\np3\nI1\ns."
"""``cPickle.dumps`` of a dictionary, protocol 0, with bytes in UTF-8."""


@pytest.mark.parametrize(
    ("stored", "words"),
    [(PYTHON_2, {"default_mid": 0, "B000é": 1})]
    + [(pickle.dumps({"a": 0, "b": 300, "c": 70_000}, n), {"a": 0, "b": 300, "c": 70_000}) for n in range(6)],
)
def test_a_dictionary_of_any_protocol_is_read(tmp_path: Path, stored: bytes, words: dict[str, int]) -> None:
    (tmp_path / "voc.pkl").write_bytes(stored)
    assert read_numbers(tmp_path / "voc.pkl") == words


class Touch:
    """Pickled, it asks to make a file where it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_what_asks_to_be_executed_is_refused(tmp_path: Path, protocol: int) -> None:
    """Whatever its form; what it asks for is told, and has not happened."""
    made = tmp_path / "made"
    (tmp_path / "voc.pkl").write_bytes(pickle.dumps({"a": 1, "b": Touch(made)}, protocol))
    with pytest.raises(SourceError, match=r"voc\.pkl: asks for .*; nothing was executed"):
        read_numbers(tmp_path / "voc.pkl")
    assert not made.exists()


@pytest.mark.parametrize(
    "stored", [b"(S'touch %s'\nios\nsystem\n.", b"cos\nsystem\n(S'touch %s'\ntR.", b"\x8c\x02os\x8c\x06system\x93."]
)
def test_what_is_written_by_hand_is_refused_too(tmp_path: Path, stored: bytes) -> None:
    made = tmp_path / "made"
    (tmp_path / "voc.pkl").write_bytes(stored.replace(b"%s", str(made).encode()))
    with pytest.raises(SourceError, match=r"asks for os\.system"):
        read_numbers(tmp_path / "voc.pkl")
    assert not made.exists()


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (b"", "no pickle of a dictionary, or damaged"), (pickle.dumps({"a": 1})[:-4], "or damaged"),
        (b"no pickle", "or damaged"), (pickle.dumps([1]), "holds a list"),
        (pickle.dumps({"a": -1}), "'a' is -1"), (pickle.dumps({"a": True}), "'a' is True"),
        (pickle.dumps({1: 1}), "1 is 1"),
    ],
)  # fmt: skip
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, stored: bytes, words: str) -> None:
    (tmp_path / "voc.pkl").write_bytes(stored)
    with pytest.raises(SourceError, match=words):
        read_numbers(tmp_path / "voc.pkl")
    with pytest.raises(SourceError, match=r"other\.pkl: cannot be read"):
        read_numbers(tmp_path / "other.pkl")
