"""The shape of the DAGs: what Airflow would make of the files in dags/."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
JOBS = ("homework", "ads")
# The page's modules are loaded by the API server alone.
WIRING = sorted(
    path
    for path in (*(PROJECT / "dags").glob("*.py"), *(PROJECT / "plugins").rglob("*.py"))
    if path.parent.name != "page"
)
LIGHT = {"pipeline.days", "pipeline.errors"}  # of the standard library alone
HEAVY = {"tensorflow", "keras", "pandas", "pyarrow", "numpy", "sqlalchemy", "models", "pipeline"}


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(PROJECT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture(params=JOBS)
def job(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dag(dags: dict[str, Any], job: str) -> Any:
    return dags[f"{job}_daily"]


def experiments(job: str) -> list[str]:
    return list(yaml.safe_load((PROJECT / "conf" / f"{job}.yaml").read_text(encoding="utf-8"))["experiments"])


def test_the_only_dags_are_the_jobs(dags: dict[str, Any]) -> None:
    assert {f"{job}_{kind}" for job in JOBS for kind in ("daily", "report")} <= set(dags)


def test_what_follows_a_day_is_started_by_its_asset_and_not_by_hand(dags: dict[str, Any], job: str) -> None:
    report = dags[f"{job}_report"]
    assert [asset.name for asset in report.timetable.asset_condition.objects] == [f"{job}_measures"]
    assert report.is_paused_upon_creation is False
    assert report.max_active_runs == 1
    assert list(report.task_dict) == ["alerts"]


def test_a_run_starts_at_the_end_of_the_day_in_the_jobs_zone_and_gaps_are_backfilled_by_hand(dag: Any) -> None:
    assert dag.timetable.zone == "Asia/Shanghai"
    assert dag.catchup is False
    assert dag.max_active_runs >= 16
    assert str(dag.start_date) == "2009-01-01 00:00:00+00:00"


def test_one_training_task_for_each_experiment_of_the_yaml(dag: Any, job: str) -> None:
    assert {task for task in dag.task_dict if task.startswith("train_")} == {f"train_{e}" for e in experiments(job)}


def test_training_is_serial_in_day_order_and_bounded(dag: Any, job: str) -> None:
    for name in experiments(job):
        task = dag.task_dict[f"train_{name}"]
        assert task.depends_on_past
        assert task.pool == "train"
        assert task.retries >= 1
        assert task.execution_timeout > timedelta()
        assert task.trigger_rule == "all_success"  # a skip is decided inside it, or the chain of days breaks


def test_what_grows_runs_in_day_order(dag: Any) -> None:
    in_order = {name for name, task in dag.task_dict.items() if task.depends_on_past}
    assert {"update_id_maps", "build_features"} <= in_order
    assert not {"wait_for_day", "extract", "validate"} & in_order


def test_nothing_before_an_experiment_may_turn_exit_99_into_skipped(dag: Any) -> None:
    for name, task in dag.task_dict.items():
        if hasattr(task, "bash_command"):
            assert (99 in task.skip_on_exit_code) is (name.startswith("train_") or name == "release"), name


def test_every_stage_gets_its_day_from_the_logical_date(dag: Any, job: str) -> None:
    stages = [task for task in dag.task_dict.values() if hasattr(task, "bash_command")]
    assert len(stages) == 9 + len(experiments(job))
    for task in stages:
        assert f"--job {job} --day {{{{ task.day(logical_date | default(none)) }}}}" in task.bash_command
        for day, date in (
            ("2024-02-27", datetime(2024, 2, 27, tzinfo=UTC)),
            ("2024-02-27", datetime(2024, 2, 26, 16, tzinfo=UTC)),  # 00:00 in Shanghai
            ("", datetime(2024, 2, 27, 10, tzinfo=UTC)),
            ("", None),
        ):
            assert task.day(date) == day


def test_every_process_is_retried_with_back_off_and_timed_out(dag: Any) -> None:
    for task in dag.task_dict.values():
        if hasattr(task, "bash_command"):
            assert task.retries >= 1
            assert task.retry_exponential_backoff
            assert task.execution_timeout is not None


def test_a_job_of_another_kind_is_wired_by_its_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_CONF", str(PROJECT / "examples" / "conf"))
    from dayspring.daily_dag import daily_dag, report_dag

    rows, report = daily_dag("criteo", "Labelled rows"), report_dag("criteo")
    assert (rows.dag_id, report.dag_id) == ("criteo_daily", "criteo_report")
    from pipeline.config.load import load_job

    trained = [f"train_{name}" for name in load_job("criteo", PROJECT / "examples" / "conf").experiments]
    assert [name for name in rows.task_dict if name.startswith("train_")] == trained
    assert downstream(rows, "build_features") == sorted(trained)
    assert downstream(rows, "release") == ["publish"]
    assert "stage extract --job criteo" in rows.task_dict["extract"].bash_command


def test_the_line_of_a_day(dag: Any, job: str) -> None:
    trained = [f"train_{name}" for name in experiments(job)]
    joins = ["any_trained", "all_ended"]
    assert downstream(dag, "wait_for_day") == ["extract"]
    assert downstream(dag, "extract") == ["validate"]
    assert downstream(dag, "validate") == ["update_id_maps"]
    assert downstream(dag, "update_id_maps") == ["build_features"]
    assert downstream(dag, "build_features") == sorted(trained)
    for name in trained:
        assert downstream(dag, name) == sorted(joins)
    assert downstream(dag, "any_trained") == ["check", "release"]
    assert downstream(dag, "all_ended") == ["check"]
    assert downstream(dag, "check") == ["release"]
    assert downstream(dag, "release") == ["publish"]
    assert downstream(dag, "publish") == ["prune"]
    assert downstream(dag, "prune") == ["report"]


def downstream(dag: Any, task: str) -> list[str]:
    return sorted(dag.task_dict[task].downstream_task_ids - {"fail_run"})


def test_trigger_rules(dag: Any) -> None:
    every = {name: task.trigger_rule.value for name, task in dag.task_dict.items()}
    rules = {name: rule for name, rule in every.items() if rule != "all_success"}
    assert rules == {
        "any_trained": "one_success",
        "all_ended": "all_done",
        "release": "all_done_min_one_success",
        "report": "all_done",
        "fail_run": "one_failed",
    }


def test_anything_that_fails_makes_the_run_red(dag: Any) -> None:
    watched = dag.task_dict["fail_run"].upstream_task_ids
    assert watched == set(dag.task_dict) - {"fail_run", "any_trained", "all_ended"}


def test_the_report_carries_the_measures_as_an_asset_event(dag: Any, job: str) -> None:
    assert [asset.name for asset in dag.task_dict["report"].outlets] == [f"{job}_measures"]


def test_wiring_only(job: str) -> None:
    for path in (PROJECT / "dags" / f"{job}_daily.py",):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 100


@pytest.mark.parametrize("path", WIRING, ids=lambda path: path.name)
def test_nothing_heavy_at_top_level(path: Path) -> None:
    imported = set(top_level_imports(ast.parse(path.read_text(encoding="utf-8")))) - LIGHT
    assert not {name.split(".")[0] for name in imported} & HEAVY


def top_level_imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_parsing_loads_no_tensorflow_and_no_pandas() -> None:
    program = (
        "import sys; sys.path[:0] = ['dags', 'plugins']; import homework_daily, ads_daily; "
        "print(sorted({'tensorflow', 'keras', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_a_yaml_without_experiments_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.daily_dag import daily_dag

    (tmp_path / "ads.yaml").write_text("job: ads\n", encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    with pytest.raises(ValueError, match=r"ads\.yaml: experiments: declare at least one"):
        daily_dag("ads", "")


def test_a_blend_waits_for_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails with one of them, and runs where one was left out of the run."""
    from dayspring.daily_dag import daily_dag

    text = (PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")
    text = text.replace("experiments:\n", "experiments:\n  both: {model: blend, options: {of: [din, pooled]}}\n", 1)
    (tmp_path / "ads.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    tasks = daily_dag("ads", "").task_dict
    assert tasks["train_both"].upstream_task_ids == {"build_features", "train_din", "train_pooled"}
    assert tasks["train_both"].trigger_rule.value == "none_failed"
    assert tasks["train_din"].trigger_rule.value == "all_success"


def test_experiments_of_a_grid_stand_in_a_group_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.daily_dag import daily_dag

    text = (PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")
    # As the line reads it: to Airflow's reader 1e-3 is text, to the line a number, and the name is of what is written.
    grid = "grids: {rate: {axes: {model: [pooled, din], learning_rate: [1e-3, 0.01]}, name: '{model}_{learning_rate}'}}"
    (tmp_path / "ads.yaml").write_text(f"{text}\n{grid}\n", encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    dag = daily_dag("ads", "")
    groups = dag.task_group.get_task_group_dict()
    names = ["pooled_1e_3", "pooled_0_01", "din_1e_3", "din_0_01"]
    assert sorted(groups["grid_rate"].children) == sorted(f"train_{name}" for name in names)
    assert {"train_pooled", "train_din", "grid_rate"} == set(groups["experiments"].children)
    assert dag.params["experiments"] == [*experiments("ads"), *names]
    assert dag.task_dict["train_din_0_01"].downstream_task_ids == dag.task_dict["train_din"].downstream_task_ids
    (tmp_path / "ads.yaml").write_text(f"{text}\ngrids: {{rate: {{axes: {{}}}}}}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"ads\.yaml: grids\.rate\.axes: a grid has none"):
        daily_dag("ads", "")


def test_a_job_on_top_of_another_has_the_experiments_zone_and_deadline_of_both(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from dayspring.daily_dag import daily_dag

    base = PROJECT / "conf" / "ads.yaml"
    (tmp_path / "ads.yaml").write_text(f"extends: {base}\ntimezone: Europe/Berlin\n", encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    dag = daily_dag("ads", "")
    assert {f"train_{name}" for name in yaml.safe_load(base.read_text(encoding="utf-8"))["experiments"]} == {
        task for task in dag.task_dict if task.startswith("train_")
    }
    (deadline,) = dag.deadline
    assert (deadline.reference.by, deadline.reference.zone) == ("04:00", "Europe/Berlin")
    (tmp_path / "ads.yaml").write_text("extends: none.yaml\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"ads\.yaml: extends: 'none\.yaml' is no file"):
        daily_dag("ads", "")


def test_a_time_of_release_of_the_yaml_becomes_the_dags_deadline(tmp_path: Path, monkeypatch: Any) -> None:
    from dayspring.daily_dag import daily_dag

    def deadlines(**changes: Any) -> list[Any]:
        settings = yaml.safe_load((PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8"))
        settings["release"] |= changes.pop("release", {})
        (tmp_path / "ads.yaml").write_text(yaml.safe_dump(settings | changes), encoding="utf-8")
        return list(daily_dag("ads", "").deadline or [])

    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    held = {"delay_days": 3, "until_then": "hold"}
    (shipped,), (edited,) = deadlines(), deadlines(timezone="America/New_York", release={"by": "05:30"}, labels=held)
    for deadline, by, zone, days in ((shipped, "04:00", "Asia/Shanghai", 0), (edited, "05:30", "America/New_York", 3)):
        assert (deadline.reference.by, deadline.reference.zone, deadline.reference.held_days) == (by, zone, days)
        assert deadline.interval == timedelta()
        assert deadline.callback.path == "dayspring.deadlines.release_is_late"
    assert deadlines(release={"by": None}) == []
    with pytest.raises(ValueError, match=r"release\.by: '240' is no time of the day"):  # 04:00 without its quotes
        deadlines(release={"by": 240})
    settings = yaml.safe_load((tmp_path / "ads.yaml").read_text(encoding="utf-8"))
    del settings["release"]["by"]
    (tmp_path / "ads.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert not daily_dag("ads", "").deadline


def test_a_day_is_waited_for_until_its_deadline_however_late_that_is(tmp_path: Path, monkeypatch: Any) -> None:
    from dayspring.daily_dag import daily_dag

    settings = yaml.safe_load((PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8"))
    settings |= {"deadline_hours": 90, "labels": {"delay_days": 2, "until_then": "hold"}}
    settings["release"].pop("by")
    (tmp_path / "ads.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    assert daily_dag("ads", "").task_dict["wait_for_day"].patience >= timedelta(days=2, hours=90)


@pytest.mark.parametrize(("hours", "days"), [("3e0", "2e0"), ("'3'", "2"), ("0x3", "0x2")])
def test_numbers_that_config_check_takes_are_numbers_here_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: str, days: str
) -> None:
    from dayspring.daily_dag import PATIENCE, daily_dag
    from pipeline.config.load import load_job

    text = (PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")
    text = text.replace("deadline_hours: 3", f"deadline_hours: {hours}")
    (tmp_path / "ads.yaml").write_text(
        f"{text}\nlabels: {{delay_days: {days}, until_then: hold}}\n", encoding="utf-8"
    )
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    config = load_job("ads")
    assert config.labels is not None
    assert (config.deadline_hours, config.labels.delay_days) == (3, 2)
    assert daily_dag("ads", "").task_dict["wait_for_day"].patience == PATIENCE + timedelta(days=2, hours=3)


@pytest.mark.parametrize("zone", ["Asia/Shangai", "Asia"])
def test_a_zone_that_is_none_is_named(zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.daily_dag import daily_dag

    (tmp_path / "ads.yaml").write_text(f"timezone: {zone}\nexperiments: {{din: {{}}}}\n", encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(tmp_path))
    with pytest.raises(ValueError, match=f"timezone: '{zone}' is not a time zone"):
        daily_dag("ads", "")


def test_the_schedule_can_end_with_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.daily_dag import daily_dag

    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2024-03-10")
    assert str(daily_dag("ads", "").end_date) == "2024-03-10 00:00:00+00:00"
