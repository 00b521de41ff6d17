"""Damage on our own disk: files cut short or changed, a disk that is full, settings that no longer fit the chain."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny import FIRST, LAST, SECOND, Place

TRAIN_LAST = ("stage", "experiment", "--job", "ads", "--day", LAST, "--experiment", "pooled", "--reprocess")
FEATURES_LAST = ("stage", "build_features", "--job", "ads", "--day", LAST)
MAP_LAST = ("stage", "update_id_maps", "--job", "ads", "--day", LAST, "--reprocess")


def _flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _told(place: Place, *arguments: object) -> str:
    """The one message of a command that fails."""
    ran = place.run(*arguments)
    assert ran.code == 3, ran.err
    assert "Traceback" not in ran.err
    assert ran.message.startswith("error: ")
    return ran.message


@pytest.mark.parametrize("damage", [_flip, _cut, lambda path: path.write_bytes(b""), lambda path: path.unlink()])
def test_a_damaged_id_map_stops_the_line_and_names_the_map_before_it(
    chain: Place, damage: Callable[[Path], None]
) -> None:
    path = chain.root / "idmaps" / "ads" / "user.json"
    whole = path.read_bytes()
    damage(path)
    message = _told(chain, *MAP_LAST)
    assert str(path) in message
    assert f"{path}.previous" in message
    path.write_bytes(whole)
    chain.good(*MAP_LAST)


def test_an_id_map_of_another_type_names_the_setting(chain: Place) -> None:
    settings = chain.settings("ads")
    settings["spaces"]["hour"] = "str"
    chain.configure("ads", settings)
    ran = chain.run(*MAP_LAST)
    assert ran.code == 2
    assert "hour.json: holds ids of type int" in ran.message
    assert "declare id space 'hour' as str" in ran.message


@pytest.mark.parametrize("damage", [_flip, _cut, lambda path: path.unlink()])
def test_a_damaged_checkpoint_is_not_trained_from(chain: Place, damage: Callable[[Path], None]) -> None:
    path = chain.artifact("checkpoint", SECOND, "pooled").path / "tensors.npz"
    before = chain.artifact("checkpoint", LAST, "pooled").id
    damage(path)
    message = _told(chain, *TRAIN_LAST)
    assert str(path) in message
    assert f"{SECOND}" in message.partition(str(path))[2]
    assert chain.artifact("checkpoint", LAST, "pooled").id == before
    assert _told(chain, "compare-chains", chain.root, chain.root, "--job", "ads")


def test_the_remedy_for_a_damaged_checkpoint_works(chain: Place, trained: Place) -> None:
    _flip(chain.artifact("checkpoint", SECOND, "pooled").path / "tensors.npz")
    message = _told(chain, *TRAIN_LAST)
    commands = [part.split(", then")[0] for part in message.split("python -m pipeline ")[1:]]
    assert [command.split()[0] for command in commands] == ["taint", "backfill"]
    for command in commands:
        chain.good(*command.split())
    # From the same parent the same bits; so what follows stands again.
    chain.good("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
    assert "equal: 6 trained days" in chain.good("compare-chains", trained.root, chain.root, "--job", "ads").out


def _manifest(place: Place) -> Path:
    path: Path = place.artifact("features", LAST).path / "manifest.json"
    return path


DAMAGED: dict[str, tuple[Callable[[Place], Path], bytes, tuple[object, ...]]] = {
    "a manifest": (_manifest, b'{"id": ', TRAIN_LAST),
    "a current file": (lambda place: _manifest(place).parents[1] / "current", b"gen=", TRAIN_LAST),
    "the chain's record": (lambda place: place.root / "checkpoint/ads/pooled/chain.json", b"{}", TRAIN_LAST),
    "the state's start": (lambda place: place.root / "maps/ads/start.json", b"{}", MAP_LAST),
    "a taint mark": (lambda place: _manifest(place).parents[1] / "tainted", b"[", FEATURES_LAST),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_record_is_named_with_what_to_do(chain: Place, name: str) -> None:
    where, content, arguments = DAMAGED[name]
    path = where(chain)
    path.write_bytes(content)
    message = _told(chain, *arguments)
    assert str(path) in message
    assert "damaged" in message
    assert any(word in message for word in ("delete", "write", "restore"))


def test_features_cut_short_are_not_trained_on(chain: Place) -> None:
    artifact = chain.artifact("features", LAST)
    path = artifact.path / max(artifact.manifest.files, key=artifact.manifest.files.get)
    _cut(path)
    assert str(path) in _told(chain, *TRAIN_LAST)


@pytest.mark.parametrize("change", ["dim", "units", "a feature"])
def test_a_chain_whose_shape_the_settings_changed_is_refused_by_name(chain: Place, change: str) -> None:
    settings = chain.settings("ads")
    if change == "dim":
        settings["experiments"]["pooled"]["dim"] = 2
    elif change == "units":
        settings["experiments"]["pooled"]["options"]["units"] = [12]
    else:
        settings["experiments"]["pooled"]["without"] = ["hour"]
    chain.configure("ads", settings)
    status = chain.good("status", "--job", "ads", "--experiment", "pooled")
    assert "settings have changed since the last trained day" in status.out
    # What is trained stands as it is; only a day that has to be trained meets the new settings.
    chain.good("stage", "experiment", "--job", "ads", "--day", LAST, "--experiment", "pooled")
    chain.good("taint", "--job", "ads", "--day", LAST, "--reason", "to be trained again")
    ran = chain.run("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--publish", "none")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert f"error: ads/pooled stopped on {LAST}: checkpoint/ads/pooled/day={SECOND}/gen=0001" in ran.message
    assert "Put the setting back, or give the changed model a name of its own" in ran.message
    # The other experiment was not held up.
    assert chain.artifact("checkpoint", LAST, "din").generation == 2
    assert chain.artifact("checkpoint", LAST, "pooled").generation == 1


def test_a_full_disk_at_any_write_leaves_the_day_as_it_was(
    place: Place, trained: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second write to the disk fails once; each time the same command goes on where it stopped."""
    real, failures, count = os.fsync, 0, 0

    def full(handle: int) -> None:
        nonlocal count
        count += 1
        if count % 40 == 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    for stage in ("extract", "validate", "update_id_maps", "build_features"):
        for _ in range(20):
            ran = place.run("stage", stage, "--job", "ads", "--day", FIRST)
            assert not list(place.root.rglob(".staging*"))
            if ran.code == 0:
                break
            failures += 1
            assert "the disk is full" in ran.message
            assert "run the same command again" in ran.message
            assert "Traceback" not in ran.err
        assert ran.code == 0
    assert failures >= 2
    for kind in ("maps", "state", "features"):
        assert place.artifact(kind, FIRST).manifest.digest == trained.artifact(kind, FIRST).manifest.digest


