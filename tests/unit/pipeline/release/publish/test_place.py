"""One root publishes to one place, whatever that is called, wherever the root is moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.release.publish.place import Held, elsewhere, guard, settle
from pipeline.release.publish.release_files import Pointer, Published, ReleaseFiles

POINTER = Pointer("r1", "ads", Day.of(2024, 3, 1), "din", "c", 2024030101, {}, model="m")


@dataclass
class Store:
    address: str
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"the pointer of {self.address}"

    def place(self, root: Path) -> str:
        return self.address

    def mark(self) -> str | None:
        return self.kept.get("mark")

    def set_mark(self, mark: str) -> None:
        self.kept["mark"] = mark


REDIS, BUCKET = "Redis at h:6379/0", "/data/bucket"


@pytest.fixture
def files(tmp_path: Path) -> ReleaseFiles:
    return ReleaseFiles.of(tmp_path / "root", "ads")


def held(redis: Store, models: Store, pointer: Pointer | None = None) -> tuple[Held, ...]:
    return (
        Held("redis", "DAYSPRING_REDIS_URL", redis, pointer), Held("models", "DAYSPRING_RELEASE_URL", models, pointer)
    )  # fmt: skip


def go_to(files: ReleaseFiles, held: tuple[Held, ...], *, moving: bool = False) -> None:
    guard(files, held, moving=moving)
    settle(files, held, moving=moving)


def published(files: ReleaseFiles) -> tuple[Store, Store]:
    """A root that publishes to ``REDIS`` and ``BUCKET``."""
    stores = Store(REDIS), Store(BUCKET)
    go_to(files, held(*stores))
    publish(files)
    go_to(files, held(*stores, POINTER))
    return stores


def publish(files: ReleaseFiles) -> None:
    files.set_published(Published(POINTER, "release", {}, {}))
    files.set_served(POINTER)


@pytest.mark.parametrize("pointer", [None, POINTER])
@pytest.mark.parametrize(
    ("moved", "variable", "old", "new"),
    [
        ("redis", "DAYSPRING_REDIS_URL", REDIS, "Redis at other:6379/0"),
        ("models", "DAYSPRING_RELEASE_URL", BUCKET, "/srv/published"),
    ],
)
def test_a_second_place_is_refused_and_both_are_named(
    files: ReleaseFiles, moved: str, variable: str, old: str, new: str, pointer: Pointer | None
) -> None:
    redis, models = published(files)
    there = held(Store(new) if moved == "redis" else redis, Store(new) if moved == "models" else models, pointer)
    message = f"publishes to {old}, and not to {new}, .* Set {variable} .*`--publish none`.*move-releases --job ads"
    with pytest.raises(DayspringError, match=message):
        guard(files, there)
    found = elsewhere(files, there)
    assert found is not None
    assert old in found
    assert elsewhere(files, held(redis, models, POINTER)) is None
    assert files.places()["redis"].where == REDIS


def test_a_place_that_was_somebody_elses_is_a_second_one(files: ReleaseFiles) -> None:
    redis, _ = published(files)
    with pytest.raises(DayspringError, match=f"publishes to {BUCKET}, and not to {BUCKET}"):
        guard(files, held(redis, Store(BUCKET, {"mark": "another"})))  # such as a volume that was mounted there


def test_the_same_place_under_another_address_is_the_same(files: ReleaseFiles) -> None:
    redis, models = published(files)
    redis.address, models.address = "Redis at 127.0.0.1:6379/0", "/mnt/bucket"
    go_to(files, held(redis, models, POINTER))
    assert [each.where for each in files.places().values()] == ["Redis at 127.0.0.1:6379/0", "/mnt/bucket"]


def test_an_emptied_place_is_the_same_and_gets_its_mark_back(files: ReleaseFiles) -> None:
    redis, models = published(files)
    before = dict(redis.kept)
    redis.kept.clear()
    go_to(files, held(redis, models))
    assert redis.kept == before


def test_a_move_makes_the_new_place_the_roots_and_the_old_one_a_second_one(files: ReleaseFiles) -> None:
    redis, models = published(files)
    new = Store("/new")
    go_to(files, held(redis, new, None), moving=True)
    go_to(files, held(redis, new, POINTER))
    with pytest.raises(DayspringError, match=f"publishes to /new, and not to {BUCKET}"):
        guard(files, held(redis, models, POINTER))
    go_to(files, held(redis, models, POINTER), moving=True)  # and back
    assert elsewhere(files, held(redis, models, POINTER)) is None


def test_a_root_of_before_places_were_marked_keeps_the_one_that_its_pointer_lies_in(files: ReleaseFiles) -> None:
    publish(files)
    redis, models = Store(REDIS), Store(BUCKET)
    with pytest.raises(DayspringError, match="publishes elsewhere, r1 last, and not to /other"):
        guard(files, (held(redis, models, POINTER)[0], held(redis, Store("/other"))[1]))
    assert files.places() == {}
    go_to(files, held(redis, models, POINTER))
    assert {name: each.where for name, each in files.places().items()} == {"redis": REDIS, "models": BUCKET}


def test_what_a_root_that_is_gone_left_is_taken_over(files: ReleaseFiles) -> None:
    redis, models = Store(REDIS, {"mark": "theirs"}), Store(BUCKET)
    theirs = Pointer("r9", "ads", Day.of(2024, 3, 1), "din", "c", 1, {})
    with pytest.raises(DayspringError, match=f"another root publishes there.*delete the pointer of {REDIS}"):
        guard(files, held(redis, models, theirs))
    go_to(files, held(redis, models))  # deleted, as it says
    assert redis.kept["mark"] != "theirs"  # so that it would be refused if it came back


def test_a_first_publish_that_failed_binds_to_nothing(files: ReleaseFiles) -> None:
    redis, models = Store(REDIS), Store(BUCKET)
    guard(files, held(redis, models))
    assert (redis.kept, models.kept, files.places()) == ({}, {}, {})  # then the server refused, or was mistyped
    go_to(files, held(Store("Redis at other:6379/0"), models))
    assert files.places()["redis"].where == "Redis at other:6379/0"


def test_a_place_of_another_root_is_told_though_nothing_was_published_from_here(files: ReleaseFiles) -> None:
    """What `doctor` and `audit` ask, which write nothing."""
    stores = Store(REDIS), Store(BUCKET)
    assert elsewhere(files, held(*stores)) is None
    told = elsewhere(files, held(*stores, POINTER))
    assert told is not None
    assert "names release r1, which was never published from" in told
    assert "DAYSPRING_REDIS_URL" in told
    assert not files.folder.exists()


def test_a_place_that_another_root_took_over_is_refused_to_the_root_that_had_it(files: ReleaseFiles) -> None:
    """The mark and the address are this root's own; what is served there is not."""
    stores = published(files)
    theirs = Pointer("r9", "ads", Day.of(2024, 3, 9), "din", "c", 2024030901, {}, model="m")
    with pytest.raises(DayspringError, match="names release r9, which was never published from"):
        guard(files, held(*stores, theirs))
    told = elsewhere(files, held(*stores, theirs))
    assert told is not None
    assert "another root publishes there" in told
