"""The digests of payloads, computed again from what is on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import CorruptArtifact
from pipeline.features.arrays import files
from pipeline.features.records import StateRecord
from pipeline.features.rows import rows_file
from pipeline.features.rows.joined import digest_of, parts_of
from pipeline.features.state.store import FILE as STATE_FILE
from pipeline.features.state.store import state_before_of
from pipeline.ingest.records import ExtractRecord, ValidatedRecord
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.kinds import (
    CHECKPOINT,
    EXPORT,
    EXTRACT,
    FACTORS,
    FEATURES,
    ROWS,
    SNAPSHOT,
    STATE,
    TEST,
    VALIDATED,
)
from pipeline.storage.digests import content_digest, file_digest, tensor_digest
from pipeline.storage.physical_types import is_any_list, name_of
from pipeline.storage.table_digest import TableDigest
from pipeline.training import checkpoint_file
from pipeline.training.logits import LOGITS
from pipeline.training.records import ExportRecord

_ROWS = 65_536
_ITEM_NAMES = ("element", "array", "array_element", "bag", "list")
"""What writers of Parquet call a list's item where they do not call it ``item``."""


def problem_of(artifact: Artifact) -> str | None:
    """What of the payload is not as its manifest says; ``None`` where all of it is.

    Kinds without a payload have only the sizes of their files, which are compared for every kind.
    """
    check = _CHECKS.get(artifact.ref.kind)
    try:
        for name in artifact.manifest.files:
            artifact.file(name)
        return check(artifact) if check is not None else None
    except CorruptArtifact as error:
        return str(error).split("; ")[0]
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        return f"{artifact.path}: cannot be read ({type(error).__name__}: {error})"


def _extract(artifact: Artifact) -> str | None:
    for name, recorded in ExtractRecord.of(artifact).digests.items():
        # A table without rows is digested without its columns.
        if artifact.manifest.rows[name] and not _holds(artifact, name, recorded):
            return _other(artifact, f"{name}.parquet")
    return None


def _validated(artifact: Artifact) -> str | None:
    for name, recorded in ValidatedRecord.of(artifact).digests.items():
        if not _holds(artifact, name, recorded):
            return _other(artifact, f"{name}.parquet")
    return None


def _holds(artifact: Artifact, name: str, recorded: str) -> bool:
    """Whether a table's content has the recorded digest."""
    with pq.ParquetFile(artifact.file(f"{name}.parquet"), pre_buffer=False) as file:
        if _digest(file, name_of) == recorded:
            return True
        # Digests once held the writer's own name of a list's item, which the file does not keep.
        lists = any(is_any_list(each.type) for each in file.schema_arrow)
        return lists and any(_digest(file, partial(_named, item)) == recorded for item in _ITEM_NAMES)


def _digest(file: pq.ParquetFile, spell: Callable[[pa.DataType], str]) -> str:
    """The digest of a table, read piece by piece."""
    digest = TableDigest(spell)
    schema = file.schema_arrow
    digest.update(pa.RecordBatch.from_arrays([pa.nulls(0, each.type) for each in schema], schema.names))
    for batch in file.iter_batches(_ROWS, use_threads=False):
        digest.update(batch)
    return digest.hexdigest()


def _named(item: str, kind: pa.DataType) -> str:
    return f"list<{item}: {_named(item, kind.value_type)}>" if is_any_list(kind) else str(kind)


def _features(artifact: Artifact) -> str | None:
    digests = {file.removesuffix(".arrays"): files.digest(artifact.file(file)) for file in artifact.manifest.files}
    if files.ROWS not in digests or content_digest(digests) != artifact.manifest.digest:
        return _other(artifact, "*.arrays")
    return None


def _rows(artifact: Artifact) -> str | None:
    paths = [artifact.file(rows_file.file_of(part)) for part in range(parts_of(artifact))]
    same = digest_of(rows_file.digest(*array_file.read(path)) for path in paths) == artifact.manifest.digest
    return None if same else _other(artifact, rows_file.FILE)


def _state(artifact: Artifact) -> str | None:
    found = array_file.read(artifact.file(STATE_FILE))[0]
    renewed = StateRecord.of(artifact).renewed
    if renewed is not None:
        return None if content_digest(found) == renewed else _other(artifact, STATE_FILE)
    same = content_digest({"before": state_before_of(artifact), **found}) == artifact.manifest.digest
    return None if same else _other(artifact, STATE_FILE)


def _snapshot(artifact: Artifact) -> str | None:
    same = content_digest(array_file.read(artifact.file(STATE_FILE))[0]) == artifact.manifest.digest
    return None if same else _other(artifact, STATE_FILE)


def _checkpoint(artifact: Artifact) -> str | None:
    checkpoint_file.read(artifact)  # every tensor against its digest
    same = content_digest(dict(sorted(artifact.manifest.tensors.items()))) == artifact.manifest.digest
    return None if same else f"{artifact.path}: the manifest's digest is not that of its tensors"


def _test(artifact: Artifact) -> str | None:
    recorded = artifact.manifest.tensors.get("logits")
    logits = np.load(artifact.file(LOGITS), allow_pickle=False)
    # Tests of before this was recorded say nothing of their logits alone.
    return None if recorded in (None, tensor_digest(logits)) else _other(artifact, LOGITS)


def _export(artifact: Artifact) -> str | None:
    for name, recorded in ExportRecord.of(artifact).checksums.items():
        if file_digest(artifact.file(name)) != recorded:
            return _other(artifact, name)
    return None


def _other(artifact: Artifact, name: str) -> str:
    return f"{artifact.path / name}: its content is not what was committed"


_CHECKS: dict[str, Callable[[Artifact], str | None]] = {
    EXTRACT: _extract, VALIDATED: _validated, ROWS: _rows, FEATURES: _features, STATE: _state, SNAPSHOT: _snapshot,
    FACTORS: _snapshot, CHECKPOINT: _checkpoint, TEST: _test, EXPORT: _export,
}  # fmt: skip
