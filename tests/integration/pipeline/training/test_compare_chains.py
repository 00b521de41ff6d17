"""``compare-chains``: equal means equal, and every kind of difference is seen and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.ids.idmap import IdMap
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training import checkpoint_file
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place


def _ref(kind: str, day: Day, experiment: str | None = None) -> Ref:
    return Ref(kind, "ads", day, experiment)


def _without_a_day(root: Path) -> None:
    shutil.rmtree(root / "checkpoint" / "ads" / "din" / f"day={LAST}")


def _without_an_experiment(root: Path) -> None:
    shutil.rmtree(root / "checkpoint" / "ads" / "din")


def _changed(root: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """A committed checkpoint of which one tensor, that holds a zero, is another."""
    store, ref = ArtifactStore(root), _ref("checkpoint", SECOND, "pooled")
    current = store.current(ref)
    assert current is not None
    tensors = checkpoint_file.read(current)
    name = next(each for each, value in sorted(tensors.items()) if value.dtype == np.float32 and (value == 0).any())
    tensors[name] = change(tensors[name])
    with store.draft(ref) as draft:
        digests, content = checkpoint_file.write(draft.path, tensors)
        inputs: list[Input] = current.manifest.inputs
        draft.commit(key="another", digest=content, inputs=inputs, tensors=digests, extra=current.manifest.extra)


def _with_one_bit_flipped(tensor: np.ndarray) -> np.ndarray:
    changed = tensor.copy()
    changed.reshape(-1).view(np.uint32)[0] ^= 1
    return changed


def _with_a_negative_zero(tensor: np.ndarray) -> np.ndarray:
    changed = tensor.copy()
    changed.reshape(-1)[np.flatnonzero(changed.reshape(-1) == 0)[0]] = np.float32(-0.0)
    return changed


def _with_another_id(root: Path) -> None:
    path = root / "idmaps" / "ads" / "ad.json"
    found = IdMap.from_json(path.read_bytes())
    path.write_bytes(found.grown(np.array([987654321]), LAST).to_json())


def _with_ids_in_another_order(root: Path) -> None:
    path = root / "idmaps" / "ads" / "user.json"
    found = IdMap.from_json(path.read_bytes())
    ids = found.ids.copy()
    ids[[3, 4]] = ids[[4, 3]]
    path.write_bytes(IdMap(found.space, found.kind, ids, found.marks).to_json())


def _without_an_id_map(root: Path) -> None:
    (root / "idmaps" / "ads" / "hour.json").unlink()


def _with_another_state(root: Path) -> None:
    current = ArtifactStore(root).current(_ref("state", SECOND))
    assert current is not None
    path = current.path / "arrays.bin"
    arrays = {name: array.copy() for name, array in array_file.read(path)[0].items()}
    arrays["label"].view(np.uint8)[-1] ^= 1
    array_file.write(path, arrays)


def _without_a_state(root: Path) -> None:
    shutil.rmtree(root / "state" / "ads" / f"day={LAST}")


DIFFERENT: dict[str, tuple[Callable[[Path], None], str]] = {
    "a day less": (_without_a_day, f"din: {LAST} is trained in the first root only"),
    "an experiment less": (_without_an_experiment, "experiments: din, pooled here, pooled there"),
    "one bit of one value": (
        lambda root: _changed(root, _with_one_bit_flipped),
        f"pooled {SECOND}: tensor '",
    ),
    "a zero's sign": (lambda root: _changed(root, _with_a_negative_zero), "largest difference 0 in 1 values"),
    "a row more": (
        lambda root: _changed(root, lambda old: np.concatenate([old, old[:1]])),
        "shape [",
    ),
    "an id more": (_with_another_id, "id map 'ad': "),
    "two ids exchanged": (_with_ids_in_another_order, "id map 'user': index 5 is "),
    "an id map less": (_without_an_id_map, "id map 'hour': in the first root only"),
    "another feature state": (_with_another_state, f"feature state of {SECOND}: array 'label' differs"),
    "a day's state less": (_without_a_state, f"feature state of {LAST}: in the first root only"),
}  # fmt: skip


def test_equal_chains_are_equal_and_counted(trained: Place, chain: Place) -> None:
    ran = trained.good("compare-chains", trained.root, chain.root, "--job", "ads")
    assert ran.out.startswith("equal: 6 trained days of 2 experiments, ")
    ran = trained.good("compare-chains", trained.root, chain.root, "--job", "ads", "--experiment", "d*")
    assert ran.out.startswith("equal: 3 trained days of 1 experiments, ")
    found = json.loads(trained.good("compare-chains", trained.root, chain.root, "--job", "ads", "--json").out)
    assert (found["days"], found["experiments"], found["difference"]) == (6, 2, None)
    tensors = len(trained.artifact("checkpoint", LAST, "din").manifest.tensors)
    assert found["tensors"] > 3 * tensors


@pytest.mark.parametrize("name", DIFFERENT)
def test_every_difference_is_seen_and_named(trained: Place, chain: Place, name: str) -> None:
    change, told = DIFFERENT[name]
    change(chain.root)
    ran = trained.run("compare-chains", trained.root, chain.root, "--job", "ads")
    assert ran.code == 1
    assert ran.out.startswith("different: ")
    assert told in ran.out
    as_json = trained.run("compare-chains", trained.root, chain.root, "--job", "ads", "--json")
    assert as_json.code == 1
    assert told in json.loads(as_json.out)["difference"]


@pytest.mark.parametrize("kind", ["a checkpoint", "an id map"])
def test_damage_is_told_as_damage(trained: Place, chain: Place, kind: str) -> None:
    path = chain.root / "idmaps" / "ads" / "ad.json"
    if kind == "a checkpoint":
        path = chain.artifact("checkpoint", SECOND, "pooled").path / "tensors.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ran = trained.run("compare-chains", trained.root, chain.root, "--job", "ads")
    assert ran.code == 3
    assert str(path) in ran.message


def test_nothing_trained_shows_nothing(place: Place, trained: Place) -> None:
    place.good("stage", "extract", "--job", "ads", "--day", FIRST)
    ran = place.run("compare-chains", place.root, place.root, "--job", "ads")
    assert ran.code == 1
    assert "no day is trained in either" in ran.out
    assert trained.run("compare-chains", trained.root, trained.root, "--job", "homework").code == 1


def test_pruned_days_are_compared_by_their_digests(trained: Place, chain: Place) -> None:
    store = chain.store
    for experiment in ("pooled", "din"):
        store.prune(chain.artifact("checkpoint", FIRST, experiment))
    assert trained.good("compare-chains", trained.root, chain.root, "--job", "ads").code == 0
    current = chain.artifact("checkpoint", FIRST, "din")
    manifest = json.loads((current.path / "manifest.json").read_text())
    name = sorted(manifest["tensors"])[0]
    manifest["tensors"][name] = "0" * 64
    (current.path / "manifest.json").write_text(json.dumps(manifest))
    ran = trained.run("compare-chains", trained.root, chain.root, "--job", "ads")
    assert ran.code == 1
    assert f"din {FIRST}: tensor '{name}' differs (by its digest; a payload has been pruned)" in ran.out


def test_a_chain_that_is_shorter_by_a_skipped_day_only_is_equal(trained: Place, begun: Place) -> None:
    """What counts is what was trained: a skip marker more or less is no tensor."""
    other = begun.at(begun.folder / "second" / "root")
    shutil.copytree(begun.root, other.root)
    begun.run("run", "--job", "ads", "--day", OUTAGE)
    assert begun.good("compare-chains", begun.root, other.root, "--job", "ads").out.startswith("equal: 4 trained days")
    assert trained.run("compare-chains", trained.root, begun.root, "--job", "ads").code == 1
