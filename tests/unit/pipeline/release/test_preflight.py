from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DayspringError
from pipeline.job import JobContext
from pipeline.release import build
from pipeline.release.preflight import refuse_other_place
from pipeline.release.publish.place import AnotherPlace
from tests.unit.pipeline.small_job import config


class Publisher:
    def __init__(self, error: DayspringError) -> None:
        self.error = error

    def guard(self) -> None:
        raise self.error


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.delenv("DAYSPRING_REDIS_URL", raising=False)
    monkeypatch.setenv("DAYSPRING_RELEASE_URL", f"file:{tmp_path / 'theirs'}")
    return JobContext(config(), tmp_path / "root")


def test_another_roots_place_is_refused_before_anything_is_trained(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "publisher", lambda _: Publisher(AnotherPlace("another root publishes there")))
    with pytest.raises(AnotherPlace, match="another root publishes there"):
        refuse_other_place(context)


def test_a_place_that_does_not_answer_now_may_do_so_later(
    context: JobContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "publisher", lambda _: Publisher(DayspringError("S3 at h:1: no answer")))
    refuse_other_place(context)
    assert capsys.readouterr().err == "warning: S3 at h:1: no answer; the day's release needs it\n"


def test_the_roots_own_stores_need_no_asking(context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYSPRING_RELEASE_URL")
    monkeypatch.setattr(build, "publisher", lambda _: Publisher(AnotherPlace("must not be asked")))
    refuse_other_place(context)
