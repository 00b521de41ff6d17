"""The record of what was told."""

from __future__ import annotations

import logging
import multiprocessing
from pathlib import Path

import pytest

from pipeline.monitoring.alerts.channels import Smtp, Webhook
from pipeline.monitoring.alerts.deliver import deliver
from pipeline.monitoring.alerts.sent import SentAlerts
from tests.unit.pipeline.monitoring.alerts.sinks import BLOCK, FAILURE, HookSink, MailSink, smtp_url


def test_a_damaged_record_is_passed_over(tmp_path: Path, hook: HookSink, caplog: pytest.LogCaptureFixture) -> None:
    by = [Webhook(hook.url)]
    deliver(tmp_path, "ads", [BLOCK], by)
    path = tmp_path / "alerts" / "ads.jsonl"
    with path.open("ab") as file:
        file.write(b'{"key": "ads/20')  # killed in the middle of a line
    caplog.set_level(logging.WARNING)
    deliver(tmp_path, "ads", [BLOCK, FAILURE], by)
    assert f"{path}: line 2 is damaged" in caplog.text
    assert [record["key"] for record in SentAlerts(tmp_path, "ads").read()] == [BLOCK.key, FAILURE.key]
    assert deliver(tmp_path, "ads", [BLOCK, FAILURE], by).new == []


def _send(root: Path, url: str) -> None:
    deliver(root, "ads", [BLOCK, FAILURE], [Webhook(url)])


def test_two_processes_send_a_cause_once(tmp_path: Path, hook: HookSink) -> None:
    spawn = multiprocessing.get_context("spawn")
    senders = [spawn.Process(target=_send, args=(tmp_path, hook.url)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert [sender.exitcode for sender in senders] == [0, 0, 0]
    assert len(hook.posts) == 1


def test_a_record_from_before_receivers_were_told_apart_stands_for_all(tmp_path: Path, mail: MailSink) -> None:
    path = tmp_path / "alerts" / "ads.jsonl"
    path.parent.mkdir()
    path.write_text(f'{{"key": "{BLOCK.key}", "way": "smtp"}}\n')
    assert deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(mail))]).failures == []
    assert mail.mails == []
