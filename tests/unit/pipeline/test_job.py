from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipeline.errors import ChainError, LockTimeout
from pipeline.features.ids.store import IdMapStore
from pipeline.job import JobContext, default_root
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import DAY as DAY_MARKER
from pipeline.storage.artifacts.kinds import MAPS
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.small_job import DAY, config


def test_embedded_defaults_are_under_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYSPRING_TINY_URL", raising=False)
    job = JobContext(config(), tmp_path)
    assert job.source_url == f"parquet:{tmp_path}/sources/tiny"
    assert job.source_variable == "DAYSPRING_TINY_URL"
    assert IdMapStore.of(job).folder == tmp_path / "idmaps" / "tiny"
    monkeypatch.delenv("DAYSPRING_LESSONS_URL", raising=False)
    own = JobContext(lessons.config(), tmp_path).source_url
    assert own == f"sqlite:///{tmp_path}/sources/lessons.db", "not another job's"


def test_the_environment_names_root_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path / "there"))
    monkeypatch.setenv("DAYSPRING_TINY_URL", "parquet:elsewhere")
    assert default_root() == tmp_path / "there"
    assert JobContext(config(), default_root()).source().url == "parquet:elsewhere"
    monkeypatch.delenv("DAYSPRING_ROOT")
    assert default_root() == Path(".dayspring")


def test_a_day_without_a_marker_is_not_skipped(tmp_path: Path) -> None:
    assert JobContext(config(), tmp_path).skipped(DAY) is None


def test_a_day_is_skipped_for_the_reason_of_its_marker(tmp_path: Path) -> None:
    job = JobContext(config(), tmp_path)
    for state, reason in (("done", None), ("skipped", "a holiday")):
        with job.store.draft(Ref(DAY_MARKER, "tiny", DAY)) as draft:
            draft.commit(key=state, digest=state, inputs=[], state=state, reason=reason or "")
        assert job.skipped(DAY) == reason


def test_what_is_needed_and_not_there_is_named_with_the_stage_that_makes_it(tmp_path: Path) -> None:
    job = JobContext(config(), tmp_path)
    with pytest.raises(ChainError, match=f"tiny {DAY}: no maps .*stage update_id_maps --job tiny --day {DAY}"):
        job.needed(MAPS, DAY)
    with job.store.draft(Ref(MAPS, "tiny", DAY)) as draft:
        made = draft.commit(key="", digest="", inputs=[])
    assert job.needed(MAPS, DAY).id == made.id


def test_a_lock_is_one_for_all_processes(tmp_path: Path) -> None:
    first, second = (JobContext(config(), tmp_path) for _ in range(2))
    with first.lock("prune"), pytest.raises(LockTimeout, match="prune of job 'tiny'"), second.lock("prune", timeout=0):
        pass


def test_closing_lets_go_and_can_be_followed_by_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_TINY_URL", f"parquet:{tmp_path}")
    job = JobContext(config(), tmp_path)
    called: list[str] = []
    job.on_close(lambda: called.append("closed"))
    before = job.source()
    job.close()
    assert called == ["closed"]
    assert job.source() is not before


def test_another_process_has_one_context_of_the_job_and_no_source(tmp_path: Path) -> None:
    job = JobContext(config(), tmp_path, "mysql://root:secret@there/db")
    sent = pickle.dumps(job)
    assert b"secret" not in sent
    arrived = pickle.loads(sent)  # noqa: S301 - ours
    assert (arrived.config, arrived.root) == (job.config, tmp_path)
    assert pickle.loads(pickle.dumps(job)) is arrived, "what it keeps serves all parts"  # noqa: S301
    assert pickle.loads(pickle.dumps(JobContext(config(), tmp_path / "other"))) is not arrived  # noqa: S301
