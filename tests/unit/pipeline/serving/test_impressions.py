"""Which of some items a user would take, asked of a release's parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, Side
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.features.arrays.assemble import Assembled
from pipeline.features.arrays.raw_inputs import model_inputs
from pipeline.features.build_features import build_day
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.release.contents.contents import contents
from pipeline.serving.impressions import ImpressionRequest
from pipeline.serving.known_items import KnownItems
from pipeline.serving.request import Request
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.serving.released import Parts

DAY = Day.of(2024, 3, 4)


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The release of the end of ``DAY``; on the day before, the log was the same but that ad 11 was shown alone."""
    settings = shows.config().model_dump(by_alias=True, mode="json")["impressions"]
    config = shows.config(impressions={**settings, "candidate_days": 1})
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    shows.write_day(tmp_path, DAY.previous(), shows.log((2, 11, 1, 8, 1.0, [])))
    log = shows.log((1, 10, 1, 7, 2.5, []), (2, 10, 0, 8, 1.0, []), (1, 12, 0, 7, 1.0, []))
    shows.write_day(tmp_path, DAY, log)
    for day in (DAY.previous(), DAY):
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    return Parts(contents(job, config, DAY, dict.fromkeys(Plan(config).spaces, 1000)))


def asked(parts: Parts, user: int, **more: Any) -> tuple[Assembled, ImpressionRequest]:
    request = ImpressionRequest(KnownItems(parts.meta), parts, Request((user,), **more))
    found = request.assembled()
    assert found is not None
    return found, request


def test_all_items_are_asked_at_once_in_the_order_asked_for(parts: Parts) -> None:
    found, _ = asked(parts, 2, items=(12, 10, 77), context={"place": 8})
    values = found.values
    assert found.items.offsets.tolist() == [0, 3]
    assert values["ad"][found.items.pair_item].tolist() == [12, 10, 77]
    assert values["kind"].tolist() == [MISSING_STR, "game", MISSING_STR]
    assert [values[name].tolist() for name in ("user", "county", "place")] == [[2], [70], [8]]
    assert values["clicked"][:, 0].tolist() == [11], "he took it on the day before"
    assert values["clicked_kinds"][:, 0].tolist() == ["book"]
    assert values["ad_count"].ravel().tolist() == [1, 2, 0]
    # Of four impressions two were taken; of the user's two one.
    np.testing.assert_allclose(values["user_rate"].ravel(), [(1 + 0.5) / (2 + 1)] * 3, rtol=1e-6)


def test_without_items_those_shown_of_late_are_the_candidates(parts: Parts) -> None:
    found, request = asked(parts, 1)
    assert found.values["ad"].tolist() == [10, 12]  # 11 was shown a day too early
    assert found.values["place"].tolist() == [MISSING_INT], "nobody said where they would be shown"
    assert request.note == ""


def test_of_a_user_whom_nobody_has_seen_nothing_is_known(parts: Parts) -> None:
    found, _ = asked(parts, 999, items=(10,))
    assert found.values["county"].tolist() == [MISSING_INT]
    assert found.values["clicked"].tolist() == [[PAD_INT] * 3]
    np.testing.assert_allclose(found.values["user_rate"].ravel(), [0.5], rtol=1e-6)


def test_where_nothing_was_shown_there_is_nothing_to_ask(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts._parts, "candidates", {"all": b"[]"})
    request = ImpressionRequest(KnownItems(parts.meta), parts, Request((1,)))
    assert request.assembled() is None
    assert request.note == "no item was shown in the last 1 days"


