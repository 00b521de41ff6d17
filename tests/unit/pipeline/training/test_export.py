"""Which earlier export's graph an export may do with: of the newest day before it, as it was written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.export.graphs import Graph
from models.export.warm_up import FILE as FILE_OF_WARM_UPS
from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.digests import file_digest
from pipeline.training.export import MODEL, _earlier_graph, _write_warm_ups
from pipeline.training.golden_rows import INPUTS
from pipeline.training.records import ExportRecord

FIRST = Day.of(2024, 3, 1)
FILE = f"{MODEL}/saved_model.pb"


@pytest.fixture
def here(tmp_path: Path) -> Any:
    return SimpleNamespace(job="ads", store=ArtifactStore(tmp_path))


def exported(here: Any, day: Day, content: bytes, graph: str | None) -> Artifact:
    with here.store.draft(Ref("export", "ads", day, "din")) as draft:
        (draft.path / MODEL).mkdir()
        (draft.path / FILE).write_bytes(content)
        record = ExportRecord(
            checkpoint="c", golden_rows=1, checksums={FILE: file_digest(draft.path / FILE)}, graph=graph
        )
        return draft.commit(key="k", digest="d", inputs=[], extra=record.written())


def test_it_is_that_of_the_newest_day_before(here: Any) -> None:
    assert _earlier_graph(here, FIRST, "din") is None
    exported(here, FIRST, b"one", "a")
    exported(here, FIRST.next(), b"two", "b")
    assert _earlier_graph(here, FIRST, "din") is None
    assert _earlier_graph(here, FIRST.next(), "din") == Graph("a", b"one")
    assert _earlier_graph(here, FIRST.plus(5), "din") == Graph("b", b"two")
    assert _earlier_graph(here, FIRST.plus(5), "pooled") is None


def test_one_that_is_not_as_it_was_written_is_left_alone(here: Any) -> None:
    artifact = exported(here, FIRST, b"graph", "a")
    (artifact.path / FILE).write_bytes(b"grape")
    assert _earlier_graph(here, FIRST.next(), "din") is None
    (artifact.path / FILE).write_bytes(b"half")
    assert _earlier_graph(here, FIRST.next(), "din") is None
    (artifact.path / FILE).unlink()
    assert _earlier_graph(here, FIRST.next(), "din") is None


def test_one_that_was_pruned_or_told_no_graph_is_none(here: Any) -> None:
    here.store.prune(exported(here, FIRST, b"graph", "a"))
    assert _earlier_graph(here, FIRST.next(), "din") is None
    version_before = exported(here, FIRST.next(), b"graph", None)
    assert "graph" not in version_before.manifest.extra
    assert _earlier_graph(here, FIRST.plus(2), "din") is None


def test_a_day_without_requests_warms_nothing_up(tmp_path: Path) -> None:
    """A server that is asked for no row may refuse the model."""
    (tmp_path / MODEL).mkdir()
    for rows, there in ((0, False), (2, True)):
        np.savez(tmp_path / INPUTS, ad=np.arange(rows))
        _write_warm_ups(tmp_path, "ads")
        assert (tmp_path / MODEL / FILE_OF_WARM_UPS).is_file() == there
