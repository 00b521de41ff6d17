from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.manifest import Input, Manifest

DAY = Day.of(2024, 2, 29)


def _manifest() -> Manifest:
    return Manifest(
        id="checkpoint/ads/din/day=2024-02-29/gen=0002",
        kind="checkpoint",
        job="ads",
        day=DAY,
        experiment="din",
        generation=2,
        key="k",
        digest="d",
        inputs=[Input("features/ads/day=2024-02-29/gen=0001", "x")],
        rows={"train": 7},
        timings={"train": 1.5},
        tensors={"emb_user": "t"},
        files={"weights.npz": 12},
        extra={"note": "教师"},
    )


def test_text_and_back(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(_manifest().to_json())
    assert Manifest.read(path) == _manifest()


def test_numpy_scalars_become_plain_numbers(tmp_path: Path) -> None:
    manifest = _manifest()
    manifest.rows = {"train": np.int64(7)}  # type: ignore[dict-item]
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest.to_json())
    assert Manifest.read(path).rows == {"train": 7}
    manifest.extra = {"table": np.zeros(2)}
    with pytest.raises(TypeError, match="ndarray"):
        manifest.to_json()


def test_a_later_versions_fields_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    record = {**json.loads(_manifest().to_json()), "mood": "good"}
    path.write_text(json.dumps(record))
    assert Manifest.read(path) == _manifest()


def test_every_truncation_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    data = _manifest().to_json()
    for length in range(0, len(data) - 2, 7):
        path.write_bytes(data[:length])
        with pytest.raises(CorruptArtifact, match=str(path)):
            Manifest.read(path)


@pytest.mark.parametrize(
    "change",
    [
        {"day": "2024-13-01"}, {"day": 5}, {"inputs": [1]}, {"files": []}, {"generation": "x"}, {"state": "half"},
        {"rows": {"rows": True}}, {"rows": {"rows": -1}}, {"pruned": "no"}, {"extra": None}, {"digest": None},
    ],
)  # fmt: skip
def test_fields_of_the_wrong_type(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**json.loads(_manifest().to_json()), **change}))
    with pytest.raises(CorruptArtifact, match=rf"manifest.json: the manifest's {next(iter(change))}\S* is damaged"):
        Manifest.read(path)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    record = json.loads(_manifest().to_json())
    del record["digest"]
    path.write_text(json.dumps(record))
    with pytest.raises(CorruptArtifact, match=r"manifest.json: the manifest's digest is missing"):
        Manifest.read(path)
