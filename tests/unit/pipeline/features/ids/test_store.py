"""Id maps on disk: shared by any number of processes, never numbered anew, put back by hand."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.schema import MISSING_INT, PAD_INT
from pipeline.errors import ConfigError, CorruptArtifact, DataError, UsageError
from pipeline.features.ids.store import IdMapStore
from tests.unit.pipeline.adders import add_ten_thousand
from tests.unit.pipeline.crashes import crash_at_every_step
from tests.unit.pipeline.features.ids.given import D1, D2, D3, ints, texts


@pytest.fixture
def store(tmp_path: Path) -> IdMapStore:
    return IdMapStore(tmp_path / "idmaps" / "homework")


def test_a_repeat_changes_nothing(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1, 2), D1)
    path = store.folder / "chapter.json"
    before = path.stat()
    assert store.add("chapter", "int", ints(1, 2), D1).size == 4
    assert store.add("chapter", "int", ints(2), D1).size == 4
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_missing_values_are_passed_over_and_a_day_without_ids_is_marked(store: IdMapStore) -> None:
    chapters = store.add("chapter", "int", ints(MISSING_INT, 5, PAD_INT), D1)
    assert chapters.ids.tolist() == [5]
    chapters = store.add("chapter", "int", ints(), D2)
    assert chapters.marks == [(D1, 3), (D2, 3)]


def test_what_is_no_id_is_refused_and_nothing_added(store: IdMapStore) -> None:
    with pytest.raises(DataError, match=r"id space 'chapter' \(int\): 1 values of 2024-03-01 .* '1x' .*quarantine"):
        store.add("chapter", "int", np.array(["5", "1x"], object), D1)
    assert store.read("chapter", "int").size == 2


def test_the_file_can_be_read_by_a_person(store: IdMapStore) -> None:
    store.add("user", "str", texts("教师", 'a"\nb'), D1)
    text = (store.folder / "user.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert list(record) == ["note", "space", "kind", "size", "checksum", "marks", "ids"]
    assert "position in 'ids' (from 0) plus 2" in record["note"]
    assert record["marks"] == [["2024-03-01", 4]]
    assert record["ids"] == ["教师", 'a"\nb']
    assert "教师" in text
    assert IdMapStore(store.folder).read("user", "str").ids.tolist() == ["教师", 'a"\nb']


def test_reading_is_cached_until_the_file_changes(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1), D1)
    other = IdMapStore(store.folder)
    first = other.read("chapter", "int")
    assert other.read("chapter", "int") is first
    store.add("chapter", "int", ints(2), D2)
    assert other.read("chapter", "int").ids.tolist() == [1, 2]
    assert first.ids.tolist() == [1], "a map in hand never changes"


def test_the_type_of_a_space_is_for_good(store: IdMapStore) -> None:
    store.add("chapter", "int", ints(1), D1)
    with pytest.raises(ConfigError, match=r"chapter\.json: holds ids of type int, .* as str"):
        store.read("chapter", "str")
    with pytest.raises(UsageError, match="int or str"):
        store.read("new", "float")
    with pytest.raises(UsageError, match="cannot name a file"):
        store.read("../chapter", "int")


def _grown(store: IdMapStore) -> bytes:
    store.add("chapter", "int", ints(5, 6), D1)
    store.add("chapter", "int", ints(7, 8), D2)
    return (store.folder / "chapter.json").read_bytes()


def test_every_damage_is_told_with_the_file_and_what_to_do(store: IdMapStore) -> None:
    data = _grown(store)
    path = store.folder / "chapter.json"
    damages = [data[:length] for length in range(0, len(data) - 2, 11)]
    damages += [
        data.replace(b"5, 6", b"6, 5"),
        data.replace(b"8\n", b"8.5\n"),
        data.replace(b'"size": 6', b'"size": 5'),
    ]
    damages += [data.replace(b"03-02", b"03-03"), data.replace(b'"chapter"', b'"section"'), b"[" * 100000, b"{}", b"[]"]
    for damaged in damages:
        path.write_bytes(damaged)
        with pytest.raises(CorruptArtifact, match=rf"{path}: the id map is damaged .* copy {path}\.previous to {path}"):
            IdMapStore(store.folder).read("chapter", "int")
        with pytest.raises(CorruptArtifact):
            IdMapStore(store.folder).add("chapter", "int", ints(9), D3)
        assert path.read_bytes() == damaged


def test_a_lost_file_does_not_start_the_numbering_again(store: IdMapStore) -> None:
    _grown(store)
    (store.folder / "chapter.json").unlink()
    with pytest.raises(CorruptArtifact, match="the id map is gone"):
        store.read("chapter", "int")
    assert store.restore("chapter").ids.tolist() == [5, 6]


def test_restore_and_the_same_day_again_give_the_same_map(store: IdMapStore) -> None:
    data = _grown(store)
    path = store.folder / "chapter.json"
    with pytest.raises(UsageError, match="nothing to restore"):
        store.restore("chapter")
    path.write_bytes(data[:100])
    assert store.restore("chapter").marks == [(D1, 4)]
    assert (store.folder / "chapter.json.damaged").read_bytes() == data[:100]
    store.add("chapter", "int", ints(7, 8), D2)
    assert path.read_bytes() == data


def test_no_restore_without_a_good_previous(store: IdMapStore) -> None:
    data = _grown(store)
    (store.folder / "chapter.json").write_bytes(data[:100])
    (store.folder / "chapter.json.previous").write_bytes(data[:50])
    with pytest.raises(CorruptArtifact, match="no good map to restore"):
        store.restore("chapter")
    (store.folder / "chapter.json.previous").unlink()
    with pytest.raises(CorruptArtifact, match=r"there is no chapter\.json\.previous"):
        store.read("chapter", "int")


def test_an_addition_that_dies_at_any_step_leaves_the_old_or_the_new(store: IdMapStore) -> None:
    _grown(store)
    path = store.folder / "chapter.json"
    sizes: list[int] = []

    def check() -> None:
        fresh = IdMapStore(store.folder)
        sizes.append(fresh.read("chapter", "int").size)
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(b"x")
        assert fresh.restore("chapter").size in (4, 6)
        path.write_bytes(whole)

    crashes = crash_at_every_step(lambda: IdMapStore(store.folder).add("chapter", "int", ints(9), D3), check)
    assert crashes >= 5
    assert sizes[0] == 6
    assert sizes == sorted(sizes)
    final = IdMapStore(store.folder).add("chapter", "int", ints(9), D3)
    assert final.ids.tolist() == [5, 6, 7, 8, 9]
    assert sorted(each.name for each in store.folder.iterdir() if not each.name.startswith(".chapter.lock")) == [
        "chapter.json",
        "chapter.json.damaged",
        "chapter.json.previous",
    ]


def test_sixteen_processes_lose_and_double_none(store: IdMapStore) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=add_ten_thousand, args=(str(store.folder), worker)) for worker in range(16)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 16
    found = store.read("user", "int")
    expected = set(range(15 * 1000 + 3000)) | set(range(10**6, 10**6 + 160000))
    assert len(found.ids) == len(expected)
    assert set(found.ids.tolist()) == expected
    assert found.lookup(found.ids).tolist() == list(range(2, found.size))
    for worker in range(16):
        size = found.size_at(D1.plus(worker))
        own = np.arange(10**6 + worker * 10000, 10**6 + (worker + 1) * 10000)
        assert found.lookup(own).max() < size


batches = st.lists(st.tuples(st.integers(0, 6), st.lists(st.integers(-5, 30), max_size=12)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(batches, st.sampled_from(["int", "str"]))
def test_an_index_never_changes_and_is_never_given_twice(steps: list[tuple[int, list[int]]], kind: str) -> None:
    given_indices: dict[Any, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for offset, values in steps:
            day = D1.plus(offset)
            raw: list[Any] = values if kind == "int" else [f"u{value}" for value in values]
            array = np.array([*raw, None], object)[:-1]
            before = IdMapStore(Path(folder)).read("space", kind)
            after = IdMapStore(Path(folder)).add("space", kind, array, day)
            again = IdMapStore(Path(folder)).read("space", kind)
            assert again.ids.tolist() == after.ids.tolist()
            assert again.marks == after.marks
            assert after.ids.tolist()[: len(before.ids)] == before.ids.tolist()
            new = [value for value in dict.fromkeys(raw) if value not in given_indices]
            assert after.ids.tolist()[len(before.ids) :] == new
            for value in new:
                given_indices[value] = len(given_indices) + 2
            assert after.lookup(array).tolist() == [given_indices[value] for value in raw]
            assert after.lookup(array, limit=after.size_at(day)).tolist() == [given_indices[value] for value in raw]
            everything = np.arange(after.size)
            assert after.lookup(after.raw(everything)).tolist() == everything.tolist()
            repeat = IdMapStore(Path(folder)).add("space", kind, array, day)
            assert (repeat.marks, repeat.size) == (after.marks, after.size)


def test_a_million_ids_survive_the_file(tmp_path: Path) -> None:
    raw = np.random.default_rng(0).permutation(10**6).astype(np.int64) * 7
    IdMapStore(tmp_path).add("user", "int", raw, D1)
    found = IdMapStore(tmp_path).read("user", "int")
    assert np.array_equal(found.lookup(raw), np.arange(2, 10**6 + 2))
