"""Alerts arrive at a mail server and a webhook, each cause once, whatever fails on the way."""

from __future__ import annotations

import logging
import multiprocessing
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.alerts.causes import Alert
from pipeline.alerts.deliver import deliver, try_to_deliver
from pipeline.alerts.sent import SentAlerts
from pipeline.alerts.ways import SMTP, WEBHOOK, NotSent, Smtp, Webhook, ways
from pipeline.days import Day
from pipeline.errors import ConfigError
from tests.unit.pipeline.alerts.sinks import HookSink, MailSink, serving

DAY = Day.of(2024, 2, 29)
BLOCK = Alert("gate_block", "ads", DAY, "auc 0.41 is below the floor 0.45", "din")
FAILURE = Alert("failure", "ads", DAY, "train_din failed", "din", "train_din")


@pytest.fixture
def mail() -> Iterator[MailSink]:
    with serving(MailSink()) as sink:
        yield sink


@pytest.fixture
def hook() -> Iterator[HookSink]:
    with serving(HookSink()) as sink:
        yield sink


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (SMTP, WEBHOOK):
        monkeypatch.delenv(name, raising=False)


def smtp_url(sink: MailSink, user: str = "") -> str:
    return f"smtp://{user}{sink.address}?from=dayspring@example.org&to=ops@example.org,lead@example.org"


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


def test_no_secret_shows_in_a_message(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        by = [
            Smtp(f"smtp://user:s3cr3t@127.0.0.1:{port}?from=a@b.c&to=d@e.f"),
            Webhook(f"http://127.0.0.1:{port}/s3cr3t?token=s3cr3t"),
        ]
        done = deliver(tmp_path, "ads", [BLOCK], by)
    with serving(HookSink(status=500)) as broken:
        done.failures += deliver(tmp_path, "ads", [FAILURE], [Webhook(broken.url)]).failures
    with serving(MailSink(login=True, refuse=True)) as refusing:
        done.failures += deliver(tmp_path, "ads", [FAILURE], [Smtp(smtp_url(refusing, "user:s3cr3t@"))]).failures
    assert [text.split(":")[0] for text in done.failures] == ["smtp", "webhook", "webhook", "smtp"]
    assert f"127.0.0.1:{port}: Connection refused" in done.failures[0]
    assert done.failures[2].endswith("answered 500")
    assert done.failures[3].endswith("user or password refused")
    assert "s3cr3t" not in caplog.text + "".join(done.failures)
    assert "s3cr3t" not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_a_password_goes_to_the_server(tmp_path: Path) -> None:
    with serving(MailSink(login=True)) as sink:
        assert deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(sink, "user:p%40ss@"))]).failures == []
    assert sink.logins == ["AHVzZXIAcEBzcw=="]  # user and p@ss


@pytest.mark.parametrize(
    ("variable", "url", "told"),
    [
        (SMTP, "mail.example.org", "write it as smtp:// or smtps://"),
        (SMTP, "smtp://:s3cr3t@host:port?from=a@b.c&to=d@e.f", "not a URL"),
        (SMTP, "smtp://user:s3cr3t@host", "add ?from=ADDRESS&to=ADDRESS"),
        (SMTP, "smtp://user:s3cr3t@host?from=a@b.c&to=d@e.f&cc=x", "no such parameter: cc"),
        (WEBHOOK, "ftp://host/s3cr3t", "write it as http:// or https://"),
    ],
)
def test_a_wrong_address_is_named_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, variable: str, url: str, told: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(ConfigError) as wrong:
        ways()
    assert f"{variable}: {told}" in str(wrong.value)
    assert "s3cr3t" not in str(wrong.value)


def test_who_has_failed_already_fails_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(WEBHOOK, "ftp://host")
    try_to_deliver(tmp_path, "ads", [FAILURE])
    assert "alerts were not sent: DAYSPRING_ALERT_WEBHOOK_URL" in caplog.text
    assert f"ALERT {FAILURE.line}" in caplog.text


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


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(MailSink(login=True)) as sink:
        monkeypatch.setattr("pipeline.alerts.ways._LOCAL", ())
        with pytest.raises(NotSent, match="offers no TLS, so the password is not sent"):
            Smtp(smtp_url(sink, "user:s3cr3t@")).send([BLOCK])
    assert sink.logins == []
