"""Releases of made-up content for the tests of publishing: every value names its release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis

from pipeline.days import Day
from pipeline.release.contents.parts import Part
from pipeline.release.publish.models import LOADABLE, Models
from pipeline.release.publish.publisher import Payload, Publisher, Release
from pipeline.release.publish.redis_generations import Generations, Keys
from pipeline.release.publish.release_files import Pointer, ReleaseFiles
from pipeline.storage.objects.open import open_objects
from pipeline.storage.redis import embedded
from pipeline.storage.redis.connection import connect

KEYS = Keys("test", "ads")
USERS = 2_500


@dataclass
class Bench:
    """A root with a publisher over releases that exist by their number alone.

    Attributes:
        redis_url: a Redis server; none: the root's own.
        release_url: an object store; none: a folder of the root.
    """

    root: Path
    redis_url: str | None = None
    release_url: str | None = None
    grace: int = 3600
    pace: int | None = None
    gone_models: set[int] = field(default_factory=set)
    derived: list[int] = field(default_factory=list)
    changed: bool = False

    def __post_init__(self) -> None:
        self.client: redis.Redis = connect(self.root, self.redis_url)
        self.files = ReleaseFiles.of(self.root, "ads")
        self.generations = Generations(self.client, KEYS, self.pace)
        self.objects = open_objects(self.root, self.release_url)
        self.models = Models(self.objects, "ads")

    def close(self) -> None:
        self.client.close()
        embedded.stop(self.root)

    def publisher(self) -> Publisher:
        return Publisher(
            "ads", self.files, self.generations, self.models, self.payload, grace_seconds=self.grace, keep_models=3
        )

    def payload(self, artifact: str) -> Payload:
        number = int(artifact.removeprefix("artifact-"))
        folder = self.root / "exports" / str(number)
        if not folder.exists():
            (folder / "variables").mkdir(parents=True)
            (folder / LOADABLE).write_text(f"graph of {number}")
            (folder / "variables" / "variables.index").write_text(f"index of {number}")
        day = Day.of(2024, 3, 1).plus(number)
        release = Release(release_of(number), artifact, day, "din", f"checkpoint-{number}", f"export-{number}")
        return Payload(release, None if number in self.gone_models else folder, lambda: self.parts(number))

    def parts(self, number: int) -> Sequence[Part]:
        self.derived.append(number)
        mark = f"{number}{'!' if self.changed else ''}".encode()
        return [
            Part("users", {f"u{i}": mark for i in range(USERS)}),
            Part("candidates", {f"c{i}": mark for i in range(50)}),
        ]


def pointer_to(models: Models, version: int) -> Pointer:
    """A pointer that means the model that lies under a version now."""
    day = Day.of(2024, 3, 1)
    return Pointer("r", "ads", day, "din", "c", version, {}, model=models.digest(version) or "none")


def release_of(number: int) -> str:
    return f"r{number}"


def artifact_of(number: int) -> str:
    return f"artifact-{number}"
