"""Rolling back, on embedded stores and on servers: the previous release whole, held until someone lifts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CorruptArtifact, DayspringError, UsageError
from pipeline.release.publish.ledger import Ledger
from pipeline.release.publish.redis_generations import Generations
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.redis import embedded
from tests.integration.releases import KEYS, USERS, Bench, artifact_of


@pytest.fixture(params=["embedded", "servers"])
def bench(stores: Callable[[str], dict[str, str]], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(tmp_path, **stores(request.param))
    for number in (1, 2, 3):
        made.publisher().publish(artifact_of(number))
    yield made
    made.close()


def served(bench: Bench) -> set[bytes]:
    found = ReleaseReader(bench.client, KEYS).fetch({"users": [f"u{i}" for i in range(USERS)]})["users"]
    assert len(found) == USERS
    return set(found.values())


def test_it_restores_model_and_contents_together_without_deriving_them_again(bench: Bench) -> None:
    before = bench.files.published("r2")
    assert before is not None
    pointer = bench.publisher().rollback("bad scores")
    assert (pointer.release_id, pointer.version, pointer.previous) == ("r2", before.pointer.version, "r1")
    assert served(bench) == {b"2"}
    assert bench.models.pointer() == pointer.to_json() == bench.client.get(KEYS.current)
    assert bench.derived == [1, 2, 3]


def test_it_holds_through_the_next_run_until_it_is_lifted(bench: Bench) -> None:
    bench.publisher().rollback("bad scores")
    outcome = bench.publisher().publish(artifact_of(4))
    assert outcome.status == "held"
    assert "bad scores" in outcome.reason
    assert served(bench) == {b"2"}
    assert bench.publisher().release_hold()
    assert not bench.publisher().release_hold()
    assert bench.publisher().publish(artifact_of(4)).status == "published"
    assert served(bench) == {b"4"}


def test_a_forced_publish_ends_the_hold(bench: Bench) -> None:
    bench.publisher().rollback("bad scores")
    assert bench.publisher().publish(artifact_of(3), forced=True).status == "published"
    assert served(bench) == {b"3"}
    assert bench.files.hold() is None


def test_twice_goes_back_twice_and_then_there_is_nothing_left(bench: Bench) -> None:
    assert bench.publisher().rollback("a").release_id == "r2"
    assert bench.publisher().rollback("b").release_id == "r1"
    assert served(bench) == {b"1"}
    with pytest.raises(UsageError, match="no release was served before r1"):
        bench.publisher().rollback("c")


def test_any_release_that_was_served_can_be_gone_back_to(bench: Bench) -> None:
    pointer, todo = bench.publisher().would_restore("r1")
    assert (pointer.release_id, todo) == ("r1", [])
    assert served(bench) == {b"3"}
    assert bench.publisher().rollback("bad week", "r1").release_id == "r1"
    assert served(bench) == {b"1"}
    with pytest.raises(UsageError, match="--to r1: is what job 'ads' serves now"):
        bench.publisher().rollback("again", "r1")
    with pytest.raises(UsageError, match=r"--to r9: no such release; `python -m pipeline releases --job ads`"):
        bench.publisher().rollback("again", "r9")
    assert bench.publisher().rollback("no, that one", "r3").release_id == "r3"
    assert served(bench) == {b"3"}


def test_what_going_back_would_take_is_said_before(bench: Bench) -> None:
    gone = bench.files.published("r1")
    assert gone is not None
    bench.client.delete(*KEYS.all("r1", gone.pointer.parts))
    assert bench.publisher().would_restore("r1")[1] == ["its contents are derived again and pushed to Redis"]
    bench.objects.put(f"ads/models/{gone.pointer.version}/saved_model.pb", b"other")
    assert len(bench.publisher().would_restore("r1")[1]) == 2
    bench.gone_models.add(1)
    with pytest.raises(DayspringError, match="release r1: its exported model was pruned"):
        bench.publisher().would_restore("r1")
    assert bench.files.hold() is None


def test_the_ledger_has_every_release_that_was_served_by_whom_and_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSPRING_BY", "somebody")
    bench.publisher().publish(artifact_of(3))
    bench.publisher().publish(artifact_of(2))
    bench.publisher().rollback("bad scores", "r1")
    bench.publisher().publish(artifact_of(3), forced=True, why="they were good")
    bench.publisher().publish(artifact_of(3), forced=True, why="once more")
    ledger = Ledger(bench.files.folder)
    told = [(each.what, each.release_id, each.before, each.why) for each in ledger.entries()]
    assert told == [
        ("publish", "r1", None, ""), ("publish", "r2", "r1", ""), ("publish", "r3", "r2", ""),
        ("rollback", "r1", "r3", "bad scores"), ("promote", "r3", "r1", "they were good"),
        ("promote", "r3", "r3", "once more"),
    ]  # fmt: skip
    assert [each.by for each in ledger.entries()[3:]] == ["somebody"] * 3


def test_a_switch_that_was_not_noted_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(self: Ledger, *told: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "enter", dies)
        with pytest.raises(KeyboardInterrupt):
            bench.publisher().publish(artifact_of(4))
    assert served(bench) == {b"4"}
    bench.publisher().publish(artifact_of(5))
    told = [(each.what, each.release_id) for each in Ledger(bench.files.folder).entries()[-2:]]
    assert told == [("found", "r4"), ("publish", "r5")]


def test_a_damaged_ledger_is_put_aside_and_nothing_waits_for_it(bench: Bench) -> None:
    path = bench.files.folder / "ledger.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CorruptArtifact, match=r"ledger\.json: damaged"):
        Ledger(bench.files.folder).entries()
    assert bench.publisher().publish(artifact_of(4)).status == "published"
    assert [each.release_id for each in Ledger(bench.files.folder).entries()] == ["r4"]
    (aside,) = bench.files.folder.glob("ledger.damaged-*.json")
    assert aside.read_text(encoding="utf-8") == "{"


def test_nothing_to_roll_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    try:
        with pytest.raises(UsageError, match="serves no release yet"):
            bench.publisher().rollback("a")
    finally:
        embedded.stop(tmp_path)


def test_keys_that_are_gone_are_pushed_again_from_disk(bench: Bench) -> None:
    for key in bench.client.keys("test:ads:r2:*"):
        bench.client.delete(key)
    bench.publisher().rollback("bad scores")
    assert served(bench) == {b"2"}
    assert bench.derived == [1, 2, 3, 2]


def test_contents_that_would_differ_are_not_passed_off_as_the_release(bench: Bench) -> None:
    bench.client.delete(KEYS.shard("r2", "users", 0))
    bench.changed = True
    with pytest.raises(DayspringError, match="users, candidates would not be what was published") as refused:
        bench.publisher().rollback("bad scores")
    assert "`python -m pipeline promote --job ads --experiment din`" in str(refused.value)
    assert served(bench) == {b"3"}


def test_a_model_that_is_damaged_in_the_store_is_uploaded_again(bench: Bench) -> None:
    published = bench.files.published("r2")
    assert published is not None
    bench.objects.put(f"ads/models/{published.pointer.version}/saved_model.pb", b"other")
    assert not bench.models.verified(published.pointer.version)
    pointer = bench.publisher().rollback("bad scores")
    assert bench.models.verified(pointer.version)
    assert bench.models.local(pointer).joinpath("saved_model.pb").read_text() == "graph of 2"


def test_a_pruned_model_is_an_error_that_says_what_to_do(bench: Bench) -> None:
    bench.gone_models.add(4)
    with pytest.raises(DayspringError, match="promote --job ads"):
        bench.publisher().publish(artifact_of(4))
    assert served(bench) == {b"3"}


@pytest.mark.parametrize(
    ("owner", "name"), [(Generations, "switch"), (Generations, "keep"), (ReleaseFiles, "finish_hold"),
                        (ReleaseFiles, "set_served")],
)  # fmt: skip
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_anywhere_and_repeated_it_goes_back_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, after: bool
) -> None:
    real = getattr(owner, name)

    def dying(*args: Any, **options: Any) -> Any:
        if after:
            real(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(owner, name, dying)
        with pytest.raises(KeyboardInterrupt):
            bench.publisher().rollback("bad scores")
    assert served(bench) in ({b"2"}, {b"3"})
    if (name, after) == ("finish_hold", True):  # it was over: a second rollback would be another one
        assert bench.publisher().publish(artifact_of(4)).status == "held"
    else:
        assert bench.publisher().rollback("bad scores").release_id == "r2"
    assert served(bench) == {b"2"}
    assert bench.models.pointer() == bench.client.get(KEYS.current)


def test_a_run_finishes_a_rollback_that_was_killed_half_way(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Generations, "switch", dying)
        with pytest.raises(KeyboardInterrupt):
            bench.publisher().rollback("bad scores")
    assert bench.publisher().publish(artifact_of(4)).status == "held"
    assert served(bench) == {b"2"}
