"""A day through Celery: tasks reach two workers by a real Redis, each what it is for, and make the same bits."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ops import airflow
from ops.backfill import Range, backfill
from ops.deployment import Deployment
from ops.processes import alive
from ops.rest import Api
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT
from tests.scheduled import SLOW_LOOPS, write_dags
from tests.tiny import FIRST, Place, copy_of

DAY = Range("ads", date.fromisoformat(str(FIRST)), date.fromisoformat(str(FIRST)))
TRAIN = {"update_id_maps", "build_features", "train_pooled", "train_din", "check"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Ran:
    """The day, run."""

    place: Place
    deployment: Deployment

    def worked(self, worker: str) -> set[str]:
        """The tasks whose commands a worker's processes have run, by its log."""
        log = (self.deployment.logs / f"{worker}.log").read_text(encoding="utf-8", errors="replace")
        return set(re.findall(r"task_id='?\"?(\w+)", log))


@pytest.fixture(scope="module")
def ran(school: Place, redis_server: object) -> Iterator[Ran]:
    # Not pytest's folder: the path of a Unix socket under it would be too long on some machines.
    folder = Path(tempfile.mkdtemp(prefix="dayspring-"))
    place = copy_of(school, folder / "place")
    settings = {name: value for name, value in place.variables().items() if name.startswith("DAYSPRING_")}
    settings |= SLOW_LOOPS | {
        "DAYSPRING_RELEASE_URL": f"file:{folder / 'bucket'}", "DAYSPRING_SCHEDULE_END": str(FIRST),
        "DAYSPRING_BROKER_URL": redis_server.environment("celery")["DAYSPRING_REDIS_URL"],  # type: ignore[attr-defined]
        "AIRFLOW__CORE__DAGS_FOLDER": str(write_dags(folder, "ads")),
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYSPRING_AIRFLOW_HOME", str(folder / "airflow"))
        deployment = airflow.up("celery", settings)
        try:
            scheduler = airflow.scheduler_of(deployment)
            assert backfill(Api(deployment), [DAY], deployment.home / "logs", scheduler=scheduler) == 1
            yield Ran(place, deployment)
        finally:
            airflow.down_one(deployment)
            assert alive(deployment.mark, deployment.logs) == []
    shutil.rmtree(folder)


def test_every_task_is_green_on_the_worker_of_its_queue(ran: Ran) -> None:
    api = Api(ran.deployment)
    (run,) = api.runs(DAY.dag)
    tasks = api.tasks(DAY.dag, run["dag_run_id"])
    assert run["state"] == "success"
    assert {task["task_id"] for task in tasks if task["queue"] == "train"} == TRAIN
    assert ran.worked("worker-train") == TRAIN
    assert ran.worked("worker-stores") >= {"extract", "validate", "release", "publish", "prune", "report"}
    assert not ran.worked("worker-stores") & TRAIN


def test_what_they_made_together_is_what_one_process_makes(ran: Ran, trained: Place) -> None:
    for experiment in ("pooled", "din"):
        of_both = [place.store.current(Ref(CHECKPOINT, "ads", FIRST, experiment)) for place in (ran.place, trained)]
        digests = [each.manifest.digest for each in of_both if each is not None]
        assert len(digests) == 2
        assert digests[0] == digests[1]
