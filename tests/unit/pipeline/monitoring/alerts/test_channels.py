"""The ways on which alerts go: addresses, secrets, and servers that behave in all manners."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.channels import SMTP, WEBHOOK, NotSent, Smtp, Webhook
from pipeline.monitoring.alerts.deliver import deliver, try_to_deliver
from pipeline.monitoring.alerts.sent import SentAlerts
from tests.unit.pipeline.monitoring.alerts.sinks import BLOCK, DAY, FAILURE, HookSink, MailSink, serving, smtp_url


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
        (SMTP, "smtp://user:s3cr3t@host?from=a@b.c&to=d%0D%0Ax@e.f", "an address of `from` or `to` has a blank"),
        (SMTP, "smtp://user:s3cr3té@host?from=a@b.c&to=d@e.f", "user and password must be of ASCII"),
        (WEBHOOK, "ftp://host/s3cr3t", "write it as http:// or https://"),
        (WEBHOOK, "https://a..b/s3cr3t", "the host cannot be one"),
        (WEBHOOK, "https://a b/s3cr3t", "the host has a blank in it"),
    ],
)
def test_a_wrong_address_is_named_without_its_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, url: str, told: str
) -> None:
    monkeypatch.setenv(variable, url)
    (failure,) = deliver(tmp_path, "ads", [BLOCK]).failures
    assert f"{variable}: {told}" in failure
    assert "s3cr3t" not in failure
    assert [record["way"] for record in SentAlerts(tmp_path, "ads").read()] == ["log"]


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(MailSink(login=True)) as sink:
        monkeypatch.setattr("pipeline.monitoring.alerts.channels._LOCAL", ())
        with pytest.raises(NotSent, match="offers no TLS, so the password is not sent"):
            Smtp(smtp_url(sink, "user:s3cr3t@")).send([BLOCK], ["ops@example.org"])
    assert sink.logins == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_webhook_that_has_moved_gets_nothing_and_is_named(tmp_path: Path, status: int) -> None:
    with serving(HookSink(status, location="/s3cr3t/final")) as moved:
        by = [Webhook(moved.url)]
        told = f"webhook: {moved.address} answered {status}: it has moved; put its final address into {WEBHOOK}"
        for _ in range(2):
            assert deliver(tmp_path, "ads", [BLOCK], by).failures == [told]
    assert moved.requests == ["POST /hook/s3cr3t?token=s3cr3t"] * 2
    assert SentAlerts(tmp_path, "ads").read() == []


TAKEN = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        TAKEN + b"Content-Length: 900\r\n\r\nabc",
        TAKEN + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        TAKEN + b"X: y\r\n" * 200,
        TAKEN + b"X: " + b"y" * 70_000,
        TAKEN,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ],
    ids=["short", "broken chunk", "too many headers", "too long a header", "no header", "continue"],
)
def test_what_a_webhook_has_taken_is_sent_however_its_answer_breaks_off(tmp_path: Path, raw: bytes) -> None:
    with serving(HookSink(raw=raw)) as hook:
        for _ in range(2):
            assert deliver(tmp_path, "ads", [BLOCK], [Webhook(hook.url)]).failures == []
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"hello s3cr3t\r\n\r\n", "what it answered is not of the protocol; is it the right port?"),
        (b"", "closed the connection without an answer"),
    ],
)
def test_what_answers_no_http_is_a_failure_like_others(
    tmp_path: Path, hook: HookSink, caplog: pytest.LogCaptureFixture, raw: bytes, told: str
) -> None:
    with serving(HookSink(raw=raw)) as garbled:
        done = deliver(tmp_path, "ads", [BLOCK], [Webhook(garbled.url), Webhook(hook.url)])
    assert done.failures == [f"webhook: {garbled.address}: {told}"]
    assert len(hook.posts) == 1
    assert "s3cr3t" not in caplog.text


def test_a_webhook_without_an_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.monitoring.alerts.channels.SECONDS", 0.3)
    with serving(HookSink(raw=b"HTTP/1.", drip=True)) as hook:
        assert deliver(tmp_path, "ads", [BLOCK], [Webhook(hook.url)]).failures == [
            f"webhook: {hook.address}: not done within 0.3 s"
        ]


def test_what_a_webhook_has_taken_is_sent_though_it_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(HookSink(raw=TAKEN, drip=True)) as hook:

        class AtTheFirstDrop(threading.Thread):
            def __init__(self, _: float, cut: Callable[[], None]) -> None:
                super().__init__(target=lambda: hook.dripping.wait(60) and cut())

            def cancel(self) -> None:
                self.join()

        monkeypatch.setattr("pipeline.monitoring.alerts.channels.threading.Timer", AtTheFirstDrop)
        for _ in range(2):
            assert deliver(tmp_path, "ads", [BLOCK], [Webhook(hook.url)]).failures == []
    assert len(hook.posts) == 1


def test_a_mail_server_without_an_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.monitoring.alerts.channels.MAIL_SECONDS", 0.3)
    with serving(MailSink(drip=True)) as sink:
        assert deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(sink))]).failures == [
            f"smtp: {sink.address}: not done within 0.3 s"
        ]


def test_a_webhook_gets_its_address_in_a_form_that_can_be_sent(tmp_path: Path) -> None:
    with serving(HookSink()) as hook:
        url = f"http://user:p%40ss@{hook.address}/a b/é%20?q=ü#fragment"
        assert deliver(tmp_path, "ads", [BLOCK], [Webhook(url)]).failures == []
    assert hook.requests == ["POST /a%20b/%C3%A9%20?q=%C3%BC"]
    assert hook.authorizations == ["Basic dXNlcjpwQHNz"]  # user and p@ss


def test_who_got_a_mail_gets_it_once_though_another_was_refused(tmp_path: Path) -> None:
    codes = {"lead@example.org": 550}
    with serving(MailSink(codes=codes)) as sink:
        by = [Smtp(smtp_url(sink))]
        refused = f"smtp: {sink.address} refused lead@example.org (550)"
        assert deliver(tmp_path, "ads", [BLOCK], by).failures == [f"{refused}; sent to ops@example.org"]
        assert deliver(tmp_path, "ads", [BLOCK], by).failures == [refused]
        assert [mail["To"] for mail in sink.mails] == ["ops@example.org, lead@example.org"]
        codes.clear()
        assert deliver(tmp_path, "ads", [BLOCK, FAILURE], by).failures == []
        assert deliver(tmp_path, "ads", [BLOCK, FAILURE], by).failures == []
    first, *rest = ((mail["To"], str(mail.get_content()).splitlines()) for mail in sink.mails)  # type: ignore[attr-defined]
    assert first == ("ops@example.org, lead@example.org", [BLOCK.line])
    assert rest == [
        ("ops@example.org", [FAILURE.line]),
        ("lead@example.org", [BLOCK.line, "", FAILURE.line]),
    ]


def test_a_server_that_hangs_up_on_a_receiver_has_taken_nothing(tmp_path: Path) -> None:
    with serving(MailSink(codes={"lead@example.org": 421})) as sink:
        by = [Smtp(smtp_url(sink))]
        for _ in range(2):
            assert deliver(tmp_path, "ads", [BLOCK], by).failures == [
                f"smtp: {sink.address} refused lead@example.org (421)"
            ]
    assert SentAlerts(tmp_path, "ads").read() == []


@pytest.mark.parametrize("goodbye", ["500 what", ""])
def test_a_mail_is_sent_once_it_is_taken_whatever_the_goodbye(tmp_path: Path, goodbye: str) -> None:
    with serving(MailSink(goodbye=goodbye)) as sink:
        for _ in range(2):
            assert deliver(tmp_path, "ads", [BLOCK], [Smtp(smtp_url(sink))]).failures == []
    assert len(sink.mails) == 1


def test_any_text_can_be_sent(
    tmp_path: Path, mail: MailSink, hook: HookSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(SMTP, smtp_url(mail))
    monkeypatch.setenv(WEBHOOK, hook.url)
    odd = Alert("failure", "ads", DAY, "a\r\nb\rc\nd\x00e \udce4 \u2028é\n", "din", "train_din")
    try_to_deliver(tmp_path, "ads", [odd])
    line = "ads/din 2024-02-29 failure: a b c d e ?  é"
    assert [record.getMessage() for record in caplog.records] == [f"ALERT {line}"]
    assert mail.text() == f"{line}\r\n"
    assert hook.posts[0]["text"] == line
    assert {record["text"] for record in SentAlerts(tmp_path, "ads").read()} == {"a b c d e ?  é"}
