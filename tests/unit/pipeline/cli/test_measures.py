"""`measures --means`: an option that could do nothing is refused."""

from __future__ import annotations

import pytest

from pipeline.cli.main import main


def test_hits_are_not_counted_of_a_job_that_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measures", "--job", "ads", "--means", "--all-positive"]) == 2
    assert "--all-positive is of hit rates, and job 'ads' has none; leave it out" in capsys.readouterr().err