def test_vectors_are_served_as_they_were_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Day by day in the arrays of training, and asked of the release for the same user, items and context."""
    config = shows.with_vectors()
    job = shows.context(tmp_path, monkeypatch, config)
    pictures = pa.array([[0.1, -2.0, 3.0], None, [1e-3, 0.0, 7.0]])
    tastes = pa.array([[1.5, 2.5], None, [0.25, -1.0]], pa.list_(pa.float32()))
    ads = shows.ADS.append_column("picture", pictures)
    shows.write_undated(tmp_path, ads=ads, users=shows.USERS.append_column("taste", tastes))
    log = shows.log((1, 10, 1, 7, 2.5, []), (1, 11, 0, 8, 1.0, []), (2, 12, 0, 7, 1.0, []))
    for day, heard in ((DAY, [[0.5, 0.7], None, [2.0, 0.1]]), (DAY.next(), [[0.5, 0.7], [0.5, 0.7], [0.5, 0.7]])):
        shows.write_day(tmp_path, day, log.append_column("heard", pa.array(heard)))
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    built = job.store.current(Ref("features", job.job, DAY.next()))
    assert built is not None
    offline = day_arrays.read(built)
    parts = Parts(contents(job, config, DAY, dict.fromkeys(Plan(config).spaces, 1000)))
    found, request = asked(parts, 1, items=(10, 11), context={"heard": [0.5, 0.7]})
    served = model_inputs(parts.meta.plan.schema.features, found, request.look)
    nan = [np.nan] * 3
    np.testing.assert_array_equal(served["picture"][0], np.asarray([[0.1, -2.0, 3.0], nan], np.float32))
    for name, places, matrix, rows in (
        ("picture", offline.layout.item_dense, offline.item_dense, offline.pair_item[:2]),
        ("taste", offline.layout.request_dense, offline.request_dense, [0]),
        ("heard", offline.layout.request_dense, offline.request_dense, [0]),
    ):
        place = places[name]
        trained = np.asarray(matrix)[rows, place.start : place.stop]
        assert served[name].dtype == np.float32
        np.testing.assert_array_equal(served[name].reshape(trained.shape), trained)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (shows.with_ages(), "click_ages"), (shows.with_bags(), "likely"), (shows.with_bags(), "suited"),
        (shows.with_sessions(), "clicked"), (shows.with_sessions(least=2), "clicked"),
    ],
)
def test_steps_are_served_as_they_were_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig, name: str
) -> None:
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    clicks = [(1, 10, 1, 7, 2.5, []), (1, 11, 1, 7, 2.5, []), (1, 12, 1, 7, 1.0, [])]
    for day, rows in zip(DAY.through(DAY.plus(2)), (clicks[2:], clicks, clicks[:1]), strict=True):
        shows.write_day(tmp_path, day, shows.log(*rows))
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    built = job.store.current(Ref("features", job.job, DAY.plus(2)))
    assert built is not None
    offline, plan = day_arrays.read(built), Plan(config)
    parts = Parts(contents(job, config, DAY.plus(1), dict.fromkeys(plan.spaces, 1000)))
    found, request = asked(parts, 1, items=(10,))
    served = model_inputs(parts.meta.plan.schema.features, found, request.look)
    feature = plan.features[name].feature
    if feature.side is Side.PAIR:
        place = offline.layout.pair_dense[name]
        np.testing.assert_array_equal(served[name][0], np.asarray(offline.pair_dense)[:1, place.start : place.stop])
        assert served[name][0, 0, 0] > -9
        return
    if not feature.has_ids:
        place = offline.layout.request_dense[name]
        np.testing.assert_array_equal(served[name], np.asarray(offline.request_dense)[:1, place.start : place.stop])
        np.testing.assert_array_equal(served[name], [[1, 1, 1]])
        later, request = asked(parts, 1, items=(10,), day=DAY.plus(5))
        served = model_inputs(parts.meta.plan.schema.features, later, request.look)
        np.testing.assert_array_equal(served[name], [[4, 4, 4]])
        return
    place = offline.layout.request_ids[name]
    trained = IdMapStore.of(job).read("ad", "int").raw(np.asarray(offline.request_ids[:1])[:, place.start : place.stop])
    assert served[name].ravel().tolist() == trained.ravel().tolist()
    short = [] if config.features[name].sessions.least > 1 else [[12, PAD_INT]]
    assert served[name][0].tolist() == [*short, [11, 12], *[[PAD_INT] * 2] * (1 - len(short))]


def test_what_came_of_impressions_is_served_as_it_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of all steps, a history of some of them, and counters of values, of every user and ad."""
    config = shows.with_outcomes()
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    for day, answers in zip(DAY.through(DAY.plus(2)), ([4.0, 50.0, 7.0, 0.0, None], [2.5] * 5, [1e9] * 5), strict=True):
        shows.write_day(tmp_path, day, shows.LOG.append_column("answered", pa.array(answers)))
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    built = job.store.current(Ref("features", job.job, DAY.plus(2)))
    assert built is not None
    offline, plan = day_arrays.read(built), Plan(config)
    parts = Parts(contents(job, config, DAY.plus(1), dict.fromkeys(plan.spaces, 1000)))
    assert {"counters.user+=watched", "counters.ad+=long>0", "counters.user+kind+=long"} <= set(parts._parts)
    keys = day_arrays.keys(built)
    shown = keys["item.key"][np.asarray(offline.pair_item)]
    for at, (user, ad) in enumerate(zip(keys["request.user"].tolist(), shown.tolist(), strict=True)):
        found, request = asked(parts, user, items=(ad,))
        served = model_inputs(parts.meta.plan.schema.features, found, request.look)
        for name, space in (("clicked", "ad"), ("taken", "ad"), ("outcomes", "outcome")):
            place = offline.layout.request_ids[name]
            trained = np.asarray(offline.request_ids)[at, place.start : place.stop]
            raw = IdMapStore.of(job).read(space, plan.space_kind(space)).raw(trained)
            assert served[name].ravel().tolist() == raw.tolist()
        for name in ("user_watched", "ad_long", "user_kind_long"):
            place = offline.layout.pair_dense[name]
            trained = np.asarray(offline.pair_dense)[at, place.start : place.stop]
            np.testing.assert_array_equal(served[name].ravel(), trained)
            assert trained.any() or name != "ad_long"


