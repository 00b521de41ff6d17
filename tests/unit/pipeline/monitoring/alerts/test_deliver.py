"""Alerts arrive at a mail server and a webhook, each cause once, whatever fails on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.channels import SMTP, WEBHOOK, Log, Smtp, Webhook, ways
from pipeline.monitoring.alerts.deliver import deliver, try_to_deliver
from pipeline.monitoring.alerts.sent import SentAlerts
from tests.unit.pipeline.monitoring.alerts.sinks import BLOCK, DAY, FAILURE, HookSink, MailSink, serving, smtp_url


def test_they_arrive_by_mail_and_webhook(
    tmp_path: Path, mail: MailSink, hook: HookSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SMTP, smtp_url(mail))
    monkeypatch.setenv(WEBHOOK, hook.url)
    done = deliver(tmp_path, "ads", [BLOCK, FAILURE])
    assert (done.new, done.failures) == ([BLOCK, FAILURE], [])
    (message,) = mail.mails
    assert message["To"] == "ops@example.org, lead@example.org"
    assert message["Subject"].startswith("[dayspring] ads/din 2024-02-29 gate block: auc 0.41 is below")
    assert BLOCK.line in mail.text()
    assert FAILURE.line in mail.text()
    (post,) = hook.posts
    assert post["text"] == f"{BLOCK.line}\n{FAILURE.line}"
    assert post["alerts"][0] == {
        "kind": "gate_block", "job": "ads", "day": "2024-02-29", "experiment": "din", "what": "", "text": BLOCK.text,
    }  # fmt: skip
    assert [record.getMessage() for record in caplog.records] == [f"ALERT {BLOCK.line}", f"ALERT {FAILURE.line}"]


def test_a_command_in_it_works_when_pasted_and_is_recorded_as_it_holds_everywhere(
    tmp_path: Path, hook: HookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEBHOOK, hook.url)
    monkeypatch.setenv("DAYSPRING_ROOT", "/the root")
    deliver(tmp_path, "ads", [Alert("late_day", "ads", DAY, "take it in: python -m pipeline late-days --job ads")])
    (post,) = hook.posts
    assert post["alerts"][0]["text"].startswith("take it in: cd /")
    assert "DAYSPRING_ROOT='/the root' " in post["alerts"][0]["text"]
    assert SentAlerts(tmp_path, "ads").read()[0]["text"] == "take it in: python -m pipeline late-days --job ads"


def test_nothing_is_sent_where_nothing_is_configured(tmp_path: Path, mail: MailSink, hook: HookSink) -> None:
    assert [way.name for way in ways()] == ["log"]
    deliver(tmp_path, "ads", [BLOCK])
    assert (mail.mails, hook.posts) == ([], [])


def test_a_cause_is_told_once_whatever_its_text(tmp_path: Path, hook: HookSink) -> None:
    by = [Webhook(hook.url)]
    deliver(tmp_path, "ads", [BLOCK], by)
    again = Alert("gate_block", "ads", DAY, "another sentence, of a retry", "din")
    exhausted = Alert("retries_exhausted", "ads", DAY, "after 3 tries", "din", "train_din")
    assert deliver(tmp_path, "ads", [again, FAILURE, exhausted], by).new == [exhausted]
    assert [len(post["alerts"]) for post in hook.posts] == [1, 1]
    assert deliver(tmp_path, "ads", [again, exhausted], by).new == []
    assert len(hook.posts) == 2
    deliver(tmp_path, "ads", [Alert("gate_block", "ads", DAY.next(), "the next day", "din")], by)
    assert len(hook.posts) == 3


def test_a_way_that_fails_holds_back_no_other_and_gets_its_alerts_later(
    tmp_path: Path, hook: HookSink, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(MailSink(refuse=True)) as refusing:
        done = deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(refusing)), Webhook(hook.url)])
    assert done.failures == [f"smtp: {refusing.address}: answered 451"]
    assert f"{refusing.address}: answered 451" in caplog.text
    assert len(hook.posts) == 1
    with serving(MailSink()) as taking:
        later = deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(taking)), Webhook(hook.url)])
    assert (later.new, later.failures) == ([], [])
    assert len(taking.mails) == 1
    assert len(hook.posts) == 1


@pytest.mark.parametrize(("wrong", "right"), [(SMTP, WEBHOOK), (WEBHOOK, SMTP)])
def test_a_wrong_address_holds_back_no_other(
    tmp_path: Path, mail: MailSink, hook: HookSink, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str
) -> None:
    monkeypatch.setenv(wrong, "ftp://host/s3cr3t")
    monkeypatch.setenv(right, smtp_url(mail) if right == SMTP else hook.url)
    (failure,) = deliver(tmp_path, "ads", [BLOCK]).failures
    assert failure.startswith(f"{wrong}: write it as")
    assert len(mail.mails) + len(hook.posts) == 1


def test_who_has_failed_already_fails_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "alerts").write_text("where the record's folder should be")
    try_to_deliver(tmp_path, "ads", [FAILURE])
    assert "alerts were not sent: [Errno" in caplog.text
    assert f"ALERT {FAILURE.line}" in caplog.text
    caplog.clear()
    monkeypatch.setattr("pipeline.monitoring.alerts.deliver.ways", lambda: 1 / 0)
    try_to_deliver(tmp_path, "ads", [FAILURE])
    assert [record.getMessage() for record in caplog.records] == [
        "alerts were not sent: unexpected ZeroDivisionError", f"ALERT {FAILURE.line}",
    ]  # fmt: skip


class _Broken(Log):
    name = "broken"

    def send(self, alerts: object, to: object = ()) -> None:
        raise ZeroDivisionError("s3cr3t")


def test_a_way_that_fails_in_an_unknown_manner_holds_back_no_other(
    tmp_path: Path, hook: HookSink, caplog: pytest.LogCaptureFixture
) -> None:
    done = deliver(tmp_path, "ads", [BLOCK], [_Broken(), Webhook(hook.url)])
    assert done.failures == ["broken: unexpected ZeroDivisionError"]
    assert len(hook.posts) == 1
    assert "s3cr3t" not in caplog.text
