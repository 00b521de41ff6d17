"""Golden rows: raw inputs beside the trainer's scores, awkward rows among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.schema import DayArrays, FeatureSchema, Side
from models.tasks import LossName, Task
from pipeline.features.ids.idmap import IdMap
from pipeline.training import golden_rows
from pipeline.training.golden_rows import INPUTS, OUTPUTS, UNSEEN_INT, UNSEEN_STR
from tests.unit.models.school import SIZES, make_day, school_schema

SCHEMA = school_schema()
MAPS = {
    space: IdMap(
        space, kind,
        np.array([f"{space}{n}" for n in range(SIZES[space] - 2)], object) if kind == "str"
        else np.arange(SIZES[space] - 2, dtype=np.int64) * 10,
    )
    for space, kind in SCHEMA.spaces.items()
}  # fmt: skip


class Places:
    """Stands for a trainer whose logit of a pair is its place among its request's candidates: 0, 1, 2, …; of a second
    task 10 more."""

    def __init__(self, *losses: LossName) -> None:
        self.tasks = [Task(f"task_{number}", loss) for number, loss in enumerate(losses)]

    def scores(self, rows: DayArrays) -> np.ndarray:
        place = np.arange(rows.pairs) - np.repeat(rows.offsets[:-1], rows.candidates)
        return (place[:, None] + 10 * np.arange(len(self.tasks))).astype(np.float32)


def written(folder: Path, day: DayArrays, *losses: LossName) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    golden_rows.write(folder, Places(*losses), SCHEMA, day, MAPS, 5, {}, {})  # type: ignore[arg-type]
    with np.load(folder / INPUTS, allow_pickle=False) as inputs, np.load(folder / OUTPUTS) as outputs:
        return dict(inputs), dict(outputs)


def test_scores_stand_where_there_are_candidates(tmp_path: Path) -> None:
    day = make_day(SCHEMA)
    inputs, outputs = written(tmp_path, day, "softmax")
    counts = (~np.isnan(outputs["logit"])).sum(axis=1)
    assert counts.max() == np.diff(day.offsets).max(), "the longest request is among them"
    for row, count in enumerate(counts):
        assert outputs["logit"][row, :count].tolist() == list(range(count))
        expected = np.exp(np.arange(count)) / np.exp(np.arange(count)).sum()
        assert outputs["probability"][row, :count] == pytest.approx(expected)
    assert np.isnan(outputs["probability"]).tolist() == np.isnan(outputs["logit"]).tolist()
    assert set(inputs) == {feature.name for feature in SCHEMA.features}
    assert {len(each) for each in inputs.values()} == {len(counts)}


def test_what_tasks_come_to_together_and_the_score_that_ranks_are_there_too(tmp_path: Path) -> None:
    """Logits 0, 1, … of the first task, 10, 11, … of the second."""
    trainer = Places("binary", "binary")
    trainer.tasks[1] = Task("task_1", given="task_0", joint="both")
    day = make_day(SCHEMA)
    golden_rows.write(tmp_path, trainer, SCHEMA, day, MAPS, 5, {}, {"task_0": 1.0, "task_1": 0.5})  # type: ignore[arg-type]
    with np.load(tmp_path / OUTPUTS) as outputs:
        told = dict(outputs)
    first, second = (1 / (1 + np.exp(-told[f"task_{n}/logit"].astype(np.float64))) for n in (0, 1))
    inside = ~np.isnan(told["logit"])
    assert told["both/probability"][inside] == pytest.approx((first * second)[inside])
    assert told["probability"][inside] == pytest.approx((first * second**0.5)[inside])
    assert (told["logit"] == told["score/logit"])[inside].all()
    odds = told["probability"] / (1 - told["probability"])
    assert told["logit"][inside] == pytest.approx(np.log(odds)[inside], rel=1e-5)


def test_a_binary_model_gives_each_candidate_its_own_probability(tmp_path: Path) -> None:
    _, outputs = written(tmp_path, make_day(SCHEMA), "binary")
    assert outputs["probability"][0, 0] == 0.5
    assert outputs["probability"][0, 1] == pytest.approx(1 / (1 + np.exp(-1.0)))


def test_every_task_has_its_scores_and_the_first_its_plain_name_too(tmp_path: Path) -> None:
    _, outputs = written(tmp_path, make_day(SCHEMA), "binary", "binary")
    assert {"logit", "task_0/logit", "task_1/logit", "task_1/probability"} < set(outputs)
    np.testing.assert_array_equal(outputs["logit"], outputs["task_0/logit"])
    np.testing.assert_array_equal(outputs["task_1/logit"], outputs["task_0/logit"] + 10)


def test_candidates_beyond_a_requests_own_are_padding(tmp_path: Path) -> None:
    inputs, outputs = written(tmp_path, make_day(SCHEMA), "softmax")
    row, place = np.argwhere(np.isnan(outputs["logit"]))[0]
    padding = {"i": -(2**63), "U": ""}
    for feature in SCHEMA.features:
        if feature.side is Side.REQUEST:
            continue
        value = inputs[feature.name][row, place]
        if feature.has_ids:
            assert (value == padding[value.dtype.kind]).all(), feature.name
        else:
            assert np.isnan(value).all(), feature.name


def test_three_rows_are_awkward(tmp_path: Path) -> None:
    inputs, outputs = written(tmp_path, make_day(SCHEMA), "softmax")
    unseen, empty, missing = np.flatnonzero(outputs["special"])
    assert inputs["teacher"][unseen] == UNSEEN_INT
    assert set(inputs["sections"][unseen].ravel()) == {"", UNSEEN_STR}
    assert set(inputs["chapters"][empty].ravel()) == {-(2**63)}
    assert inputs["teacher"][empty] != UNSEEN_INT
    assert np.isnan(inputs["study"][missing]).all()
    assert inputs["teacher"][missing] == -(2**63) + 1


def test_a_day_without_candidates_has_no_rows(tmp_path: Path) -> None:
    whole = make_day(FeatureSchema(SCHEMA.features, SCHEMA.spaces))
    none = DayArrays(**{
        **whole.__dict__, "offsets": np.zeros(whole.requests + 1, np.int64), "pair_item": whole.pair_item[:0],
        "pair_dense": whole.pair_dense[:0], "label": whole.label[:0],
    })  # fmt: skip
    _, outputs = written(tmp_path, none, "softmax")
    assert len(outputs["special"]) == 0
