import numpy as np
import pytest

from pipeline.config.measures import MEASURES
from pipeline.evaluation.measures import MEASURED
from tests.unit.pipeline.judged import COMPOSITE, day


@pytest.mark.parametrize("kind", ["impressions", "ranking"])
def test_every_measure_is_in_the_registry_and_its_parts_add_up_to_it(kind: str) -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(0, 5, 80) if kind == "ranking" else np.ones(80, int)
    arrays = day(np.r_[0, np.cumsum(sizes)].tolist(), rng.integers(0, 2, sizes.sum()).tolist(),
                 rng.integers(0, 20, 80).tolist())  # fmt: skip
    logits = rng.integers(-3, 3, sizes.sum()).astype(np.float32)
    key_rank = rng.permutation(sizes.sum()).astype(np.int32)
    measured = MEASURED[kind](arrays, key_rank, COMPOSITE)  # type: ignore[index]
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
