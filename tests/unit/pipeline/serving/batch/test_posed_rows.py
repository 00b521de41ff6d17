"""Many rows at once are asked what training was told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays import files as day_arrays
from pipeline.features.arrays.assemble import assemble
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.features.build_features import build_day
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.release.contents.contents import contents
from pipeline.serving.batch.posed_rows import PosedImpressions
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.serving.released import Parts, plain

DAY = Day.of(2024, 3, 4)
BEFORE = shows.log(
    (1, 10, 1, 7, 2.5, ["/a/b"]), (1, 11, 1, 7, 2.5, []), (2, 10, 0, 8, 1.0, []), (3, 12, 1, 9, 1.0, ["/c", "/d"]),
)  # fmt: skip
ASKED = shows.log(
    (1, 12, 0, 7, 1.0, []), (1, 10, 1, None, 2.0, ["/a/b", "/x", "/y"]), (2, 11, 1, 8, None, []),
    (3, 99, 0, 7, 1.5, []), (999, 10, 0, 7, 1.0, []),
)  # fmt: skip


@pytest.mark.parametrize("config", [shows.config(), shows.with_ages(), shows.with_sessions()])
def test_impressions_of_many_users_and_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig
) -> None:
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    for day, rows in ((DAY, BEFORE), (DAY.next(), ASKED)):
        shows.write_day(tmp_path, day, rows)
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    plan = Plan(config)
    built, validated = (job.store.current(Ref(kind, job.job, DAY.next())) for kind in ("features", "validated"))
    assert built is not None
    assert validated is not None
    parts = Parts(contents(job, config, DAY, dict.fromkeys(plan.spaces, 1000)))
    posed = PosedImpressions(parts.meta)
    look = posed.known.look.own()
    rows = posed.rows(parts, pq.read_table(validated.file("log.parquet")), DAY.next())
    found = assemble(parts.meta.plan, rows, look, posed.state(parts, rows, look))
    served = model_inputs(parts.meta.plan.schema.features, found, look)
    arrays, maps = day_arrays.read(built), IdMapStore.of(job)
    for matrix, at in (("request", None), ("item", np.asarray(arrays.pair_item)), ("pair", None)):
        for name, place in getattr(arrays.layout, f"{matrix}_dense").items():
            trained = np.asarray(getattr(arrays, f"{matrix}_dense"))[:, place.start : place.stop]
            trained = trained if at is None else trained[at]
            np.testing.assert_array_equal(served[name].reshape(trained.shape), trained, name)
        for name, place in getattr(arrays.layout, f"{matrix}_ids", {}).items():
            space = str(plan.features[name].feature.space)
            trained = np.asarray(getattr(arrays, f"{matrix}_ids"))[:, place.start : place.stop]
            trained = trained if at is None else trained[at]
            raw = maps.read(space, plan.space_kind(space)).raw(trained)
            cells = served[name].reshape(len(trained), -1)
            assert [plain(row) for row in cells] == [plain(row) for row in raw], name
    rates = arrays.pair_dense[:, arrays.layout.pair_dense["user_rate"].start].tolist()
    # Of user 1 two clicks of two, of all three of four; of user 999 nothing, so all.
    assert rates[0] == pytest.approx((2 + 0.75) / 3)
    assert rates[-1] == pytest.approx(0.75)
