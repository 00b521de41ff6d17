from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from pipeline.features.arrays import files
from pipeline.features.arrays.assemble import Built
from pipeline.storage import array_file
from tests.unit.models.school import make_day, school_schema


def test_arrays_are_read_as_they_were_written_also_where_an_earlier_version_kept_more(tmp_path: Path) -> None:
    day = make_day(school_schema(), requests=3)
    files.write(tmp_path, files.ROWS, Built(day, np.arange(50, dtype=np.int32), {}, {}, np.zeros(3, np.int16)))
    artifact: Any = SimpleNamespace(file=lambda name: tmp_path / name)
    arrays, meta = array_file.read(tmp_path / "rows.arrays")
    # Before there was no `taken` any more: a request's positives, among its candidates or not.
    array_file.write(tmp_path / "old.arrays", {**arrays, "taken": np.ones(3, np.int32)}, meta)
    read = files.read(artifact, "old")
    assert read.layout == day.layout
    for name in vars(day).keys() - {"layout"}:
        np.testing.assert_array_equal(getattr(read, name), getattr(day, name), err_msg=name)


def test_content_has_one_digest_however_it_is_stored(tmp_path: Path) -> None:
    day = make_day(school_schema(), requests=3)
    built = Built(day, np.arange(50, dtype=np.int32), {}, {}, np.zeros(3, np.int16))
    digest = files.write(tmp_path, files.ROWS, built)
    _, meta = array_file.read(tmp_path / "rows.arrays")
    whole = {name: np.asarray(value) for name, value in vars(day).items() if name not in ("layout", "tasks")}
    whole |= {"label": day.label[:, 0], "key_rank": built.key_rank, "empty_days": built.empty_days}
    array_file.write(tmp_path / "earlier", whole, {"layout": meta["layout"]})
    assert files.digest(tmp_path / "earlier") == files.digest(tmp_path / "rows.arrays") == digest


def test_what_is_but_some_labels_has_one_digest_whatever_these_are() -> None:
    day = make_day(school_schema(), requests=3)
    label = np.stack([day.label[:, 0], day.label[:, 0]], axis=1)
    other, clicked = label.copy(), label.copy()
    other[:, 1], clicked[0, 0] = 1 - label[:, 1], 1 - label[0, 0]

    def digest(labels: np.ndarray, *but: str) -> str:
        arrays = replace(day, label=labels, tasks=("click", "buy"))
        return files.digest_but(Built(arrays, np.arange(50, dtype=np.int32), {}, {}, np.zeros(3, np.int16)), but)

    assert digest(label, "buy") == digest(other, "buy")
    assert digest(label, "click") != digest(other, "click")
    assert digest(label, "buy") != digest(clicked, "buy")
