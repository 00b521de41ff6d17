"""Nothing dated after the training day may reach a feature, a statistic or a label of that day's training set.

Each test builds a day twice: as it is, and with a signal of the future planted wherever one could come from, after the
later days were read and grown from. Not a bit of the day may move; that of a later day must, or nothing was planted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.job import JobConfig
from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.features.arrays import files
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages.features import build_features, update_id_maps
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.features.lessons import DAY, DAYS_OWN, FUTURE

PAST = DAY.year_before()


def run(job: JobContext, *days: Day, reprocess: bool = False) -> Artifact:
    for day in days:
        extract(job, day, reprocess=reprocess)
        validate(job, day, reprocess=reprocess)
        update_id_maps(job, day, reprocess=reprocess)
        features = build_features(job, day, reprocess=reprocess)
    assert features is not None
    return features


def content(features: Artifact, name: str = files.ROWS) -> dict[str, Any]:
    """All arrays of a day by name."""
    found = files.read(features, name)
    parts = {field: np.asarray(value) for field, value in found.__dict__.items() if field != "layout"}
    groups = {f"group {group}": chosen for group, chosen in files.groups(features, name).items()}
    return parts | groups | {"key_rank": files.key_rank(features, name), "layout": found.layout}


def assert_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        if name == "layout":
            assert value == second[name]
        else:
            assert value.tobytes() == second[name].tobytes(), name


def _dense(found: dict[str, Any], name: str) -> list[Any]:
    place = found["layout"].request_dense[name]
    rows: list[Any] = found["request_dense"][:, place.start : place.stop].tolist()
    return rows


def dated(tables: dict[str, Table]) -> set[str]:
    return {name for name, table in tables.items() if table.dated}


def running(tables: dict[str, Table]) -> set[str]:
    every = [(f"{name}.{column}", of) for name, table in tables.items() for column, of in table.columns.items()]
    return {name for name, of in every if of.change == "running"}


def outcomes(tables: dict[str, Table]) -> set[str]:
    return {f"{name}.{column}" for name, table in tables.items() for column in table.outcomes}


# ---- homework


def school(
    folder: Path, monkeypatch: pytest.MonkeyPatch, first: Day, config: JobConfig | None = None, **undated: pa.Table
) -> JobContext:
    lessons.write_undated(folder, **undated)
    return lessons.context(folder, monkeypatch, (config or lessons.bagged()).model_copy(update={"state_from": first}))


@pytest.mark.parametrize("config", [lessons.bagged(), lessons.of_days()], ids=["bags", "days"])
def test_homework_of_later_days_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig
) -> None:
    plain, planted = tmp_path / "plain", tmp_path / "planted"
    tables = lessons.config().tables
    assert set(FUTURE) == dated(tables)
    assert running(tables) == {"teachers.years"}
    for folder in (plain, planted):
        for back in (2, 1, 0):
            lessons.write_day(folder, DAY.plus(-back), DAYS_OWN)
    # Rows of later days in the day's own partition, later partitions, and a running column as it is now.
    lessons.write_day(planted, DAY, FUTURE, dated=DAY.next())
    for ahead in (1, 2):
        lessons.write_day(plain, DAY.plus(ahead), DAYS_OWN)
        lessons.write_day(planted, DAY.plus(ahead), DAYS_OWN)
        lessons.write_day(planted, DAY.plus(ahead), FUTURE)
    grown = [row | {"years": 40.0} for row in lessons.TEACHERS.to_pylist()]
    later = pa.Table.from_pylist(grown, lessons.TEACHERS.schema)

    job = school(plain, monkeypatch, DAY.plus(-2), config)
    before = content(run(job, *DAY.plus(-2).through(DAY)))
    after_plain = content(run(job, DAY.next(), DAY.plus(2)))
    job = school(planted, monkeypatch, DAY.plus(-2), config, teachers=later)
    assert_same(before, content(run(job, *DAY.plus(-2).through(DAY))))
    after = content(run(job, DAY.next(), DAY.plus(2)))
    assert after["pair_dense"].tobytes() != after_plain["pair_dense"].tobytes()
    for name in ("day_counts", "window_counts"):
        assert _dense(after, name) != _dense(after_plain, name)
    # Built again when all of the future has been read and grown from.
    assert_same(before, content(run(JobContext(job.config, job.root), DAY, reprocess=True)))


def test_a_running_column_of_now_is_missing_and_a_static_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons.write_day(tmp_path, DAY, DAYS_OWN)
    job = school(tmp_path, monkeypatch, DAY)
    found = content(run(job, DAY))
    places = found["layout"].request_ids
    assert found["request_ids"][:, places["years"].start].tolist() == [1, 1]
    assert (found["request_ids"][:, places["county"].start] > 1).all()


def test_replayed_rows_know_nothing_of_their_own_day_or_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, planted = tmp_path / "plain", tmp_path / "planted"
    lively = lessons.table("homework", (503, 9003, 6, [10], [101], 1, 7), (504, 9004, 5, [10], [101], 1, 7))
    first = {**DAYS_OWN, "homework": pa.concat_tables([lessons.HOMEWORK, lively])}
    for folder in (plain, planted):
        for day in (PAST.previous(), PAST, DAY):
            lessons.write_day(folder, day, first if day == PAST.previous() else DAYS_OWN)
    # On the replayed day: rows of another county, and study values; on the day after it: everything. All of known ids.
    other = lessons.table("homework", (503, 9003, 6, [10], [101], 1, 7), (503, 9003, 6, [10], [102], 3, None))
    lessons.write_day(planted, PAST, {"homework": other, "study": FUTURE["study"]})
    again = [(teacher, 9000 + teacher % 500, 5, [10], [101], 1, 7) for teacher in (501, 502, 503, 504)]
    lessons.write_day(planted, PAST.next(), {**FUTURE, "homework": lessons.table("homework", *again)})

    found = []
    for folder in (plain, planted):
        features = run(school(folder, monkeypatch, PAST.previous()), DAY)
        found.append((content(features, files.replay_name(PAST)), content(features)))
    assert_same(found[0][0], found[1][0])
    assert found[0][1]["pair_dense"].tobytes() != found[1][1]["pair_dense"].tobytes()


# ---- ads


@pytest.mark.parametrize("settings", [shows.with_bags(), shows.with_negatives()], ids=["bags", "negatives"])
def test_impressions_of_the_day_and_later_move_nothing(
    settings: JobConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, planted = tmp_path / "plain", tmp_path / "planted"
    tables = shows.config().tables
    assert dated(tables) == {"log"}
    assert running(tables) == {"users.skill", "users.spent", "ads.clicks"}
    future = shows.log(*[(user, ad, 1, 7, 1e9, ["/z/z/z"]) for user in (1, 2, 3, 4) for ad in (10, 11, 12, 13)])
    for folder in (plain, planted):
        for day in DAY.plus(-2).through(DAY.plus(2)):
            shows.write_day(folder, day, shows.LOG)
    shows.write_day(planted, DAY, future, dated=DAY.next())
    for ahead in (1, 2):
        shows.write_day(planted, DAY.plus(ahead), future)
    shows.write_undated(plain)
    rich = {"skill": ["Z"] * 3, "spent": [1e9] * 3}
    users = pa.table({name: rich.get(name, column.to_pylist()) for name, column in zip(
        shows.USERS.column_names, shows.USERS.columns, strict=True)})  # fmt: skip
    ads = shows.ADS.set_column(4, "clicks", [[1e9, 1e9, 1e9]])
    shows.write_undated(planted, users=users, ads=ads)

    job = shows.context(plain, monkeypatch, settings)
    before = content(run(job, *DAY.plus(-2).through(DAY)))
    after_plain = content(run(job, DAY.next(), DAY.plus(2)))
    job = shows.context(planted, monkeypatch, settings)
    assert_same(before, content(run(job, *DAY.plus(-2).through(DAY))))
    after = content(run(job, DAY.next(), DAY.plus(2)))
    assert after["pair_dense"].shape != after_plain["pair_dense"].shape
    assert_same(before, content(run(JobContext(job.config, job.root), DAY, reprocess=True)))


def test_what_came_of_an_impression_moves_nothing_of_its_own_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, planted = tmp_path / "plain", tmp_path / "planted"
    assert outcomes(shows.config().tables) == {"log.answered"}
    # The last two rows are equal in all that orders a day first: an outcome must not say which of them leads.
    rows = pa.concat_tables([shows.LOG, shows.log((9, 12, 1, 5, 1.0, ["/a/b/c"]), (9, 12, 1, 6, 2.0, ["/d/e/f"]))])
    answers = [1e9 * click for click in rows["click"].to_pylist()[:-1]] + [-1e9]
    for folder, watched in ((plain, [0.0] * rows.num_rows), (planted, answers)):
        shows.write_undated(folder)
        for day in DAY.plus(-1).through(DAY.next()):
            shows.write_day(folder, day, rows.append_column("answered", pa.array(watched)))
    found = []
    for folder in (plain, planted):
        job = shows.context(folder, monkeypatch)
        found.append([content(run(job, day)) for day in DAY.plus(-1).through(DAY.next())])
    for before, after in zip(*found, strict=True):
        assert_same(before, after)


def test_what_came_of_an_impression_is_history_of_later_days_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shows.with_answers()
    found = []
    for name, planted in (("plain", [0.0, 0.0, 0.0, 5.0, 50.0]), ("planted", [1e9, 1e9, 0.0, 0.0, 1e9])):
        shows.write_undated(tmp_path / name)
        for day, answers in ((DAY, planted), (DAY.next(), [0.0] * shows.LOG.num_rows)):
            shows.write_day(tmp_path / name, day, shows.LOG.append_column("answered", pa.array(answers)))
        job = shows.context(tmp_path / name, monkeypatch, settings)
        found.append([content(run(job, day)) for day in (DAY, DAY.next())])
    assert_same(found[0][0], found[1][0])
    assert found[0][1]["request_ids"].tobytes() != found[1][1]["request_ids"].tobytes()


def test_the_level_of_an_impression_is_history_of_later_days_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted outcome, and a click of the day itself, move no bit of their own day: neither values nor indices."""
    found = []
    clicks = [shows.LOG["click"].to_pylist(), [1 - each for each in shows.LOG["click"].to_pylist()]]
    answers = ([0.0, 0.0, 0.0, 5.0, 50.0], [1e9, 1e9, 0.0, 0.0, 1e9])
    for name, clicked, answered in zip(("plain", "planted"), clicks, answers, strict=True):
        shows.write_undated(tmp_path / name)
        log = shows.LOG.append_column("answered", pa.array([2.0] * shows.LOG.num_rows))
        shows.write_day(tmp_path / name, DAY, log)
        planted = log.set_column(log.column_names.index("answered"), "answered", pa.array(answered))
        planted = planted.set_column(planted.column_names.index("click"), "click", pa.array(clicked))
        shows.write_day(tmp_path / name, DAY.next(), planted)
        shows.write_day(tmp_path / name, DAY.plus(2), log)
        job = shows.context(tmp_path / name, monkeypatch, shows.with_levels())
        found.append([content(run(job, day)) for day in DAY.through(DAY.plus(2))])
    for day in (0, 1):
        labels = [each[day].pop("label") for each in found]
        assert (labels[0].tobytes() != labels[1].tobytes()) == (day == 1)
        assert_same(found[0][day], found[1][day])
    assert found[0][2]["request_ids"].tobytes() != found[1][2]["request_ids"].tobytes()


