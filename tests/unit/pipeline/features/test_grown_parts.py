"""A day in 1, 3 and 16 parts: the same id maps, state, rows and arrays, bit for bit."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.job import JobConfig
from pipeline.features.rows import joined
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.monitoring.audit.payloads import problem_of
from pipeline.stages.features import build_features, update_id_maps
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.features import cells, shows
from tests.unit.pipeline.features.lessons import DAY

DAYS = (DAY, DAY.next())
ROWS = 90


def shown(seed: int) -> pa.Table:
    """Impressions of few users and ads, some twice, lists of paths that are longest late in the day."""
    drawn = random.Random(seed)
    paths = ["/a/b", "/a/c", "/d/e/f", "/g"]
    return pa.table({
        "user": [drawn.randrange(1, 9) for _ in range(ROWS)],
        "ad": [drawn.randrange(10, 16) for _ in range(ROWS)],
        "click": [drawn.randrange(2) for _ in range(ROWS)],
        "place": [drawn.choice([None, 1, 2, 30]) for _ in range(ROWS)],
        "seconds": [drawn.choice([None, 0.5, 2.0, 7.5]) for _ in range(ROWS)],
        "recent": [drawn.sample(paths, min(row % 5, row // 20)) for row in range(ROWS)],
        "answered": [None] * ROWS,
    })  # fmt: skip


def impressions() -> JobConfig:
    features = shows.config().model_dump(mode="json")["features"]
    features["paths"] = {
        "kind": "bag", "side": "request", "space": "path", "source": "row.recent", "values": 8,
    }  # fmt: skip
    features["late"] = {
        "kind": "categorical", "side": "item", "space": "ad", "source": "item.ad",
        "digits": {"of": 2, "at": 1, "allowed": [2]},
    }  # fmt: skip
    features["often"] = {
        "kind": "categorical", "side": "request", "space": "bin", "source": "row.seconds", "bins": {"count": 3},
    }  # fmt: skip
    spaces = {**shows.config().model_dump(mode="json")["spaces"], "bin": "int"}
    return shows.config(features=features, spaces=spaces)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shows.write_undated(tmp_path)
    monkeypatch.setenv("DAYSPRING_SHOWS_URL", f"parquet:{tmp_path / 'tables'}")
    for seed, day in enumerate(DAYS):
        shows.write_day(tmp_path, day, shown(seed))
    return tmp_path


def lived(job: JobContext, days: tuple[Any, ...] = DAYS) -> dict[str, Any]:
    """All that the days leave behind that later stages read, by name."""
    for day in days:
        extract(job, day)
        validate(job, day)
        update_id_maps(job, day)
        build_features(job, day)
    job.close()
    left: dict[str, Any] = {
        path.name: path.read_bytes() for path in (job.root / "idmaps" / job.job).glob("*.json")
    }  # fmt: skip
    for day in days:
        for kind, file in (("validated", None), ("maps", None), ("state", "arrays.bin"), ("features", "rows.arrays")):
            made = made_of(job, kind, day)
            left[f"{kind} {day}"] = (made.manifest.digest, made.manifest.rows, made.manifest.extra)
            if file is not None:
                left[f"{kind} {day} {file}"] = made.file(file).read_bytes()
            assert [name for name in made.manifest.files if "part" in name] == []
    return left


def made_of(job: JobContext, kind: str, day: Any) -> Artifact:
    found = job.store.current(Ref(kind, job.job, day))
    assert found is not None
    return found


def assert_alike(one: dict[str, Any], many: dict[str, Any]) -> None:
    assert one.keys() == many.keys()
    for name, value in one.items():
        assert many[name] == value, name


def assert_parts_change_nothing(settings: JobConfig, folder: Path, *many: tuple[int, int]) -> None:
    """In one part, and in as many as are given, by so many processes."""
    one = lived(JobContext(settings.model_copy(update={"shards": 1}), folder / "1"))
    for shards, processes in many:
        told = {"shards": shards, "processes": processes}
        job = JobContext(settings.model_copy(update=told), folder / str(shards))
        assert_alike(one, lived(job))
        rows = made_of(job, "rows", DAYS[1])
        assert joined.parts_of(rows) == shards
        assert problem_of(rows) is None
        assert sum(joined.read(rows, part).rows.events.rows for part in range(shards)) == ROWS


def test_the_number_of_parts_of_impressions_changes_nothing(sources: Path) -> None:
    assert_parts_change_nothing(impressions(), sources, (3, 1), (16, 2))


def test_nor_where_features_are_of_outcomes_bags_and_fitted_scores(sources: Path) -> None:
    assert_parts_change_nothing(shows.with_everything(), sources, (5, 1))


@pytest.mark.parametrize("group", [None, "campaign"])
def test_nor_of_labelled_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str | None) -> None:
    monkeypatch.setenv("DAYSPRING_CELLS_URL", f"parquet:{tmp_path / 'tables'}")
    drawn = random.Random(3)
    for day in DAYS:
        partition = tmp_path / "tables" / "cells" / f"day={day}"
        partition.mkdir(parents=True)
        rows = [
            (drawn.randrange(2), drawn.randrange(5), drawn.choice("abcd"), drawn.choice(["a", None]), 0.5, line)
            for line in range(ROWS)
        ]
        table = cells.cells(*rows).append_column("day", pa.array([str(day)] * ROWS))
        pq.write_table(table.append_column("line", pa.array(range(ROWS))), partition / "part-0000.parquet")
    settings = cells.config(rows={"rows": "cells", "label": "label", "group": group})
    assert_parts_change_nothing(settings, tmp_path, (3, 1))


def test_a_day_of_which_negatives_are_drawn_is_one_part(sources: Path) -> None:
    job = JobContext(shows.with_negatives().model_copy(update={"shards": "auto"}), sources / "root")
    lived(job, DAYS[:1])
    assert joined.parts_of(made_of(job, "rows", DAYS[0])) == 1
