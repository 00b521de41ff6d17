"""What an artefact is called, and a committed one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, PrunedPayload, UsageError
from pipeline.storage.artifacts import manifest as manifests
from pipeline.storage.artifacts.kinds import EXTRACT, FEATURES, MADE_BY, VALIDATED
from pipeline.storage.artifacts.manifest import Input, Manifest

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


_GENERATION = re.compile(r"gen=(\d{4,})")


@dataclass(frozen=True)
class Ref:
    """Which artefact: its kind, job, day and, for what belongs to one experiment, the experiment."""

    kind: str
    job: str
    day: Day
    experiment: str | None = None

    def __post_init__(self) -> None:
        for what, name in (("kind", self.kind), ("job", self.job), ("experiment", self.experiment)):
            if name is not None and not _SEGMENT.fullmatch(name):
                raise UsageError(f"{what} '{name}' cannot name a folder; use letters, digits, '_', '-' and '.'")

    def __str__(self) -> str:
        middle = f"{self.experiment}/" if self.experiment is not None else ""
        return f"{self.kind}/{self.job}/{middle}day={self.day}"


@lru_cache(maxsize=1 << 16)
def parse_id(artifact_id: str) -> tuple[Ref, int]:
    """The ref and generation of an artefact's id; raises ``UsageError`` for text that is not one."""
    *names, day, generation = artifact_id.split("/") if artifact_id.count("/") >= 3 else ("", "", "")
    number = _GENERATION.fullmatch(generation)
    if len(names) not in (2, 3) or not day.startswith("day=") or number is None:
        raise UsageError(f"'{artifact_id}' is not an artefact; write kind/job/[experiment/]day=YYYY-MM-DD/gen=NNNN")
    experiment = names[2] if len(names) == 3 else None
    return Ref(names[0], names[1], Day.parse(day.removeprefix("day=")), experiment), int(number[1])


@dataclass(frozen=True)
class Artifact:
    """One committed generation, resolved: it stays this one whatever is committed later."""

    ref: Ref
    generation: int
    path: Path
    manifest: Manifest

    @cached_property
    def id(self) -> str:
        return f"{self.ref}/gen={self.generation:04d}"

    @property
    def has_payload(self) -> bool:
        """Whether there is something to prune: a payload, or what a prune that was killed has left of one."""
        written = {name.partition("/")[0] for name in self.manifest.files}
        return any((self.path / name).exists() for name in written) if self.manifest.pruned else bool(written)

    def as_input(self) -> Input:
        """How the manifest of what is made from this artefact names it."""
        return Input(self.id, self.manifest.digest)

    def file(self, name: str) -> Path:
        """Path of a file, or of a folder with all that the manifest lists under it.

        Raises:
            PrunedPayload: it was pruned.
            CorruptArtifact: not part of the artefact, missing, or of another size than recorded.
        """
        path = self.path / name
        sizes = {
            each: size for each, size in self.manifest.files.items() if each == name or each.startswith(f"{name}/")
        }
        if self.manifest.pruned:
            raise self._pruned()
        if not sizes:
            raise CorruptArtifact(f"{path}: artefact {self.id} holds no '{name}'; {self._remedy()}")
        for each, size in sizes.items():
            try:
                found = (self.path / each).stat().st_size
            except FileNotFoundError:
                if Manifest.read(self.path / manifests.NAME).pruned:
                    raise self._pruned() from None
                raise CorruptArtifact(f"{self.path / each}: the file is missing; {self._remedy()}") from None
            if found != size:
                raise CorruptArtifact(
                    f"{self.path / each}: {found} bytes where the manifest says {size}; {self._remedy()}"
                )
        return path

    def _pruned(self) -> PrunedPayload:
        job, day = self.ref.job, self.ref.day
        again = f"python -m pipeline backfill --job {job} --from {day} --to {day} --reprocess"
        if self.ref.kind == EXTRACT:
            what = f"what was made of it stands; only the source, if it still has the day, gives it again: `{again}`"
        elif self.ref.kind in (VALIDATED, FEATURES):
            stage = f"python -m pipeline stage {MADE_BY[self.ref.kind]} --job {job} --day {day} --reprocess"
            what = f"make it again with `{stage}`, or, where what it is made of is pruned too, of the source: `{again}`"
        else:
            what = f"make it again with `{again}`, starting earlier if the days before it are pruned too"
        return PrunedPayload(
            f"{self.path}: the payload of {self.id} was pruned, only its digests are kept; {what}", self.id
        )

    def _remedy(self) -> str:
        return (
            f"restore it from a backup, or delete the folder {self.path} and run day {self.ref.day} of job "
            f"'{self.ref.job}' again"
        )
