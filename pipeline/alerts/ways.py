"""The ways by which alerts go out: the log always, e-mail and a webhook where the environment names them."""

from __future__ import annotations

import json
import logging
import os
import smtplib
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Protocol

from pipeline.alerts.causes import Alert
from pipeline.errors import ConfigError, DayspringError

SMTP = "DAYSPRING_ALERT_SMTP_URL"
WEBHOOK = "DAYSPRING_ALERT_WEBHOOK_URL"
SECONDS = 10.0
_LOCAL = ("127.0.0.1", "::1", "localhost")
_log = logging.getLogger("dayspring.alerts")


class NotSent(DayspringError):
    """A way did not take the alerts; names the host, never the secrets of its address."""


class Way(Protocol):
    """Something that takes alerts; ``name`` is how the record of sent alerts knows it."""

    name: str

    def send(self, alerts: Sequence[Alert]) -> None:
        """Hand over the alerts, all or none; raises ``NotSent``."""


class Log:
    """A warning a line: Airflow's task log, or standard error."""

    name = "log"

    def send(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            _log.warning("ALERT %s", alert.line)


class Smtp:
    """One e-mail for the alerts of one time.

    Args:
        url: ``smtp[s]://[user:password@]host[:port]?from=ADDRESS&to=ADDRESS[,ADDRESS…]``. ``smtp`` turns to TLS where
            the server offers it, and must where there is a password to send, unless the host is this machine.

    Raises ``ConfigError`` for a URL that is not of this form.
    """

    name = "smtp"

    def __init__(self, url: str) -> None:
        parts, query = _parsed(url, SMTP, ("smtp", "smtps"))
        self._tls = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._port = parts.port or (465 if self._tls else 25)
        self._user, self._password = (urllib.parse.unquote(each or "") for each in (parts.username, parts.password))
        self._from, to = query.pop("from", ""), query.pop("to", "")
        self._to = [each.strip() for each in to.split(",") if each.strip()]
        if query:
            raise ConfigError(f"{SMTP}: no such parameter: {', '.join(sorted(query))}; it takes `from` and `to`")
        if not self._from or not self._to:
            raise ConfigError(f"{SMTP}: add ?from=ADDRESS&to=ADDRESS[,ADDRESS]")

    def send(self, alerts: Sequence[Alert]) -> None:
        try:
            with self._connected() as server:
                refused = server.send_message(self._message(alerts), self._from, self._to)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"smtp: {self._host}:{self._port}: {_short(error)}") from None
        if refused:
            raise NotSent(f"smtp: {self._host}:{self._port} refused {', '.join(sorted(refused))}")

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS, context=context)
            if self._tls
            else smtplib.SMTP(self._host, self._port, timeout=SECONDS)
        )
        try:
            server.ehlo()
            safe = self._tls
            if not safe and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
                safe = True
            if self._user:
                if not safe and self._host not in _LOCAL:
                    raise NotSent(
                        f"smtp: {self._host}:{self._port} offers no TLS, so the password is not sent; use smtps://"
                    )
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, alerts: Sequence[Alert]) -> EmailMessage:
        message = EmailMessage()
        more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
        message["Subject"] = f"[dayspring] {alerts[0].line[:120]}{more}".replace("\n", " ")
        message["From"], message["To"] = self._from, ", ".join(self._to)
        message["Message-ID"] = make_msgid(domain="dayspring")
        message.set_content("\n\n".join(alert.line for alert in alerts) + "\n")
        return message


class Webhook:
    """One POST of JSON: ``text`` for people (what chat services show), ``alerts`` for programs.

    Args:
        url: ``http[s]://…``; whatever is secret in it never shows in a message.

    Raises ``ConfigError`` for a URL that is not of this form.
    """

    name = "webhook"

    def __init__(self, url: str) -> None:
        parts, _ = _parsed(url, WEBHOOK, ("http", "https"))
        self._url = url
        self._where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def send(self, alerts: Sequence[Alert]) -> None:
        body = {"text": "\n".join(alert.line for alert in alerts), "alerts": [alert.as_dict() for alert in alerts]}
        request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                answer.read(1024)
        except urllib.error.HTTPError as error:
            raise NotSent(f"webhook: {self._where} answered {error.code}") from None
        except OSError as error:
            raise NotSent(f"webhook: {self._where}: {_short(error)}") from None


def ways() -> list[Way]:
    """The log, and what the environment configures; raises ``ConfigError`` for an address that cannot be one."""
    found: list[Way] = [Log()]
    if os.environ.get(SMTP):
        found.append(Smtp(os.environ[SMTP]))
    if os.environ.get(WEBHOOK):
        found.append(Webhook(os.environ[WEBHOOK]))
    return found


def _parsed(url: str, variable: str, schemes: tuple[str, ...]) -> tuple[urllib.parse.SplitResult, dict[str, str]]:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        # Its own message would quote the address, secrets and all.
        raise ConfigError(f"{variable}: not a URL; write {schemes[-1]}://HOST:PORT/…") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigError(f"{variable}: write it as {' or '.join(f'{scheme}://' for scheme in schemes)}HOST:PORT…")
    return parts, query


def _short(error: Exception) -> str:
    """The error in words, without anything that was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "user or password refused"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code}"
    reason = getattr(error, "reason", None)
    return str(reason or getattr(error, "strerror", None) or type(error).__name__)
