"""Publishing, on embedded stores and on servers: switched at once, forward only, whatever dies in between."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DayspringError
from pipeline.release.contents.parts import RELEASE_FIELD
from pipeline.release.publish.redis_generations import Generations
from pipeline.serving.release_reader import ReleaseGone, ReleaseReader
from pipeline.storage.redis.connection import connect
from tests.integration.releases import KEYS, USERS, Bench, artifact_of, release_of


@pytest.fixture(params=["embedded", "servers"])
def bench(stores: Callable[[str], dict[str, str]], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(tmp_path, **stores(request.param))
    yield made
    made.close()


def served_values(bench: Bench) -> set[bytes]:
    reader = ReleaseReader(bench.client, KEYS)
    found = reader.fetch({"users": [f"u{i}" for i in range(USERS)], "candidates": ["c0", "c49", "unknown"]})
    assert len(found["users"]) == USERS
    assert set(found["candidates"]) == {"c0", "c49"}
    return set(found["users"].values()) | set(found["candidates"].values())


def test_a_published_release_is_read_back_whole(bench: Bench) -> None:
    outcome = bench.publisher().publish(artifact_of(1))
    assert outcome.status == "published"
    assert outcome.pointer is not None
    assert outcome.pointer.previous is None
    assert served_values(bench) == {b"1"}
    assert bench.models.pointer() == outcome.pointer.to_json()
    assert bench.models.local(outcome.pointer).joinpath("saved_model.pb").read_text() == "graph of 1"
    for key in KEYS.all("r1", outcome.pointer.parts):
        assert bench.client.hget(key, RELEASE_FIELD) == b"r1"
        assert bench.client.hlen(key) <= 1000


def test_publishing_again_changes_nothing(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(1))
    first = bench.publisher().publish(artifact_of(2)).pointer
    assert bench.publisher().publish(artifact_of(2)).pointer == first
    assert bench.publisher().served() == first
    assert first is not None
    assert first.previous == "r1"
    assert bench.derived == [1, 2]


def test_the_pointer_moves_only_forward_in_data_day(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(5))
    outcome = bench.publisher().publish(artifact_of(3))
    assert outcome.status == "superseded"
    assert served_values(bench) == {b"5"}
    assert bench.derived == [5]


def test_older_generations_expire_after_the_grace_except_the_previous(bench: Bench) -> None:
    bench.grace = 0
    for number in (1, 2, 3):
        bench.publisher().publish(artifact_of(number))
    assert {int(key.split(b":")[2][1:]) for key in bench.client.keys("test:ads:r*")} == {2, 3}
    bench.grace = 500
    for number in (2, 3):  # vectors of items that were updated since
        bench.client.hset(KEYS.upserts(f"r{number}"), "7", b"1")
    bench.publisher().publish(artifact_of(4))
    assert 0 < bench.client.ttl(KEYS.upserts("r2")) <= 500
    assert bench.client.ttl(KEYS.upserts("r3")) == -1
    ttls = {number: bench.client.ttl(KEYS.shard(f"r{number}", "users", 0)) for number in (2, 3, 4)}
    assert 0 < ttls[2] <= 500
    assert ttls[3] == ttls[4] == -1
    assert bench.client.hkeys(KEYS.generations) == [b"r2", b"r3", b"r4"]


STEPS = ["put_file", "push", "_read_back", "switch", "expire_all_but", "put"]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_publish_killed_at_any_step_serves_one_release_whole_and_can_be_repeated(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    owner = type(bench.objects) if name.startswith("put") else Generations
    bench.publisher().publish(artifact_of(1))
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, dying(getattr(owner, name), after))
        with pytest.raises(KeyboardInterrupt):
            bench.publisher().publish(artifact_of(2))
    assert served_values(bench) in ({b"1"}, {b"2"})
    outcome = bench.publisher().publish(artifact_of(2))
    assert outcome.status == "published"
    assert served_values(bench) == {b"2"}
    assert bench.models.pointer() == bench.client.get(KEYS.current)
    assert bench.publisher().rollback("test").release_id == "r1"
    assert served_values(bench) == {b"1"}


def dying(real: Callable[..., Any], after: bool) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        if after:
            real(*args, **options)
        raise KeyboardInterrupt

    return call


def test_what_an_unfinished_push_left_is_cleared_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.grace = 0
    bench.publisher().publish(artifact_of(1))
    with monkeypatch.context() as broken:
        broken.setattr(Generations, "_read_back", dying(Generations._read_back, False))
        with pytest.raises(KeyboardInterrupt):
            bench.publisher().publish(artifact_of(2))
    bench.publisher().publish(artifact_of(3))
    assert not bench.client.keys("test:ads:r2:*")


def test_a_redis_that_loses_values_is_noticed_before_the_switch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.publisher().publish(artifact_of(1))
    real = Generations._read_back

    def evicting(self: Generations, *args: Any) -> None:
        bench.client.delete(KEYS.shard("r2", "users", 1))
        real(self, *args)

    monkeypatch.setattr(Generations, "_read_back", evicting)
    with pytest.raises(DayspringError, match="nothing was switched"):
        bench.publisher().publish(artifact_of(2))
    assert served_values(bench) == {b"1"}
    assert not bench.client.keys("test:ads:r2:*")
    assert bench.client.hkeys(KEYS.generations) == [b"r1"]


def test_what_a_server_lost_as_it_was_started_again_is_written_once_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publisher().publish(artifact_of(1))
    real, times = Generations._read_back, []

    def losing_once(self: Generations, *args: Any) -> None:
        times.append(1)
        if len(times) == 1:
            bench.client.delete(KEYS.shard("r2", "users", 1))
        real(self, *args)

    monkeypatch.setattr(Generations, "_read_back", losing_once)
    assert bench.publisher().publish(artifact_of(2)).status == "published"
    assert served_values(bench) == {b"2"}
    assert len(times) == 2


def test_an_emptied_redis_is_filled_again_with_what_was_served(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(1))
    served = bench.publisher().publish(artifact_of(2)).pointer
    bench.client.flushdb()
    assert bench.publisher().publish(artifact_of(1)).status == "superseded"
    assert bench.generations.current() == served
    assert served_values(bench) == {b"2"}


def test_a_reader_without_a_release_says_what_to_do(bench: Bench) -> None:
    with pytest.raises(DayspringError, match="stage publish --job ads"):
        ReleaseReader(bench.client, KEYS)


def test_a_reader_notices_a_shard_of_another_release(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(1))
    reader = ReleaseReader(bench.client, KEYS)
    bench.client.hset(KEYS.shard("r1", "users", 0), RELEASE_FIELD, "r9")
    with pytest.raises(ReleaseGone, match="expected release r1"):
        reader.fetch({"users": [f"u{i}" for i in range(USERS)]})


def _read_in_a_loop(root: str, redis_url: str | None, stop: Any, has_read: Any, answers: Any) -> None:
    client = connect(Path(root), redis_url)
    reads, mixed, releases = 0, 0, set()
    names = {"users": [f"u{i}" for i in range(USERS)], "candidates": [f"c{i}" for i in range(50)]}
    while not stop.is_set():
        reader = ReleaseReader(client, KEYS)
        found = reader.fetch({"candidates": names["candidates"]})  # two round trips: a switch may come between
        found |= reader.fetch({"users": names["users"]})
        values = {value for part in found.values() for value in part.values()}
        mixed += values != {reader.pointer.release_id[1:].encode()} or len(found["users"]) != USERS
        reads += 1
        has_read.set()
        releases.add(reader.pointer.release_id)
    answers.put((reads, mixed, len(releases)))


def test_a_reader_during_a_hundred_switches_never_sees_a_mix(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(0))
    spawn = multiprocessing.get_context("spawn")
    stop, has_read, answers = spawn.Event(), spawn.Event(), spawn.Queue()
    child = spawn.Process(target=_read_in_a_loop, args=(str(bench.root), bench.redis_url, stop, has_read, answers))
    child.start()
    try:
        for number in range(1, 71):
            assert bench.publisher().publish(artifact_of(number)).status == "published"
            has_read.clear()
            assert has_read.wait(60)
        for number in range(71, 86):  # each: one switch forward, one back
            bench.publisher().publish(artifact_of(number))
            assert bench.publisher().rollback("test").release_id == release_of(70)
            bench.publisher().release_hold()
    finally:
        stop.set()
        reads, mixed, releases = answers.get(timeout=60)
        child.join(30)
    assert mixed == 0
    assert reads > 20
    assert releases > 5


@pytest.mark.parametrize("shared", ["DAYSPRING_REDIS_URL", "DAYSPRING_RELEASE_URL"])
def test_a_second_root_is_kept_out_of_anothers_stores(
    shared: str, stores: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    urls = stores("servers")
    first = Bench(tmp_path / "first", **urls)
    first.publisher().publish(artifact_of(1))
    served = first.publisher().served()
    second = Bench(tmp_path / "second", **{
        name: url for name, url in urls.items() if (name == "redis_url") == (shared == "DAYSPRING_REDIS_URL")
    })  # fmt: skip
    for act in (
        lambda: second.publisher().publish(artifact_of(2)),
        lambda: second.publisher().publish(artifact_of(2), forced=True),
        lambda: second.publisher().rollback("by mistake"),
    ):
        with pytest.raises(DayspringError, match=f"names release r1, which was never published from .*Set {shared} to"):
            act()
    assert first.publisher().served() == served
    assert first.models.pointer() == served.to_json() if served else False
    assert second.files.all_published() == []
    first.publisher().publish(artifact_of(3))
    for each in (first, second):
        each.close()


@pytest.mark.parametrize("kept", ["redis_url", "release_url"])
def test_a_root_publishes_to_one_place_until_it_is_moved(
    kept: str, stores: Callable[[str], dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the settings was forgotten: the one store is a server, the other would be the root's own."""
    urls = stores("servers")
    monkeypatch.delenv("DAYSPRING_RELEASE_URL")
    here = Bench(tmp_path, **urls)
    here.publisher().publish(artifact_of(1))
    served = here.publisher().publish(artifact_of(2)).pointer
    there = Bench(tmp_path, **{kept: urls[kept]})
    for act in (
        lambda: there.publisher().publish(artifact_of(3)),
        lambda: there.publisher().publish(artifact_of(1), forced=True),
        lambda: there.publisher().rollback("by mistake"),
    ):
        with pytest.raises(DayspringError, match=r"publishes to .*, and not to its own .*move-releases --job ads"):
            act()
    assert (here.generations.current(), here.models.pointer()) == (served, served.to_json() if served else None)
    assert there.files.published("r3") is None
    moved = there.publisher().move()
    assert moved is not None
    assert (moved.release_id, moved.previous, there.models.fault(moved)) == ("r2", "r1", None)
    assert served_values(there) == {b"2"}
    with pytest.raises(DayspringError, match=r"publishes to its own .*, and not to "):
        here.publisher().publish(artifact_of(3))
    assert there.publisher().rollback("bad scores").release_id == "r1"
    assert served_values(there) == {b"1"}
    for each in (here, there):
        each.close()