def test_counters_of_what_came_of_an_impression_are_of_later_days_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, planted in (("plain", [0.0, 0.0, 0.0, 5.0, 50.0]), ("planted", [1e9, 1e9, 0.0, 0.0, 1e9])):
        shows.write_undated(tmp_path / name)
        for day, answers in ((DAY, [2.0] * 5), (DAY.next(), planted), (DAY.plus(2), [0.0] * 5)):
            shows.write_day(tmp_path / name, day, shows.LOG.append_column("answered", pa.array(answers)))
        job = shows.context(tmp_path / name, monkeypatch, shows.with_values())
        found.append([content(run(job, day)) for day in DAY.through(DAY.plus(2))])
        assert_same(found[-1][1], content(run(JobContext(job.config, job.root), DAY.next(), reprocess=True)))
    for day in (0, 1):
        assert_same(found[0][day], found[1][day])
    assert found[0][2]["pair_dense"].tobytes() != found[1][2]["pair_dense"].tobytes()


def test_a_click_is_in_the_history_of_later_days_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shows.write_undated(tmp_path)
    shows.write_day(tmp_path, DAY, shows.LOG)
    shows.write_day(tmp_path, DAY.next(), shows.LOG)
    job = shows.context(tmp_path, monkeypatch)
    windows = []
    for day in (DAY, DAY.next()):
        found = content(run(job, day))
        place = found["layout"].request_ids["clicked"]
        windows.append(found["request_ids"][:, place.start : place.stop])
    assert not windows[0].any()
    assert windows[1].any(axis=1).all()


def test_the_state_of_a_day_is_committed_for_later_days_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shows.write_undated(tmp_path)
    shows.write_day(tmp_path, DAY, shows.LOG)
    job = shows.context(tmp_path, monkeypatch)
    features = run(job, DAY)
    read = {part.id.split("/")[0] for part in features.manifest.inputs}
    assert read == {"validated", "maps"}
    assert job.store.current(Ref("state", job.job, DAY)) is not None
