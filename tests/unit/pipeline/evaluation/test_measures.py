from dataclasses import replace

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.config.measures import MEASURES
from pipeline.evaluation.measures import MEASURED, evaluate
from tests.unit.pipeline.judged import COMPOSITE, day


@pytest.mark.parametrize("kind", ["impressions", "ranking"])
def test_every_measure_is_in_the_registry_and_its_parts_add_up_to_it(kind: str) -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(0, 5, 80) if kind == "ranking" else np.ones(80, int)
    arrays = day(np.r_[0, np.cumsum(sizes)].tolist(), rng.integers(0, 2, sizes.sum()).tolist(),
                 rng.integers(0, 20, 80).tolist())  # fmt: skip
    logits = rng.integers(-3, 3, sizes.sum()).astype(np.float32)
    key_rank = rng.permutation(sizes.sum()).astype(np.int32)
    measured = MEASURED[kind](arrays, ONLY, key_rank, COMPOSITE)  # type: ignore[index]
    found = measured.evaluate(logits, {})
    listed = MEASURES[kind]  # type: ignore[index]
    assert set(found.values) == set(listed)
    for name, measure in listed.items():
        if measure.of == "count" or measure.of == "pairs":
            with pytest.raises(ValueError, match="no parts"):
                measured.parts(measure, logits)
        else:
            own = measured.parts(measure, logits)
            assert own.value == pytest.approx(found.values[name])


def test_a_task_is_measured_of_the_rows_that_it_judged_under_its_own_name() -> None:
    """Clicks 1, 0, 1, 1 scored 2, −1, 1, 0; of the three clicked ones the views are 1, 0, 1, scored 0, 1, 2."""
    both = np.array([[1, 1], [0, -1], [1, 0], [1, 1]], np.int8)
    rows = replace(day([0, 1, 2, 3, 4], [0] * 4, [1, 1, 2, 2]), label=both, tasks=("click", "view"))
    logits = np.array([[2, 0], [-1, 9], [1, 1], [0, 2]], np.float32)
    found = evaluate("impressions", rows, np.zeros(0, np.int32), {}, {"click": logits[:, 0], "view": logits[:, 1]}, {})
    assert (found.values["click/auc"], found.values["view/auc"]) == (1.0, 0.5)
    assert found.values["view/gauc"] == 1.0  # of the second user alone, who has both
    assert found.values["view/calibration"] == pytest.approx(sum(1 / (1 + np.exp(-np.arange(3)))) / 2)
    assert (found.rows, found.counts) == (
        4, {"click/positives": 3, "click/users": 2, "view/positives": 2, "view/users": 2}
    )  # fmt: skip
    alone = evaluate("impressions", rows, np.zeros(0, np.int32), {}, {"view": logits[:, 1]}, {})
    assert {name: found.values[name] for name in alone.values} == alone.values
    assert set(alone.values) == {"view/auc", "view/gauc", "view/log_loss", "view/calibration"}
