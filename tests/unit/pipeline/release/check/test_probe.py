from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.job import JobContext
from pipeline.release.check.probe import probe
from tests.unit.pipeline.small_job import config

FEATURES = {
    "ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.ad"},
    "seen": {"kind": "dense", "side": "request", "source": "row.seen"},
    "rate": {"kind": "dense", "side": "pair", "counter": {"key": ["ad"], "measure": "rate"}},
}


def job(tmp_path: Path, **more: object) -> JobContext:
    tables = {
        "log": {
            "source": "log", "day": "day",
            "columns": {"day": {"type": "day"}, "user": {"type": "int"}, "ad": {"type": "int"},
                        "seen": {"type": "float"},
                        "label": {"type": "int", "required": True, "allowed": [0, 1]}},
        },
    }  # fmt: skip
    return JobContext(config(tables, features={**FEATURES, **more}), tmp_path)


def test_requests_of_the_whole_day_meet_every_candidate(tmp_path: Path) -> None:
    """The last of 16 golden rows is made up: of the others eight, from first to last, with each of three ads."""
    golden = {
        "special": np.arange(16) == 15,
        "seen": np.arange(16, dtype=np.float32)[:, None],
        "ad": np.arange(16)[:, None],
        "rate": np.arange(16, dtype=np.float32)[:, None, None] / 100,
    }
    found = probe(job(tmp_path), "pooled", golden, {"ad": np.array([70, 71, 72])}, 300)
    assert found is not None
    assert found.inputs["seen"].ravel().tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert found.inputs["ad"].tolist() == [[70, 71, 72]] * 8
    assert found.inputs["rate"].shape == (8, 3, 1)
    assert (found.fields, found.candidates) == (["ad"], 300)


def test_of_few_golden_rows_each_is_taken_once(tmp_path: Path) -> None:
    golden = {
        "special": np.array([True, False, False]),
        "seen": np.array([[9.0], [1.0], [2.0]], np.float32),
        "ad": np.array([[0], [1], [2]]),
        "rate": np.full((3, 1, 1), 0.5, np.float32),
    }
    found = probe(job(tmp_path), "pooled", golden, {"ad": np.array([70])}, 1)
    assert found is not None
    assert found.inputs["seen"].ravel().tolist() == [1, 2]


def test_without_candidates_or_rows_of_the_day_there_is_nothing_to_ask(tmp_path: Path) -> None:
    golden = {"special": np.array([True])}
    assert probe(job(tmp_path), "pooled", golden, {"ad": np.array([70])}, 1) is None
    assert probe(job(tmp_path), "pooled", golden, {}, 0) is None


def test_a_model_is_not_asked_with_what_is_for_training_alone(tmp_path: Path) -> None:
    past = {"kind": "sequence", "space": "ad", "source": "history.items", "of": "ad", "steps": 2, "negatives": 3}
    golden = {
        "special": np.array([False]), "seen": np.zeros((1, 1), np.float32), "ad": np.array([[0]]),
        "rate": np.full((1, 1, 1), 0.5, np.float32), "past": np.array([[70, 71]]),
    }  # fmt: skip
    found = probe(job(tmp_path, past=past), "pooled", golden, {"ad": np.array([70])}, 1)
    assert found is not None
    assert set(found.inputs) == {"ad", "seen", "rate", "past"}
