"""Every kind of damage to an artefact is found, named and told what to do about."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.ids.idmap import IdMap
from pipeline.storage.locks import Owner
from tests.integration.pipeline.monitoring.audit.audited import audited, findings, flip
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place


def flip_value(path: Path) -> None:
    """The last bit of an array file's data."""
    data = bytearray(path.read_bytes())
    last = next(place for place in range(len(data) - 1, 0, -1) if data[place])
    data[last] ^= 1
    path.unlink()
    path.write_bytes(data)


def flip_tensor(path: Path) -> None:
    """A bit of the largest tensor of a checkpoint: elsewhere in the archive there is room that nobody reads."""
    with np.load(path) as archive:
        largest = max((archive[name] for name in archive.files), key=lambda tensor: tensor.nbytes).tobytes()
    data = bytearray(path.read_bytes())
    data[data.index(largest) + len(largest) // 2] ^= 1
    path.write_bytes(data)


def _current_of(place: Place, kind: str, day: Day = SECOND, experiment: str | None = None) -> Path:
    path: Path = place.artifact(kind, day, experiment).path
    return path


def _remove_manifest(place: Place) -> None:
    (_current_of(place, "gate", SECOND, "din") / "manifest.json").unlink()


def _break_manifest(place: Place) -> None:
    (_current_of(place, "validated") / "manifest.json").write_text('{"id": ')


def _exchange_manifests(place: Place) -> None:
    shutil.copy(_current_of(place, "state", FIRST) / "manifest.json", _current_of(place, "state", SECOND))


def _break_current(place: Place) -> None:
    (_current_of(place, "maps").parent / "current").write_text("gen=1\n")


def _point_nowhere(place: Place) -> None:
    (_current_of(place, "maps").parent / "current").write_text("gen=0007\n")


def _lose_an_input(place: Place) -> None:
    shutil.rmtree(place.root / "extract" / "ads" / f"day={FIRST}")


def _shorten(place: Place) -> None:
    path = _current_of(place, "checkpoint", SECOND, "din") / "losses.npy"
    path.write_bytes(path.read_bytes()[:-1])


def _lose_a_file(place: Place) -> None:
    (_current_of(place, "test", LAST, "din") / "logits.npy").unlink()


def _other_id(place: Place) -> None:
    path = place.root / "idmaps" / "ads" / "user.json"
    found = IdMap.from_json(path.read_bytes())
    ids = found.ids.copy()
    ids[[3, 4]] = ids[[4, 3]]
    path.write_bytes(IdMap(found.space, found.kind, ids, found.marks).to_json())


def _shorter_map(place: Place) -> None:
    path = place.root / "idmaps" / "ads" / "user.json"
    found = IdMap.from_json(path.read_bytes())
    path.write_bytes(IdMap(found.space, found.kind, found.ids[:-1], found.marks).to_json())


def _other_measure(place: Place) -> None:
    path = _current_of(place, "test", LAST, "din") / "manifest.json"
    record = json.loads(path.read_text())
    record["extra"]["values"]["auc"] = 0.99
    path.write_text(json.dumps(record))


def _no_start(place: Place) -> None:
    (place.root / "checkpoint" / "ads" / "din" / "chain.json").write_text("{")


def _no_first_day(place: Place) -> None:
    (place.root / "maps" / "ads" / "start.json").write_text('{"start": "soon"}')


def _no_skip(place: Place) -> None:
    shutil.rmtree(place.root / "day" / "ads" / f"day={OUTAGE}")


def ref(kind: str, day: Day, experiment: str = "") -> str:
    return f"{kind}/ads/{experiment}{'/' if experiment else ''}day={day}"


DAMAGE: dict[str, tuple[Callable[[Place], None], str, str, str]] = {
    "a measure made better by hand": (
        _other_measure, f"{ref('test', LAST, 'din')}/gen=0001", "was changed after it was written", "backfill",
    ),
    "no start of a chain": (_no_start, "chain of 'din'", "chain.json", ""),
    "no start of the id maps": (_no_first_day, "id maps of 'ads'", "start.json: damaged", "write {"),
    "no marker of a skipped day": (_no_skip, ref("day", OUTAGE), "was trained over it", "stage extract"),
    "no manifest": (
        _remove_manifest, f"{ref('gate', SECOND, 'din')}/gen=0001", "there is no manifest", "delete the folder",
    ),
    "half a manifest": (
        _break_manifest, f"{ref('validated', SECOND)}/gen=0001", "the manifest is damaged", "backfill",
    ),
    "another's manifest": (
        _exchange_manifests, f"{ref('state', SECOND)}/gen=0001", f"that of {ref('state', FIRST)}", "backfill --job ads",
    ),
    "a damaged pointer": (_break_current, ref("maps", SECOND), "current: damaged (holds 'gen=1')", "gen=NNNN"),
    "a pointer to nothing": (_point_nowhere, ref("maps", SECOND), "names no generation", "write `gen=0001` into it"),
    "a lost input": (
        _lose_an_input, f"{ref('validated', FIRST)}/gen=0001", f"made from {ref('extract', FIRST)}/gen=0001, which is",
        "from a backup",
    ),
    "a file too short": (
        _shorten, f"{ref('checkpoint', SECOND, 'din')}/gen=0001", "where the manifest says",
        "taint --job ads --experiment din",
    ),
    "a lost file": (
        _lose_a_file, f"{ref('test', LAST, 'din')}/gen=0001", "the file is missing", "--experiment din",
    ),
    "ids exchanged": (
        _other_id, f"{ref('maps', FIRST)}/gen=0001", "the ids that this day gave are others", "backup",
    ),
    "a map too short": (_shorter_map, "id map 'user'", "it was put back to an older state", "--reprocess"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_what_to_do(chain: Place, name: str) -> None:
    damage, what, problem, remedy = DAMAGE[name]
    damage(chain)
    ran = audited(chain)
    assert ran.code == 1
    found = [each for each in findings(chain) if each["what"] == what]
    assert len(found) == 1, ran.out
    assert problem in found[0]["problem"]
    assert remedy in found[0]["remedy"]
    assert f"DAMAGED {what}: " in ran.out


PAYLOADS = {
    "extract": "impressions.parquet", "validated": "impressions.parquet", "features": "rows.arrays",
    "state": "arrays.bin", "checkpoint": "tensors.npz", "test": "logits.npy", "export": "model/saved_model.pb",
}  # fmt: skip


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_flipped_bit_is_found_in_every_payload(chain: Place, kind: str) -> None:
    experiment = "din" if kind in ("checkpoint", "test", "export") else None
    path = _current_of(chain, kind, LAST, experiment) / PAYLOADS[kind]
    {".arrays": flip_value, ".bin": flip_value, ".npz": flip_tensor}.get(path.suffix, flip)(path)
    ran = audited(chain)
    assert ran.code == 1
    assert [each["what"] for each in findings(chain)] == [chain.artifact(kind, LAST, experiment).id], ran.out
    assert audited(chain, "--quick").code == 0, "sizes are as they were"


def test_the_remedy_of_a_derived_artefact_brings_the_same_content_back(chain: Place, trained: Place) -> None:
    path = _current_of(chain, "features", SECOND)
    digest = chain.artifact("features", SECOND).manifest.digest
    flip_value(path / "rows.arrays")
    (found,) = findings(chain)
    folder, _, command = found["remedy"].removeprefix("delete the folder ").partition(", then cd ")
    shutil.rmtree(folder)
    chain.good(*command.partition("-m pipeline ")[2].partition(";")[0].split(), "--publish", "none")
    assert chain.artifact("features", SECOND).manifest.digest == digest
    assert audited(chain).code == 0
    assert "tainted" not in chain.good("status", "--job", "ads").out


def test_what_dead_processes_left_is_a_note(chain: Place) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    owner = Owner(ended.pid, Owner.this().host, "1")
    staging = chain.root / "extract" / "ads" / f".staging.day={LAST}.{owner.pid}.1.abcd.{owner.host}"
    staging.mkdir()
    extract = chain.artifact("extract", LAST)
    shutil.copytree(extract.path, extract.path.with_name("gen=0002"))
    second = replace(extract.manifest, id=extract.id.replace("gen=0001", "gen=0002"), generation=2)
    (extract.path.with_name("gen=0002") / "manifest.json").write_bytes(second.to_json())
    pruned = chain.artifact("export", FIRST, "din")
    (chain.folder / "kept").mkdir()
    shutil.copy(pruned.file("model/saved_model.pb"), chain.folder / "kept")
    chain.store.prune(pruned)
    (pruned.path / "model").mkdir()
    shutil.copy(chain.folder / "kept" / "saved_model.pb", pruned.path / "model")
    (pruned.path / "notes.txt").write_text("somebody else's")
    ran = audited(chain)
    assert ran.code == 0, ran.out
    notes = {each["what"]: each["problem"] for each in findings(chain)}
    assert notes[str(staging)] == "left half-written by a process that died"
    assert "before it became current" in notes[f"extract/ads/day={LAST}/gen=0002"]
    assert notes[pruned.id].endswith("has left model")
