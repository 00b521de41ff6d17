"""Parts on a real Spark of one master and two workers: it comes to what it does in this process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.services.spark import Spark
from pipeline.engines.spark import SparkEngine
from pipeline.errors import PrunedPayload
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, STATE, VALIDATED
from tests.parts import failing, squared, wrong
from tests.tiny import FIRST, Place, copy_of


def executor_killed(part: tuple[int, str]) -> int:
    """The first time that the second part is worked on, its executor is lost with all that runs there."""
    number, mark = part
    if number == 1 and not Path(mark).exists():
        Path(mark).touch()
        java = next(each for each in psutil.Process().parents() if each.name() == "java")
        os.kill(java.pid, signal.SIGKILL)
        signal.pause()
    return number * 10


@pytest.fixture(scope="module")
def engine(spark: Spark) -> Iterator[SparkEngine]:
    from pyspark import SparkContext

    with pytest.MonkeyPatch.context() as patch:
        for name, value in spark.environment().items():
            patch.setenv(name, value)
        yield SparkEngine(spark.master, "ads")
        running = SparkContext._active_spark_context
        if running is not None:
            running.stop()


def test_results_come_in_the_order_of_the_parts_from_executors(
    engine: SparkEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    found = engine.run(squared, [3, 1, 2])
    assert [value for value, _ in found] == [9, 1, 4]
    assert os.getpid() not in {process for _, process in found}
    said = capsys.readouterr().out
    assert "3 parts" in said
    assert "page http://127.0.0.1:" in said
    assert "peaks so far: the driver" in said


def test_of_parts_that_fail_the_first_says_why_with_all_that_its_error_holds(engine: SparkEngine) -> None:
    with pytest.raises(PrunedPayload, match=r"^part 1 is gone$") as raised:
        engine.run(failing, [0, 1, 2])
    assert raised.value.artifact == "rows/1"


def test_another_error_stays_what_it_is_with_the_executor_s_own_trace(engine: SparkEngine) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        engine.run(wrong, [1, 0])
    assert "return 1 // part" in raised.value.__notes__[0]


def test_a_lost_executor_s_parts_are_worked_on_again(engine: SparkEngine, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    assert engine.run(executor_killed, [(number, str(mark)) for number in range(4)]) == [0, 10, 20, 30]
    assert mark.exists()


def test_a_day_s_shards_on_executors_make_what_one_process_makes(
    engine: SparkEngine, spark: Spark, school: Place, trained: Place, tmp_path: Path
) -> None:
    place = copy_of(school, tmp_path / "sparked")
    place.environment |= spark.environment()
    place.configure("ads", place.settings("ads") | {"engine": "spark", "shards": 3})
    said = "".join(
        place.good("stage", stage, "--job", "ads", "--day", FIRST).out
        for stage in ("extract", "validate", "update_id_maps", "build_features")
    )
    assert f"by {spark.master}, page http://" in said
    for kind in (VALIDATED, MAPS, STATE, FEATURES):  # rows are kept in as many parts as they were made in
        of_both = [each.store.current(Ref(kind, "ads", FIRST)) for each in (place, trained)]
        digests = [each.manifest.digest for each in of_both if each is not None]
        assert len(digests) == 2, kind
        assert digests[0] == digests[1], kind
