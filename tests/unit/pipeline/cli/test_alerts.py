"""`alerts`: what is found is sent once; what was sent is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.days import Day
from pipeline.monitoring.alerts import deliver as delivering
from pipeline.monitoring.alerts import evaluate as evaluating
from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.sent import SentAlerts

DAY = Day.of(2024, 3, 1)


@pytest.fixture(autouse=True)
def _found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alert on every day, nowhere to send it but the log."""
    monkeypatch.setenv("DAYSPRING_ROOT", str(tmp_path))
    for name in ("DAYSPRING_SMTP_URL", "DAYSPRING_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    found = [Alert("failure", "ads", DAY, "train_din failed", "din", "train_din")]
    monkeypatch.setattr(evaluating, "evaluate", lambda context, day: found if day == DAY else [])


def test_a_dry_run_prints_and_records_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "--job", "ads", "--day", str(DAY), "--day", str(DAY.next()), "--dry-run"]) == 0
    assert capsys.readouterr().out == "ads/din 2024-03-01 failure: train_din failed\n"
    assert SentAlerts(tmp_path, "ads").read() == []


def test_what_is_new_is_counted_and_listed_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    for new in (1, 0):
        assert main(["alerts", "--job", "ads", "--day", str(DAY), "--day", str(DAY)]) == 0
        assert f"1 alerts, {new} of them new" in capsys.readouterr().err
    assert main(["alerts", "--job", "ads"]) == 0
    assert capsys.readouterr().out.endswith(" ads/din 2024-03-01 failure: train_din failed\n")
    assert main(["alerts", "--job", "ads", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["day"], record["what"]) == ("2024-03-01", "train_din")


def test_a_way_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(root: Path, job: str, found: list[Alert]) -> Any:
        return delivering.Delivery(found, ["the mail server is gone"])

    monkeypatch.setattr(delivering, "deliver", failing)
    assert main(["alerts", "--job", "ads", "--day", str(DAY)]) == 1
    assert "error: the mail server is gone; the same command sends what is left" in capsys.readouterr().err