def test_a_root_whose_served_release_cannot_be_made_again_is_moved_for_the_next_one(
    stores: Callable[[str], dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place is lost, and the days it was built from have changed: publishing must not be refused for good."""
    urls = stores("servers")
    monkeypatch.delenv("DAYSPRING_RELEASE_URL")
    here = Bench(tmp_path, **urls)
    here.publisher().publish(artifact_of(1))
    there = Bench(tmp_path, changed=True)
    told = r"users, candidates would not be .*`python -m pipeline promote --job ads --experiment din` builds a new one"
    with pytest.raises(DayspringError, match=told):
        there.publisher().move()
    assert there.publisher().publish(artifact_of(2), forced=True).status == "published"
    assert served_values(there) == {b"2!"}
    for each in (here, there):
        each.close()


def as_before_models_were_named(bench: Bench) -> None:
    """Pointers and records as the version before wrote them."""
    for path in bench.files.folder.rglob("*.json"):
        if path.name == "place.json":
            path.unlink()
            continue
        path.write_text(re.sub(r',\s*"model": ?"[0-9a-f]+"', "", path.read_text()))
    pointer = re.sub(rb',"model":"[0-9a-f]+"', b"", bench.client.get(KEYS.current))
    bench.client.set(KEYS.current, pointer)
    bench.models.set_pointer(pointer)
    bench.client.delete(KEYS.mark)
    bench.objects.delete("ads/place")
    found = bench.generations.current()
    assert found is not None
    assert found.model == ""


@pytest.mark.parametrize(("number", "status"), [(2, "published"), (1, "superseded"), (3, "held")])
def test_a_pointer_of_before_models_were_named_is_given_its_digest_by_the_next_publish(
    bench: Bench, number: int, status: str
) -> None:
    bench.publisher().publish(artifact_of(1))
    served = bench.publisher().publish(artifact_of(2)).pointer
    if status == "held":
        bench.publisher().publish(artifact_of(3))
        served = bench.publisher().rollback("bad scores")
    as_before_models_were_named(bench)
    assert bench.publisher().publish(artifact_of(number)).status == status
    assert bench.generations.current() == served
    assert served is not None
    assert bench.models.fault(served) is None
    assert bench.models.pointer() == served.to_json()


def test_a_pointer_of_before_under_which_another_model_lies_gets_its_own_back(bench: Bench) -> None:
    """What the fault left behind: the number was given to another export too."""
    old = bench.publisher().publish(artifact_of(1)).pointer
    assert old is not None
    as_before_models_were_named(bench)
    note = json.loads(bench.objects.get(f"ads/models/{old.version}/release.json") or b"")
    bench.objects.put(f"ads/models/{old.version}/release.json", json.dumps({**note, "export": "another"}).encode())
    pointer = bench.publisher().publish(artifact_of(1)).pointer
    assert pointer is not None
    assert pointer.version == old.version + 1
    assert bench.models.local(pointer).joinpath("saved_model.pb").read_text() == "graph of 1"


def test_a_model_that_was_exchanged_is_uploaded_again_under_another_number(bench: Bench) -> None:
    bench.publisher().publish(artifact_of(1))
    first = bench.publisher().publish(artifact_of(2)).pointer
    assert first is not None
    for name in list(bench.objects.list(f"ads/models/{first.version}/")):
        before = name.replace(str(first.version), str(first.version - 100))  # of the day before
        bench.objects.put(name, bench.objects.get(before) or b"")
    assert "another one than it means" in str(bench.models.fault(first))
    again = bench.publisher().publish(artifact_of(2)).pointer
    assert again is not None
    assert again.version > first.version
    assert bench.models.local(again).joinpath("saved_model.pb").read_text() == "graph of 2"
