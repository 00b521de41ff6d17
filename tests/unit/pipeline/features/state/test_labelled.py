from __future__ import annotations

from pipeline.features.plan.plan import Plan
from pipeline.features.state.labelled import LabelledState
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features import cells
from tests.unit.pipeline.features.cells import DAY, Cells


def test_counters_alone_are_kept() -> None:
    kept = LabelledState(Plan(cells.config()).request)  # type: ignore[arg-type]
    assert (kept.history.parts, kept.roles, kept.latest, kept.counts_by_id) == ((), (), 0, None)
    job = Cells()
    job.day(DAY)
    assert list(job.state.counters) == [("site",), ("site", "campaign")]
    arrays = job.state.arrays()
    assert len(arrays["history/keys"]) == len(arrays["catalogue/keys"]) == 0
    assert arrays["overall/count"].tolist() == [4]
    again = FeatureState.from_arrays(job.config, DAY, arrays).arrays()
    assert {name: each.tolist() for name, each in again.items()} == {name: e.tolist() for name, e in arrays.items()}
