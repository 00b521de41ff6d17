"""The whole line of a few days at the production schema, and the online reader against the offline test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import yaml

from examples.school.__main__ import main as school
from examples.serving.client import Client, grpc_request, rest_body
from examples.serving.released.ready import Question
from pipeline.config.load import conf_folder
from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.release.control import promote, release_hold, rollback, served
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.request import Request
from pipeline.stages.line import Line
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.redis import embedded
from pipeline.training.loaded_trainers import Trainers
from tests.tiny import whole

pytestmark = pytest.mark.slow

FIRST = Day.of(2024, 2, 26)
LAST, HELD = FIRST.plus(2), FIRST.plus(3)


OVER = {"bag": "label_values", "context": "ad_location", "owner": "user"}
"""Of the bags of ads; the job `homework` has counters over its own."""


@dataclass
class Finished:
    """A job that published ``LAST`` and was tested on ``HELD``, which nothing published knows of."""

    context: JobContext
    reader: OnlineReader
    features: Artifact

    def offline(self) -> tuple[day_arrays.DayArrays, np.ndarray]:
        """The held day's arrays and the logits that the released checkpoint gives them."""
        pointer = self.reader.pointer
        checkpoint = self.context.store.load(pointer.checkpoint)
        assert checkpoint is not None
        arrays = day_arrays.read(self.features)
        return arrays, Trainers.of(self.context, pointer.experiment).trainer.at(checkpoint).scores(arrays)[:, 0]


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The production YAMLs with all there is, of small experiments; what is served is a blend: a net, counts, trees."""
    folder = tmp_path_factory.mktemp("conf")
    for job, model in (("homework", "pooled"), ("ads", "din")):
        settings = whole(conf_folder() / "quality" / f"{job}.yaml")
        small = {**settings["experiments"][model], "compile": "graph"}
        small["options"] = {**small.get("options", {}), "encoders": _read_by_age(job, settings["features"])}
        settings["experiments"] = {"pooled": small, "again": {**small, "learning_rate": 0.003}}
        settings["experiments"] |= {
            "counted": {"model": "popularity", "loss": small["loss"]},
            "trees": {"model": "gbdt" if job == "ads" else "lambdarank", "loss": small["loss"],
                      "options": {"trees": 5, "leaves": 4, "rows": 5}},
            "both": {"model": "blend", "options": {"of": ["pooled", "counted", "trees"], "weights": "fitted"}},
        }
        settings["release"] = {"champion": "both", "gate": {"calibration": [0, 1e9]} if job == "ads" else {}}
        if job == "homework":  # fitted on the first day
            settings["features"]["suits"]["collaborative"] |= {"factors": 4, "every": 1}
        else:  # what came of an exposure, which no request can know, as ids too; all measures
            small["pairwise"] = 0.5
            settings["impressions"]["history_parts"].append("row.exposure_duration")
            settings["spaces"]["seconds"] = "int"
            seconds = {"space": "seconds", "source": "history.row.exposure_duration", "buckets": [20, 40]}
            settings["values"]["part"] = {"column": "exposure_duration", "over": "window_otherad"}
            counters = {
                "ad_sum": {"key": ["ad"], "measure": "sum", "value": "looked", "transform": "log"},
                "hour_part": {"key": ["hour"], "measure": "share", "value": "part"},
            }
            settings["features"] |= {
                "seen_seconds": {**settings["features"]["seen_outcomes"], **seconds},
                **{name: {"kind": "dense", "side": "pair", "counter": each} for name, each in counters.items()},
                **_over_bags(**OVER),
            }
        (folder / f"{job}.yaml").write_text(yaml.safe_dump(settings))
    return folder


def _over_bags(**over: str) -> dict[str, Any]:
    """Counters over a bag, and how it suits who asks."""
    dense = {"kind": "dense", "side": "pair", "normalise": "zscore", "fixed_days": 1, "clip": 6}
    return {
        "likely": {**dense, "bag_counter": {**over, "own_recency": 3}},
        "likely_all": {**dense, "bag_counter": {"bag": over["bag"], "context": over["context"], "half_life": 14}},
        "overlap": {**dense, "bag_counter": {**over, "measure": "overlap"}},
        "suits": {**dense, "size": 2, "collaborative": {**over, "factors": 4, "every": 1}},
        "beside": {**dense, "size": 2, "collaborative": {**over, "method": "cosine", "neighbours": 3, "every": 1}},
        "trend": {**dense, "bag_counter": {"bag": over["bag"], "context": over["context"], "measure": "trend",
                                           "half_life": 3, "against": 9}},
    }


def _read_by_age(job: str, features: dict[str, Any]) -> dict[str, Any]:
    """Histories whose steps know their age, sessions and layouts of days, added to a job's; what reads them."""
    history = {"side": "request", "group": "aged"}
    if job == "ads":
        visits = {"kind": "sessions", "space": "ad", "source": "history.items", "steps": 4, **history}
        features |= {
            "visits": {**visits, "sessions": {"by": "gap", "gap_minutes": 60, "most": 3}},
            "ages": {"kind": "ages", "source": "history.age", "unit": "hour", **history},
        }
        return {"aged": {"type": "pooled", "half_life": 24.0}}
    lessons = {"kind": "sessions", "space": "section", "steps": 4, "sessions": {"most": 3, "least": 2}}
    features |= {
        "chapters_aged": {"kind": "bag_sequence", "space": "chapter", "source": "history.chapters", **history},
        "ages": {"kind": "ages", "source": "history.age", **history},
        "lessons": {**lessons, "source": "history.sections", **history, "group": "lesson"},
    }
    return {
        "aged": {"type": "pooled", "half_life": 2.0, "layout": "packed"},
        "day": {"type": "pooled", "pooling": "last", "layout": "stacked"},
        "lesson": {"type": "pooled", "within": "last"},
    }