def _disk_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _disk_full_in_tensorflow(*_: object, **__: object) -> None:
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "variables.data-00000-of-00001; No space left on device")


@pytest.mark.parametrize("what", ["the checkpoint", "the exported model"])
def test_a_full_disk_while_training_keeps_the_parent(chain: Place, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    before = chain.artifact("checkpoint", LAST, "pooled").id
    backfill = ("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--experiment", "pooled")
    with monkeypatch.context() as patch:
        if what == "the checkpoint":
            chain.good("taint", "--job", "ads", "--experiment", "pooled", "--day", LAST, "--reason", "again")
            patch.setattr("numpy.savez", _disk_full)
        else:
            shutil.rmtree(chain.root / "export" / "ads" / "pooled" / f"day={LAST}")
            patch.setattr("models.export.serving_module.ServingModule._save", _disk_full_in_tensorflow)
        ran = chain.run(*backfill)
    assert ran.code == 1
    assert f"error: ads/pooled stopped on {LAST}: {chain.root}" in ran.message
    assert "the disk is full" in ran.message
    assert "Traceback" not in ran.err
    assert not list(chain.root.rglob(".staging*"))
    assert chain.artifact("checkpoint", LAST, "pooled").id == before
    chain.good(*backfill)


def test_a_loss_that_is_not_a_number_keeps_the_parent_and_names_the_batch(place: Place) -> None:
    settings = place.settings("ads")
    settings["features"]["dclick_otherad"]["normalise"] = "none"
    place.configure("ads", settings)
    rows = place.shows(SECOND)
    column = rows.column_names.index("dclick_otherad")
    place.show(SECOND, rows.set_column(column, "dclick_otherad", [["3e38"] * rows.num_rows]))
    ran = place.run(
        "backfill", "--job", "ads", "--from", FIRST, "--to", SECOND, "--experiment", "pooled", "--publish", "none"
    )
    assert ran.code == 1
    assert f"error: ads/pooled stopped on {SECOND}" in ran.message
    assert "the loss of batch 0 of 'rows' is inf" in ran.message
    assert "dirty_days" in ran.message
    assert place.store.days("checkpoint", "ads", "pooled") == [FIRST]


def test_records_are_json_that_a_person_can_read(trained: Place) -> None:
    manifest = json.loads((trained.artifact("checkpoint", LAST, "din").path / "manifest.json").read_text())
    assert manifest["extra"]["parent_day"] == str(SECOND)
    assert manifest["inputs"][0]["id"].startswith("features/ads/")
