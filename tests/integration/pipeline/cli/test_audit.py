"""``audit``: what is whole is told to be whole, and every kind of damage is found, named and told what to do about."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.ids.idmap import IdMap
from pipeline.release.publish.pointer import ReleaseFiles
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.locks import Owner
from pipeline.storage.redis.connection import connect
from pipeline.storage.redis.embedded import stop
from tests.tiny import FIRST, LAST, OUTAGE, SECOND, Place, Ran, copy_of


def flip(path: Path) -> None:
    """One bit of a file, in its middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()  # it may be linked with another day's
    path.write_bytes(data)


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


def audited(place: Place, *more: str) -> Ran:
    return place.run("audit", "--job", "ads", *more)


def findings(place: Place) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(audited(place, "--json").out)["findings"]
    return found


def test_a_whole_chain(trained: Place) -> None:
    before = sorted((path, path.stat().st_mtime) for path in trained.root.rglob("*"))
    ran = audited(trained)
    assert ran.code == 0, ran.out
    assert "nothing damaged" in ran.out
    assert sorted((path, path.stat().st_mtime) for path in trained.root.rglob("*")) == before
    found = json.loads(audited(trained, "--json").out)
    manifests = len(list(trained.root.rglob("manifest.json")))
    assert (found["artifacts"], found["damaged"], found["findings"]) == (manifests, 0, [])
    assert found["bytes"] > 100_000
    assert audited(trained, "--quick").code == 0


def test_a_whole_ranking_chain(lessons: Place) -> None:
    ran = lessons.run("audit", "--job", "homework")
    assert ran.code == 0, ran.out


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


def test_a_root_without_days_is_skipped(place: Place) -> None:
    for command in ("audit", "prune"):
        ran = place.run(command, "--job", "ads")
        assert (ran.code, "has no days" in ran.message) == (99, True)
    assert not place.root.exists()


@pytest.fixture(scope="module")
def served(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = copy_of(trained, tmp_path_factory.mktemp("audited"), root=True)
    for stage in ("release", "publish"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    yield place
    stop(place.root)


def test_every_kind_that_a_line_writes_is_known_and_nothing_else_is_an_artefact(served: Place, lessons: Place) -> None:
    for place in (served, lessons):
        written = {path.relative_to(place.root).parts[0] for path in place.root.rglob("manifest.json")}
        assert written <= {*OF_DAYS, *OF_EXPERIMENTS}
    tables = served.root / "sources" / "ads"
    shutil.copytree(served.ads, tables)  # where `make demo` has them
    ran = audited(served)
    shutil.rmtree(tables.parent)
    assert (ran.code, "sources" in ran.out) == (0, False), ran.out


def test_releases_on_disk_in_redis_and_in_the_object_store(served: Place) -> None:
    assert audited(served).code == 0
    pointer = ReleaseFiles.of(served.root, "ads").served()
    assert pointer is not None
    model = served.root / "published" / "ads" / "models" / str(pointer.version) / "saved_model.pb"
    kept = model.read_bytes()
    model.write_bytes(kept[:-1])
    (found,) = findings(served)
    assert found["what"] == pointer.release_id
    assert f"the model {pointer.version} in {served.root / 'published'} is not whole" in found["problem"]
    model.write_bytes(kept)
    redis = connect(served.root)
    shard = next(key for key in redis.scan_iter(f"*{pointer.release_id}:meta:*"))
    redis.delete(shard)
    (found,) = findings(served)
    assert (found["what"], "Redis does not hold all of it" in found["problem"]) == (pointer.release_id, True)
    served.good(*found["remedy"].partition("python -m pipeline ")[2].split())
    assert audited(served).code == 0
    redis.delete("dayspring:ads:current")
    (found,) = findings(served)
    assert "Redis has lost its pointer" in found["problem"]
    served.good(*found["remedy"].partition("python -m pipeline ")[2].split())
    assert audited(served).code == 0
    record = served.root / "releases" / "ads" / "served.json"
    record.rename(record.with_name("gone"))
    (found,) = findings(served)
    assert f"is what Redis serves, and there is no record of it in {record.parent}" in found["problem"]
    record.with_name("gone").rename(record)


def test_a_rollbacks_model_that_is_not_whole_is_a_note_while_its_export_is_kept(served: Place) -> None:
    served.good("promote", "--job", "ads", "--experiment", "pooled")
    pointer = ReleaseFiles.of(served.root, "ads").served()
    assert pointer is not None
    assert pointer.previous is not None
    before = ReleaseFiles.of(served.root, "ads").published(pointer.previous)
    assert before is not None
    model = served.root / "published" / "ads" / "models" / str(before.pointer.version) / "saved_model.pb"
    model.unlink()
    ran = audited(served)
    assert ran.code == 0
    assert "what to do: a rollback uploads it again from disk" in ran.out
    served.good("rollback", "--job", "ads")
    assert "not whole" not in audited(served).out


def test_a_damaged_id_map_is_restored_and_the_lost_day_mapped_again(chain: Place, trained: Place) -> None:
    path = chain.root / "idmaps" / "ads" / "user.json"
    flip(path)
    (found,) = findings(chain)
    assert found["what"] == "id map 'user'"
    assert found["remedy"].endswith("bin/python -m pipeline restore-ids --job ads --space user")
    told = chain.good("restore-ids", "--job", "ads", "--space", "user").out
    assert f"as {SECOND} left it" in told
    assert f"stage update_id_maps --job ads --day {LAST} --reprocess" in told
    assert path.with_name("user.json.damaged").exists()
    (short,) = findings(chain)
    assert "it was put back to an older state" in short["problem"]
    chain.good("stage", "update_id_maps", "--job", "ads", "--day", LAST, "--reprocess")
    assert audited(chain).code == 0
    assert chain.good("compare-chains", chain.root, trained.root, "--job", "ads").out.startswith("equal: ")
    again = chain.run("restore-ids", "--job", "ads", "--space", "user")
    assert (again.code, "is whole, there is nothing to restore" in again.message) == (2, True)
    assert chain.run("restore-ids", "--job", "ads", "--space", "nobody").code == 2


def test_freshness(trained: Place) -> None:
    ran = trained.run("freshness", "--job", "ads")
    assert ran.code == 1
    assert f"TOO OLD the newest extracted day is {LAST}" in ran.out
    assert np.isfinite(json.loads(trained.run("freshness", "--job", "ads", "--json").out)["expected"])
    assert trained.store.current(Ref("extract", "ads", LAST)) is not None