def _finished(job: str, conf: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Finished:
    target = f"sqlite:///{root}/homework.db" if job == "homework" else f"parquet:{root}/ads"
    monkeypatch.setenv(f"DAYSPRING_{job.upper()}_URL", target)
    for name in ("DAYSPRING_REDIS_URL", "DAYSPRING_RELEASE_URL"):
        monkeypatch.delenv(name, raising=False)
    size = ["--days", "4", "--teachers", "150", "--users", "60", "--ads", "40", "--impressions-per-day", "250"]
    assert school(["--target", target, "--from", str(FIRST), "--seed", "5", *size]) == 0
    context = JobContext.open(job, root=root, conf=conf)
    names = list(context.config.experiments)
    assert Line(context, names, publish="each").run(FIRST, LAST)
    assert Line(context, names, publish="none").run(HELD, HELD)
    features = context.store.current(Ref("features", job, HELD))
    assert features is not None
    return Finished(context, OnlineReader.open(context), features)


@pytest.fixture(scope="module")
def homework(conf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    root = tmp_path_factory.mktemp("homework")
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _finished("homework", conf, root, monkeypatch)
    embedded.stop(root)


@pytest.fixture(scope="module")
def ads(conf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    root = tmp_path_factory.mktemp("ads")
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _finished("ads", conf, root, monkeypatch)
    embedded.stop(root)


def test_two_hundred_homework_requests_score_and_rank_as_in_the_offline_test(homework: Finished) -> None:
    arrays, logits = homework.offline()
    keys, place = day_arrays.keys(homework.features), day_arrays.key_rank(homework.features)
    ranking = homework.context.config.ranking
    assert ranking is not None
    rows = _first_rows(homework.context, ranking.rows, list(ranking.owner), ["edition_id", "grade", "term"])
    empty = 0
    assert arrays.requests >= 200
    for request in range(arrays.requests):
        owner = tuple(keys[f"request.{name}"][request] for name in ranking.owner)
        ends = keys["request.chapters.offsets"]
        chapters = tuple(keys["request.chapters"][ends[request] : ends[request + 1]])
        found = homework.reader.score(Request(owner, chapters, rows[owner], day=HELD))
        pairs = slice(arrays.offsets[request], arrays.offsets[request + 1])
        item = arrays.pair_item[pairs]
        order = np.lexsort((place[item], -logits[pairs]))
        assert found.keys == keys["item.key"][item][order].tolist()
        np.testing.assert_allclose(found.logits, logits[pairs][order], rtol=0, atol=1e-5)
        empty += homework.reader.recommend(owner).note.startswith("no homework day is known")
    assert 0 < empty < arrays.requests  # owners with and without a history are among them


def test_two_hundred_impressions_score_as_in_the_offline_test(ads: Finished) -> None:
    arrays, logits = ads.offline()
    settings = ads.context.config.impressions
    tables = DayTables.on(ads.context, HELD)
    assert settings is not None
    assert tables is not None
    table = tables(settings.rows)
    assert arrays.requests == table.num_rows
    assert table.num_rows >= 200
    for at, row in enumerate(table.to_pylist()):
        user, item = row.pop(settings.user), row.pop(settings.item)
        found = ads.reader.score(Request((user,), context=row, items=(item,), day=HELD))
        assert found.keys == [item]
        np.testing.assert_allclose(found.logits, logits[at : at + 1], rtol=0, atol=1e-5)


def test_a_client_of_redis_and_tensorflow_alone_answers_for_homework_as_the_reader(homework: Finished) -> None:
    keys = day_arrays.keys(homework.features)
    owners = [*zip(keys["request.teacher_id"].tolist(), keys["request.class_id"].tolist(), strict=True)]
    ends = keys["request.chapters.offsets"]
    asked = [Request(owner, tuple(keys["request.chapters"][ends[at] : ends[at + 1]].tolist()), {"grade": 3 + at % 3})
             for at, owner in enumerate(owners[:40])]  # fmt: skip
    asked += [Request(owner, day=HELD.plus(2)) for owner in owners[:40]]
    _same_answers(homework, asked)


def test_a_client_of_redis_and_tensorflow_alone_answers_for_impressions_as_the_reader(ads: Finished) -> None:
    tables = DayTables.on(ads.context, HELD)
    assert tables is not None
    rows = [row | {"log_time": row["log_time"].isoformat()} for row in tables("impressions").to_pylist()[:40]]
    asked = [Request((row["user_id"],), context=row, items=(row["ad_id"],)) for row in rows]
    _same_answers(ads, [*asked, *(Request((row["user_id"],)) for row in rows), Request((999999999,))])


def _same_answers(job: Finished, asked: list[Request]) -> None:
    """The client's answers are the reader's, and its model's to the bit those of what TensorFlow Serving is asked."""
    name = job.context.job
    client = Client(job.reader._client, job.context.root / "published" / name / "models", f"dayspring:{name}")
    answered = 0
    for request in asked:
        found = job.reader.score(request)
        day = str(request.day) if request.day is not None else None
        question = Question(request.owner, request.chapters, request.context, request.items, day)
        answer = client.ask(question)
        assert (answer.release_id, sorted(answer.keys)) == (found.release_id, sorted(found.keys))
        for mine, theirs in ((answer.logits, found.logits), (answer.probabilities, found.probabilities)):
            by_key = dict(zip(answer.keys, mine.tolist(), strict=True))
            np.testing.assert_allclose([by_key[key] for key in found.keys], theirs, rtol=0, atol=1e-6)
        assert (np.diff(answer.logits) <= 0).all()
        answered += bool(answer.keys)
    assert answered > len(asked) / 3
    release, keys, inputs = client.asked(question)
    assert keys
    logits, probabilities = client.model.score(inputs)
    sent = grpc_request(name, release.pointer["version"], inputs, client.model.types)
    assert (sent.model_spec.name, sent.model_spec.version.value) == (name, release.pointer["version"])
    body = json.loads(rest_body(inputs))["inputs"]
    by_rest = {each: np.asarray(values, inputs[each].dtype) for each, values in body.items()}
    for received in ({each: tf.make_ndarray(values) for each, values in sent.inputs.items()}, by_rest):
        assert {each: values.shape for each, values in received.items()} == {e: v.shape for e, v in inputs.items()}
        again = client.model.score(received)
        np.testing.assert_array_equal(again, (logits, probabilities))


def _first_rows(context: JobContext, table: str, owner: list[str], names: list[str]) -> dict[tuple[Any, ...], Any]:
    """The columns of each owner's first row of the held day: what its request carries."""
    tables = DayTables.on(context, HELD)
    assert tables is not None
    rows: dict[tuple[Any, ...], Any] = {}
    for row in tables(table).to_pylist():
        rows.setdefault(tuple(row[name] for name in owner), {name: row[name] for name in names})
    return rows


def test_a_recommendation_needs_nothing_but_the_owner(homework: Finished, ads: Finished) -> None:
    keys = day_arrays.keys(homework.features)
    owners = zip(keys["request.teacher_id"].tolist(), keys["request.class_id"].tolist(), strict=True)
    answers = (homework.reader.recommend((str(teacher), f" {class_} ")) for teacher, class_ in owners)
    known = next(answer for answer in answers if answer.top)
    assert known.note.startswith("chapters of 2024-02-2")
    assert len(known.top) == 5
    assert known.candidates >= 5
    scores = [score for _, score in known.top]
    assert scores == sorted(scores, reverse=True)
    new = ads.reader.recommend(("999999999",), top=3)  # nobody knows this user
    assert len(new.top) == 3
    assert [each["key"] for each in new.as_dict()["top"]] == [key for key, _ in new.top]


def test_what_was_given_wrongly_is_named(homework: Finished, ads: Finished) -> None:
    with pytest.raises(UsageError, match="user_id: 'x' is not a whole number"):
        ads.reader.recommend(("x",))
    with pytest.raises(UsageError, match="teacher_id, class_id; 1 ids were given"):
        homework.reader.recommend(("1",))
    with pytest.raises(UsageError, match=f"stands at the end of {LAST}"):
        ads.reader.recommend(("1",), day=LAST)


def test_every_release_was_checked_and_recorded(ads: Finished) -> None:
    store = ads.context.store
    releases = [store.current(Ref("release", "ads", day)) for day in FIRST.through(LAST)]
    assert [each.manifest.state for each in releases if each is not None] == ["skipped", "done", "done"]
    for day in FIRST.through(HELD):
        for name in ads.context.config.experiments:
            check = store.current(Ref("check", "ads", day, name))
            assert check is not None
            assert check.manifest.extra["verdict"] == "ok", check.manifest.extra["reasons"]
            assert check.manifest.extra["figures"]["importable"] == []
    published = store.current(Ref("publish", "ads", LAST))
    assert published is not None
    assert published.manifest.extra["status"] == "published"
    pointer = ads.reader.pointer
    assert pointer.checkpoint == f"checkpoint/ads/{pointer.experiment}/day={FIRST.next()}/gen=0001"


def test_roll_back_hold_promote(ads: Finished) -> None:
    from pipeline.release.build import build_release
    from pipeline.release.control import publish_release

    context = ads.context
    newest = ads.reader.pointer
    item = ads.reader.recommend((1,), top=1)
    assert "held until" in rollback(context)
    assert ads.reader.pointer.release_id == newest.previous
    at_once = ads.reader.recommend((1,), top=1)
    assert at_once == item, "who asks just after a switch does not wait for the other release"
    ads.reader.refresh()
    assert ads.reader.recommend((1,), top=1).release_id == newest.previous
    build_release(context, HELD)
    held = publish_release(context, HELD)
    assert held is not None
    assert held.manifest.extra["status"] == "held"
    now = served(context)
    assert now is not None
    assert now["hold"] is not None
    assert ads.reader.pointer.release_id == newest.previous

    assert "champion is now again" in promote(context, "again")
    assert ads.reader.pointer.experiment == "again"
    assert ads.reader.pointer.day == HELD
    assert release_hold(context) == "nothing was held"
    repeated = build_release(context, HELD)
    assert repeated is not None
    assert repeated.manifest.extra["release_id"] == ads.reader.pointer.release_id
    ads.reader.refresh()
    assert ads.reader.recommend((1,), top=1).release_id != item.release_id
    with pytest.raises(UsageError, match="is not an experiment"):
        promote(context, "nobody")


def test_without_its_model_it_says_what_to_do(homework: Finished) -> None:
    version = homework.reader.pointer.version
    folder = homework.context.root / "published" / "homework" / "models" / str(version)
    (folder / "saved_model.pb").rename(folder / "gone")
    try:
        keys = day_arrays.keys(homework.features)
        owner = keys["request.teacher_id"][0], keys["request.class_id"][0]
        chapters = keys["request.chapters"][:1]
        with pytest.raises(DayspringError, match=r"saved_model\.pb is missing; .*stage publish --job homework"):
            OnlineReader.open(homework.context).score(Request(owner, tuple(chapters)))
    finally:
        (folder / "gone").rename(folder / "saved_model.pb")
