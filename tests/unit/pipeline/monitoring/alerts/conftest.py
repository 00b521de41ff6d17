"""A mail server and a webhook that keep what they get; nothing configured."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.monitoring.alerts.channels import SMTP, WEBHOOK
from tests.unit.pipeline.monitoring.alerts.sinks import HookSink, MailSink, serving


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
