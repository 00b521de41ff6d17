"""A checkpoint's tensors on disk: back to the bit, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training import checkpoint_file

TENSORS = {"table/user": np.arange(6, dtype=np.float32).reshape(3, 2), "step": np.array(7, np.int64)}


def committed(root: Path, tensors: dict[str, np.ndarray], recorded: dict[str, str] | None = None) -> Artifact:
    with ArtifactStore(root).draft(Ref("checkpoint", "ads", Day.of(2024, 3, 1), "din")) as draft:
        digests, content = checkpoint_file.write(draft.path, tensors)
        return draft.commit(key="k", digest=content, inputs=[], tensors=recorded or digests)


def test_tensors_come_back_to_the_bit(tmp_path: Path) -> None:
    found = checkpoint_file.read(committed(tmp_path, TENSORS))
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        assert found[name].tobytes() == tensor.tobytes()


def test_the_digest_is_of_all_tensors_and_not_of_their_order(tmp_path: Path) -> None:
    one = committed(tmp_path / "a", TENSORS).manifest.digest
    assert committed(tmp_path / "b", dict(reversed(TENSORS.items()))).manifest.digest == one
    assert committed(tmp_path / "c", {**TENSORS, "step": np.array(8, np.int64)}).manifest.digest != one


def test_a_tensor_of_another_digest_is_refused_by_name(tmp_path: Path) -> None:
    digests, _ = checkpoint_file.write(tmp_path, TENSORS)
    artifact = committed(tmp_path / "root", TENSORS, {**digests, "table/user": digests["step"]})
    with pytest.raises(CorruptArtifact, match=r"tensor 'table/user' differs from its digest; train the day again"):
        checkpoint_file.read(artifact)


def test_a_tensor_too_many_or_too_few_is_refused(tmp_path: Path) -> None:
    digests, _ = checkpoint_file.write(tmp_path, TENSORS)
    artifact = committed(tmp_path / "root", TENSORS, {**digests, "table/ad": "x"})
    with pytest.raises(CorruptArtifact, match="tensor 'table/ad' is not where the manifest says"):
        checkpoint_file.read(artifact)


def test_a_torn_file_is_refused_with_the_commands_that_help(tmp_path: Path) -> None:
    artifact = committed(tmp_path, TENSORS)
    path = artifact.path / checkpoint_file.FILE
    data = bytearray(path.read_bytes())
    data[-30:] = b"\0" * 30
    path.write_bytes(data)
    with pytest.raises(CorruptArtifact, match=r"not a whole checkpoint .*python -m pipeline taint --job ads"):
        checkpoint_file.read(artifact)
