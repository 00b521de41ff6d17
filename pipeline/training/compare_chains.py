"""Are two chains the same, bit for bit? Payloads are compared where both exist, digests elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.features.ids.idmap import IdMap
from pipeline.features.records import StateRecord
from pipeline.features.state.store import FILE as STATE_FILE
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, FACTORS, MAPS, STATE
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.digests import tensor_digest
from pipeline.training import checkpoint_file

_WHAT = {MAPS: "id maps", STATE: "feature state", FACTORS: "fitted vectors"}


@dataclass(frozen=True)
class Comparison:
    """What was compared, and the first difference if there is one.

    Attributes:
        state: whether the feature state could be compared: what two versions have stored may be in two forms.
    """

    days: int
    experiments: int
    tensors: int
    difference: str | None
    state: bool = True


def compare(root_a: Path, root_b: Path, job: str, only: Sequence[str] | None = None) -> Comparison:
    """Compare tensors, slots, id maps and feature state of every trained day of ``job`` under two roots.

    Args:
        only: these experiments, or those that fit a pattern such as ``fill_*``; none = all, the same in both.
    """
    for root in (root_a, root_b):
        if not root.is_dir():
            raise UsageError(f"{root}: no such folder; give two artefact roots (DAYSPRING_ROOT)")
    a, b = ArtifactStore(root_a), ArtifactStore(root_b)
    names_a, names_b = (
        [name for name in store.experiments(CHECKPOINT, job) if any(fnmatchcase(name, each) for each in only or ["*"])]
        for store in (a, b)
    )
    if names_a != names_b:
        return Comparison(0, 0, 0, f"experiments: {_list(names_a)} here, {_list(names_b)} there")
    if not names_a or not any(a.days(CHECKPOINT, job, name) for name in names_a):
        return Comparison(0, len(names_a), 0, "no day is trained in either, so nothing is shown to be equal")
    tensors, trained = 0, 0
    for name in names_a:
        days_a, days_b = a.days(CHECKPOINT, job, name), b.days(CHECKPOINT, job, name)
        if days_a != days_b:
            alone = sorted(set(days_a) ^ set(days_b))[0]
            where = "the first" if alone in days_a else "the second"
            return Comparison(trained, len(names_a), tensors, f"{name}: {alone} is trained in {where} root only")
        for day in days_a:
            ref = Ref(CHECKPOINT, job, day, name)
            pair = _both(a, b, ref)
            found, difference = _tensors(*pair)
            tensors += found
            if difference is not None:
                return Comparison(trained, len(names_a), tensors, f"{name} {day}: {difference}")
            trained += 1
    of_one_form = _state_forms(a, job) == _state_forms(b, job)
    kinds = (MAPS, STATE, FACTORS) if of_one_form else (MAPS, FACTORS)
    shared = next((text for text in _shared_differences(a, b, job, kinds)), None)
    return Comparison(trained, len(names_a), tensors, shared, of_one_form)


def _state_forms(store: ArtifactStore, job: str) -> set[int]:
    found = (store.current(Ref(STATE, job, day)) for day in store.days(STATE, job))
    return {StateRecord.of(each).format for each in found if each is not None}


def _both(a: ArtifactStore, b: ArtifactStore, ref: Ref) -> tuple[Artifact, Artifact]:
    first, second = a.current(ref), b.current(ref)
    if first is None or second is None:
        raise CorruptArtifact(f"{ref}: listed a moment ago, now gone; is something pruning or training here?")
    return first, second


def _tensors(a: Artifact, b: Artifact) -> tuple[int, str | None]:
    if a.manifest.pruned or b.manifest.pruned:
        digests_a, digests_b = a.manifest.tensors, b.manifest.tensors
    else:
        digests_a, digests_b = (
            {name: tensor_digest(value) for name, value in checkpoint_file.read(each).items()} for each in (a, b)
        )
    for name in sorted(set(digests_a) | set(digests_b)):
        if digests_a.get(name) != digests_b.get(name):
            return len(digests_a), f"tensor '{name}' differs{_by_how_much(a, b, name)}"
    return len(digests_a), None


def _by_how_much(a: Artifact, b: Artifact, name: str) -> str:
    if a.manifest.pruned or b.manifest.pruned:
        return " (by its digest; a payload has been pruned)"
    first, second = checkpoint_file.read(a).get(name), checkpoint_file.read(b).get(name)
    if first is None or second is None:
        return ": it is in one root only"
    return _gap(first, second)


def _gap(first: NDArray[Any], second: NDArray[Any]) -> str:
    if first.shape != second.shape:
        return f": shape {list(first.shape)} here, {list(second.shape)} there"
    if first.dtype != second.dtype:
        return f": type {first.dtype} here, {second.dtype} there"
    if first.dtype.kind not in "iufb":
        return ""
    raw = [np.ascontiguousarray(each).reshape(-1).view(np.uint8).reshape(first.size, -1) for each in (first, second)]
    other = (raw[0] != raw[1]).any(axis=1)
    gap = np.abs(first.astype(np.float64) - second.astype(np.float64)).max(initial=0)
    return f": largest difference {gap:.3g} in {int(other.sum())} values"


def _shared_differences(
    a: ArtifactStore, b: ArtifactStore, job: str, kinds: Sequence[str]
) -> Iterator[str]:
    for kind in kinds:
        days_a, days_b = a.days(kind, job), b.days(kind, job)
        if days_a != days_b and kind != FACTORS:  # which are made when they are first needed
            only = sorted(set(days_a) ^ set(days_b))[0]
            yield f"{_WHAT[kind]} of {only}: in {'the first' if only in days_a else 'the second'} root only"
        for day in sorted(set(days_a) & set(days_b)):
            first, second = _both(a, b, Ref(kind, job, day))
            if kind == STATE and not first.manifest.pruned and not second.manifest.pruned:
                yield from _arrays(first, second, day)
            elif first.manifest.digest != second.manifest.digest:
                yield f"{_WHAT[kind]} of {day}: digest {first.manifest.digest[:12]} here, " + (
                    f"{second.manifest.digest[:12]} there"
                )
    for name in sorted({path.stem for store in (a, b) for path in _maps(store, job).glob("*.json")}):
        maps = [_id_map(_maps(store, job) / f"{name}.json") for store in (a, b)]
        if maps[0] is None or maps[1] is None:
            yield f"id map '{name}': in {'the second' if maps[0] is None else 'the first'} root only"
        elif maps[0].checksum() != maps[1].checksum():
            yield f"id map '{name}': {_unlike(*(each for each in maps if each is not None))}"


def _arrays(first: Artifact, second: Artifact, day: Day) -> Iterator[str]:
    """What the day adds to the feature state, array by array where both payloads are there."""
    stored = [array_file.read(each.file(STATE_FILE))[0] for each in (first, second)]
    for name in sorted(set(stored[0]) | set(stored[1])):
        here, there = (each.get(name) for each in stored)
        if here is None or there is None:
            yield f"feature state of {day}: array '{name}' is in one root only"
        elif tensor_digest(here) != tensor_digest(there):
            yield f"feature state of {day}: array '{name}' differs{_gap(here, there)}"


def _maps(store: ArtifactStore, job: str) -> Path:
    return store.root / "idmaps" / job


def _id_map(path: Path) -> IdMap | None:
    try:
        return IdMap.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CorruptArtifact(f"{path}: the id map is damaged ({error}); restore it from a backup") from error


def _unlike(first: IdMap, second: IdMap) -> str:
    shared = min(first.size, second.size) - FIRST
    other = np.flatnonzero(first.ids[:shared] != second.ids[:shared])
    if len(other):
        place = int(other[0])
        return f"index {place + FIRST} is {first.ids[place]!r} here, {second.ids[place]!r} there"
    if first.size != second.size:
        return f"{first.size - FIRST} ids here, {second.size - FIRST} there"
    return "the same ids, marked at other days"


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"
