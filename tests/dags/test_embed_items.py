"""Vectors of items that came or changed: a task of a day behind its release, and a DAG of its own between days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dayspring.settings import TWO_TOWERS, recalls
from pipeline.cli.main import parser
from pipeline.config import experiment

PROJECT = Path(__file__).resolve().parents[2]
FILE = """\"\"\"The Airflow DAGs of the job `recall`.\"\"\"

from dayspring.daily_dag import daily_dag, report_dag
from dayspring.embed_dag import embed_dag

dag = daily_dag("recall", "Which video would this user watch?")
report = report_dag("recall")
embed = embed_dag("recall")
"""


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("DAYSPRING_CONF", str(PROJECT / "examples" / "conf" / "recall"))
    (tmp_path / "recall_daily.py").write_text(FILE)
    bag = DagBag(dag_folder=str(tmp_path / "recall_daily.py"))
    assert bag.import_errors == {}
    found: dict[str, Any] = bag.dags
    return found


def test_between_days_one_command_looks_at_the_items_every_hour(dags: dict[str, Any]) -> None:
    dag = dags["recall_embed_items"]
    assert (dag.timetable.expression, dag.timetable.timezone, dag.catchup, dag.max_active_runs) == (
        "20 * * * *", "Asia/Shanghai", False, 1,
    )  # fmt: skip
    task = dag.task_dict["embed_items"]
    words = task.bash_command.partition(" -m pipeline ")[2].split()
    assert words == ["embed-items", "--job", "recall"]
    assert parser().parse_args(words).day is None, "the table as its source holds it now"
    assert (task.job, task.skip_on_exit_code, task.depends_on_past) == ("recall", [99], False)
    assert task.execution_timeout < timedelta(hours=1), "it has ended when the next one begins"


def test_a_day_gives_what_it_has_published_its_items(dags: dict[str, Any]) -> None:
    day = dags["recall_daily"].task_dict
    embedded = day["embed_items"]
    assert embedded.upstream_task_ids == {"publish"}
    assert embedded.downstream_task_ids == {"prune", "fail_run"}
    assert "stage embed_items --job recall --day " in embedded.bash_command
    assert day["prune"].upstream_task_ids == {"embed_items"}


def test_a_job_without_towers_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.daily_dag import daily_dag
    from dayspring.embed_dag import embed_dag

    monkeypatch.setenv("DAYSPRING_CONF", str(PROJECT / "conf"))
    assert "embed_items" not in daily_dag("ads", "Clicks").task_dict
    with pytest.raises(ValueError, match="job 'ads' has no experiment with two towers"):
        embed_dag("ads")


def test_data_that_has_ended_is_embedded_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    from dayspring.embed_dag import embed_dag

    monkeypatch.setenv("DAYSPRING_CONF", str(PROJECT / "examples" / "conf" / "recall"))
    monkeypatch.setenv("DAYSPRING_SCHEDULE_END", "2024-03-10")
    assert not embed_dag("recall").timetable.can_be_scheduled


def test_airflow_and_the_line_mean_the_same_models() -> None:
    assert TWO_TOWERS == experiment.TWO_TOWERS
    assert recalls({"experiments": {"a": None, "b": {"model": "dropoutnet"}}})
    assert not recalls({"experiments": {"a": None, "b": {"model": "din"}}})