@pytest.mark.parametrize("unit", ["second", "hour"])
def test_moments_are_served_as_they_were_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """What a request says of its own moment is read as a table's; a request that says nothing has unknown ages."""
    config = shows.with_moments(unit=unit)
    job = shows.context(tmp_path, monkeypatch, config)
    shows.write_undated(tmp_path)
    clicks = [(1, ad, 1, 7, 2.5, []) for ad in (10, 11, 12)]
    days = list(DAY.through(DAY.plus(1)))
    for day, rows, clock in zip(days, (clicks, clicks[:1]), (("08:00", "09:10", "09:20"), ("10:30",)), strict=True):
        shows.write_day(tmp_path, day, shows.at(shows.log(*rows), day, *clock))
        extract(job, day)
        validate(job, day)
        grow(job, day)
        build_day(job, day)
    built = job.store.current(Ref("features", job.job, days[1]))
    assert built is not None
    offline, plan = day_arrays.read(built), Plan(config)
    parts = Parts(contents(job, config, DAY, dict.fromkeys(plan.spaces, 1000)))
    place = offline.layout.request_dense["click_ages"]
    trained = np.asarray(offline.request_dense)[:, place.start : place.stop]
    scale = {"second": 3600, "hour": 1}[unit]
    np.testing.assert_allclose(trained, [[26.5 * scale, np.nan, (25 + 1 / 3) * scale, (25 + 1 / 6) * scale]], rtol=1e-6)
    # 10:30 in UTC, as a number, with its zone, and in the job's own.
    for said in (1709634600000, f"{days[1]}T10:30:00Z", f"{days[1]} 18:30:00"):
        found, request = asked(parts, 1, items=(10,), context={"at": said})
        served = model_inputs(parts.meta.plan.schema.features, found, request.look)
        np.testing.assert_array_equal(served["click_ages"], trained)
        assert served["clicked"].tolist() == [[[10, PAD_INT], [11, 12]]]
    found, request = asked(parts, 1, items=(10,))
    served = model_inputs(parts.meta.plan.schema.features, found, request.look)
    assert np.isnan(served["click_ages"]).all()
    with pytest.raises(UsageError, match="at: 'soon' is not a time"):
        asked(parts, 1, items=(10,), context={"at": "soon"})


def test_a_user_of_whom_nothing_is_known_is_named(parts: Parts) -> None:
    assert asked(parts, 2, items=(10,))[1].unknown == ""
    assert asked(parts, 999, items=(10,))[1].unknown == "user 999"
