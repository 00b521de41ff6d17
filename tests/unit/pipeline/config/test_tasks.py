"""Tasks in a job's YAML: what they change, and what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.schema import ONLY
from models.tasks import Score, Task
from pipeline.config.load import parse_job
from pipeline.config.tasks import Late
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from tests.unit.pipeline.config.edited import ROOT, edited, error
from tests.unit.pipeline.config.two_tasks import ADS, JOINT, LABEL, TWO, two


def test_a_job_without_tasks_has_the_one_that_its_experiments_say() -> None:
    job = parse_job(ADS, Path("ads.yaml"))
    assert job.tasks_of("din") == (Task(ONLY, "binary"),)
    assert (job.task_names, job.primary) == ((ONLY,), "auc")


def test_an_experiment_is_asked_all_tasks_or_some() -> None:
    text = two(experiments__din__tasks=["long_view"], release__champion="pooled")
    job = parse_job(text, Path("ads.yaml"))
    assert job.tasks_of("pooled") == (Task("click", "binary", 1.0), Task("long_view", "binary", 0.5, "click"))
    assert job.tasks_of("din") == (Task("long_view", "binary", 0.5),)
    assert job.primary == "click/auc"
    assert parse_job(two(measures={"primary": "long_view/gauc"}), Path("ads.yaml")).primary == "long_view/gauc"


def test_tasks_change_what_is_trained_and_no_tasks_change_nothing() -> None:
    plain, both = parse_job(ADS, Path("ads.yaml")), parse_job(two(), Path("ads.yaml"))
    heavier = parse_job(
        two(tasks={**TWO, "long_view": {**TWO["long_view"], "weight": 2.0}}), Path("ads.yaml")
    )  # fmt: skip
    for stage in ("build_features", "update_id_maps"):
        assert plain.stage_settings(stage) != both.stage_settings(stage)
    assert both.stage_settings("train", "pooled") != heavier.stage_settings("train", "pooled")
    assert "tasks" not in plain.model_dump(mode="json")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks__click__label": "nope"}, "tasks.click.label: 'nope' is no column of the table 'impressions'"),
        ({"tasks__long_view__label": "tab"}, "tasks.long_view.label: tables.impressions.columns.tab must be declared"),
        ({"tasks__long_view__given": "views"}, "tasks.long_view.given: 'views' is no task that stands before it; one "
         "of click"),
        ({"tasks__click__given": "long_view"}, "tasks.click.given: 'long_view' is no task that stands before it; the "
         "first task is given none"),
        ({"tasks__long_view__label": "is_click"}, "tasks.click.label: 'is_click' is the label of another task too"),
        ({"tasks": {"long_view": {"label": "long_view"}, "click": {"label": "is_click"}}},
         "tasks.long_view.label: the first task is of 'is_click'"),
        ({"tasks__click__weight": 0}, "tasks.click.weight"),
        ({"tasks__click__loss": "softmax"}, "tasks.click.loss"),
        ({"tasks__Click": {"label": "is_click"}}, "tasks: 'Click' must be lower-case"),
        ({"experiments__din__loss": "binary"}, "experiments.din.loss: the job's `tasks` have losses of their own"),
        ({"experiments__din__tasks": ["views"]}, "experiments.din.tasks: ['views']; the job's tasks: click, long_view"),
        ({"experiments__din__tasks": ["click", "click"]}, "experiments.din.tasks: click stands twice"),
        ({"experiments__din__tasks": ["long_view"], "release__champion": "din"},
         "release.champion: 'din' does not learn 'click' (the first of `tasks`, which ranks)"),
        ({"experiments__din__tasks": ["click"], "measures": {"primary": "long_view/auc"}},
         "release.champion: 'din' does not learn 'long_view' (measures.primary)"),
        ({"experiments__din__tasks": ["click"], "release__gate__floors": {"long_view/auc": 0.5}},
         "release.champion: 'din' does not learn 'long_view' (release.gate.floors)"),
        ({f"experiments__{name}__tasks": ["click"] for name in ("din", "pooled", "popularity")},
         "tasks.long_view: no experiment learns it"),
        ({"release__gate__margins": {"auc": 0.01}}, "release.gate.margins: 'auc' is no measure of this job; one of "
         "click/auc"),
    ],
)  # fmt: skip
def test_tasks_that_cannot_be_are_told(changes: dict[str, object], said: str) -> None:
    assert said in error(two(**changes))


def test_what_several_tasks_come_to_and_the_score_are_measured_by_their_names() -> None:
    job = parse_job(two(**JOINT, experiments__din__tasks=["click"], release__champion="pooled"), Path("ads.yaml"))
    assert job.joints == {"both": ("click", "long_view"), "score": ("click", "long_view")}
    assert job.judged_of("pooled") == ("click", "long_view", "both", "score")
    assert (job.judged_of("din"), job.powers_of("din")) == (("click",), {})
    assert job.tasks_of("pooled")[1] == Task("long_view", "binary", 0.5, "click", "both")
    assert job.primary == "score/auc"
    assert {"both/calibration", "score/gauc"} <= set(job.known_measures)
    assert "score/log_loss" not in job.known_measures


def test_a_score_changes_what_is_exported_and_judged_and_what_is_trained_by_it_alone() -> None:
    plain, scored = (parse_job(two(**more), Path("ads.yaml")) for more in ({}, {"score": {"click": 1}}))
    learnt = parse_job(two(score={"click": 1}, experiments__din__score_loss=0.1), Path("ads.yaml"))
    for stage in ("export", "test", "gate"):
        name = "din" if stage == "export" else None
        assert plain.stage_settings(stage, name) != scored.stage_settings(stage, name)
    assert plain.stage_settings("train", "din") == scored.stage_settings("train", "din")
    assert learnt.stage_settings("train", "din") != scored.stage_settings("train", "din")
    assert learnt.score_of("din") == Score({"click": 1}, 0.1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks__click__joint": "both"}, "tasks.click.joint: the task is `given` none, so it is alone"),
        ({"tasks__long_view__joint": "click"}, "tasks.long_view.joint: 'click' is called something else already"),
        ({"tasks__long_view__joint": "score"}, "tasks.long_view.joint: 'score' is called something else already"),
        ({"tasks__long_view__joint": "Both"}, "'Both' must be lower-case"),
        ({"score": {"view": 1}}, "score.view: is no task; the job's tasks: click, long_view"),
        ({"score": {"click": 0}}, "score.click: 0 is no power above 0; leave out what does not count"),
        ({"experiments__din__score_loss": 0.1}, "experiments.din.score_loss: there is no score that it learns; declare "
         "one: `score: {task: power}`"),
        ({**JOINT, "experiments__din__tasks": ["click"], "experiments__din__score_loss": 0.1},
         "experiments.din.score_loss: there is no score that it learns; add the tasks of it"),
        ({**JOINT, "experiments__din__tasks": ["click"]},
         "release.champion: 'din' does not learn 'score' (`score`, which ranks)"),
        ({**JOINT, "release__gate__floors": {"score/log_loss": 0.5}}, "'score/log_loss' is no measure of this job"),
    ],
)  # fmt: skip
def test_scores_and_names_that_cannot_be_are_told(changes: dict[str, object], said: str) -> None:
    assert said in error(two(**changes))


LATE = {"wait_days": 3}


def test_late_labels_change_digests_of_jobs_that_have_some_alone() -> None:
    plain = parse_job(two(), Path("ads.yaml"))
    assert "late" not in plain.model_dump(mode="json")["tasks"]["long_view"]
    job = parse_job(two(tasks__long_view__late=LATE, labels={"delay_days": 3}), Path("ads.yaml"))
    assert job.tasks["long_view"].late == Late(wait_days=3)
    assert Late(arrived=(0.5, 0.8)).counts_as(1) == 2.0
    assert Late(arrived=(0.5, 0.8)).counts_as(3) == 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks__long_view__late": LATE}, "tasks.long_view.late.wait_days: after 3 days the labels have to have been "
         "read again; declare `labels: {delay_days: 3, until_then: train}`"),
        ({"tasks__long_view__late": LATE, "labels": {"delay_days": 4}}, "or fewer days"),
        ({"tasks__long_view__late": LATE, "labels": {"delay_days": 3, "until_then": "hold"}}, "until_then: train"),
        ({"tasks__long_view__late": {}}, "tasks.long_view.late: says nothing; give it `wait_days` or `arrived`"),
        ({"tasks__long_view__late": {"arrived": [0.8, 0.5]}}, "are no shares above 0 and up to 1 that grow"),
        ({"tasks__long_view__late": {"arrived": [0.0]}}, "are no shares above 0 and up to 1 that grow"),
    ],
)  # fmt: skip
def test_late_labels_that_cannot_be_are_told(changes: dict[str, object], said: str) -> None:
    assert said in error(two(**changes))


def test_a_job_without_tasks_needs_a_loss_and_has_no_tasks_to_choose() -> None:
    assert "experiments.din.loss: is missing; write `binary` or `softmax`" in error(
        edited(ADS, experiments__din__loss=None)
    )
    assert "experiments.din.tasks: ['click']; the job's tasks: none" in error(
        edited(ADS, experiments__din__tasks=["click"])
    )


def test_a_label_of_a_task_is_no_input_of_its_row() -> None:
    plain = {**LABEL, "change": "static"}
    feature = {"kind": "categorical", "side": "request", "space": "tab", "source": "row.long_view"}
    job = parse_job(
        two(tables__impressions__columns__long_view=plain, features__watched=feature), Path("ads.yaml")
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"features\.watched.* is the label"):
        Plan(job)


def test_homework_takes_no_tasks() -> None:
    text = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert "tasks: is for rows whose columns hold labels" in error(edited(text, tasks={"a": {"label": "tag"}}))


def test_a_ranking_has_no_tasks_and_that_is_said_before_what_its_measures_would_be_called() -> None:
    homework = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    assert "tasks: is for rows whose columns hold labels" in error(edited(homework, tasks={"set": {"label": "cnt"}}))
