"""The ways by which alerts go out: the log always, e-mail and a webhook where the environment names them."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import re
import smtplib
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any, Protocol

from pipeline.errors import ConfigError, DayspringError
from pipeline.monitoring.alerts.causes import Alert

SMTP = "DAYSPRING_ALERT_SMTP_URL"
WEBHOOK = "DAYSPRING_ALERT_WEBHOOK_URL"
SECONDS = 10.0
# Of mail more: it takes a dozen answers, and some servers are slow on purpose.
MAIL_SECONDS = 20.0
ALL = ("",)
_LOCAL = ("127.0.0.1", "::1", "localhost")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_Refused = dict[str, tuple[int, bytes]]
_log = logging.getLogger("dayspring.alerts")


class NotSent(DayspringError):
    """A way did not take the alerts; names the host, never the secrets of its address.

    Attributes:
        took: those of the receivers who got them all the same.
    """

    def __init__(self, message: str, took: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.took = tuple(took)


class Way(Protocol):
    """Something that takes alerts.

    Attributes:
        name: how the record of sent alerts knows it.
        to: its receivers, of each of whom the record knows what he has got; ``ALL`` where nobody can be told apart.
    """

    name: str
    to: Sequence[str]

    def send(self, alerts: Sequence[Alert], to: Sequence[str]) -> None:
        """Hand all the alerts over to ``to``, some of its receivers; raises ``NotSent``, which says who got them."""


class Log:
    """A warning a line: Airflow's task log, or standard error."""

    name = "log"
    to: Sequence[str] = ALL

    def send(self, alerts: Sequence[Alert], to: Sequence[str] = ALL) -> None:
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
        self._user, self._password = _user(parts)
        self._from, to = query.pop("from", ""), query.pop("to", "")
        self.to: Sequence[str] = list(dict.fromkeys(each.strip() for each in to.split(",") if each.strip()))
        if query:
            raise ConfigError(f"{SMTP}: no such parameter: {', '.join(sorted(query))}; it takes `from` and `to`")
        if not self._from or not self.to:
            raise ConfigError(f"{SMTP}: add ?from=ADDRESS&to=ADDRESS[,ADDRESS]")
        if any(_BLANK.search(each) for each in (self._from, *self.to)):
            raise ConfigError(f"{SMTP}: an address of `from` or `to` has a blank in it; write `+` as %2B")
        if not (self._user + self._password).isascii():
            raise ConfigError(f"{SMTP}: user and password must be of ASCII")

    def send(self, alerts: Sequence[Alert], to: Sequence[str]) -> None:
        where = f"smtp: {self._host}:{self._port}"
        with _Limit(MAIL_SECONDS) as limit:
            try:
                refused = self._sent(limit, alerts, to)
            except smtplib.SMTPRecipientsRefused as error:
                # No mail was taken, also where only some are named: the server hung up on them.
                raise NotSent(f"{where} refused {_codes(error.recipients)}") from None
            except (OSError, smtplib.SMTPException, ValueError) as error:
                raise NotSent(f"{where}: {limit.told(error)}") from None
        if refused:
            took = [each for each in to if each not in refused]
            raise NotSent(f"{where} refused {_codes(refused)}; sent to {', '.join(took)}", took)

    def _sent(self, limit: _Limit, alerts: Sequence[Alert], to: Sequence[str]) -> _Refused:
        """Who of ``to`` was refused, where one was taken at least."""
        message = self._message(alerts, to)
        server = self._connected(limit)
        try:
            refused = server.send_message(message, self._from, to)
            # The mail is taken, whatever the server makes of the goodbye.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
        finally:
            server.close()
        return refused

    def _connected(self, limit: _Limit) -> smtplib.SMTP:
        context = ssl.create_default_context()
        server = (
            _LimitedSmtps(limit, self._host, self._port, context=context)
            if self._tls
            else _LimitedSmtp(limit, self._host, self._port)
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

    def _message(self, alerts: Sequence[Alert], to: Sequence[str]) -> EmailMessage:
        message = EmailMessage()
        more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
        message["Subject"] = f"[dayspring] {alerts[0].line[:120]}{more}"
        message["From"], message["To"] = self._from, ", ".join(to)
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
    to: Sequence[str] = ALL

    def __init__(self, url: str) -> None:
        parts, _ = _parsed(url, WEBHOOK, ("http", "https"))
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._where = f"{host}:{port}"
        self._headers = {"Content-Type": "application/json"}
        if parts.username:
            token = base64.b64encode(":".join(_user(parts)).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        # As browsers do it: what has no place in a request line is percent-encoded, what is so already stays.
        path, query = (urllib.parse.quote(each, "/?%:@!$&'()*+,;=~", errors="surrogateescape") for each in parts[2:4])
        netloc = f"[{host}]" if ":" in host else host.encode("idna").decode()
        netloc += f":{parts.port}" if parts.port else ""
        self._url = urllib.parse.urlunsplit((parts.scheme, netloc, path or "/", query, ""))

    def send(self, alerts: Sequence[Alert], to: Sequence[str] = ALL) -> None:
        body = {"text": "\n".join(alert.line for alert in alerts), "alerts": [alert.as_dict() for alert in alerts]}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), self._headers, method="POST")
        with _Limit(SECONDS) as limit:
            opener = urllib.request.build_opener(_LimitedHttp(limit), _LimitedHttps(limit), _AnyStatus())
            try:
                # Of the answer only the status counts: what was taken is sent, however the rest of it breaks off.
                with opener.open(request, timeout=SECONDS) as answer:
                    status = answer.status
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise NotSent(f"webhook: {self._where}: {limit.told(error)}") from None
        if 300 <= status < 400:
            # Followed, most of them would turn the POST into a GET, and the alerts would be lost.
            raise NotSent(
                f"webhook: {self._where} answered {status}: it has moved; put its final address into {WEBHOOK}"
            )
        if not 200 <= status < 300:
            raise NotSent(f"webhook: {self._where} answered {status}")


class _Wrong:
    """A way whose address cannot be one: it fails as others do, so that it holds back none of them."""

    to: Sequence[str] = ALL

    def __init__(self, name: str, error: ConfigError) -> None:
        self.name = name
        self._error = str(error)

    def send(self, alerts: Sequence[Alert], to: Sequence[str] = ALL) -> None:
        raise NotSent(self._error)


def ways() -> list[Way]:
    """The log, and what the environment configures; one whose address cannot be one fails when it is to send."""
    found: list[Way] = [Log()]
    configured: list[tuple[str, type[Smtp] | type[Webhook]]] = [(SMTP, Smtp), (WEBHOOK, Webhook)]
    for variable, way in configured:
        if os.environ.get(variable):
            try:
                found.append(way(os.environ[variable]))
            except ConfigError as error:
                found.append(_Wrong(way.name, error))
    return found


class _Limit:
    """Cuts the connection that is made through it after ``seconds``.

    A socket's own time-out would not do: it begins anew with every byte that comes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._passed = False
        self._twin: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Limit:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._twin is not None:
            self._twin.close()

    def connect(self, address: tuple[str, int], *_: Any) -> socket.socket:
        """The connection, as ``socket.create_connection`` makes it."""
        made = socket.create_connection(address, SECONDS)
        # Longer than the limit, so that it is always the limit that ends it.
        made.settimeout(2 * self._seconds)
        # TLS takes the socket's handle away; one of our own stays good to the end.
        self._twin = made.dup()
        self._timer.start()
        return made

    def told(self, error: Exception) -> str:
        """The error in words, or that it was the limit."""
        return f"not done within {self._seconds:g} s" if self._passed else _short(error)

    def _cut(self) -> None:
        self._passed = True
        with suppress(OSError):
            if self._twin is not None:
                self._twin.shutdown(socket.SHUT_RDWR)


class _LimitedSmtp(smtplib.SMTP):
    def __init__(self, limit: _Limit, host: str, port: int, **more: Any) -> None:
        self._limit = limit
        super().__init__(host, port, timeout=SECONDS, **more)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._limit.connect((host, port))


class _LimitedSmtps(smtplib.SMTP_SSL, _LimitedSmtp):
    def __init__(self, limit: _Limit, host: str, port: int, **more: Any) -> None:
        # SMTP_SSL's asks the next class for a socket and puts TLS around it; its constructor names SMTP's.
        self._limit = limit
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=SECONDS, **more)


class _Answer(http.client.HTTPResponse):
    """An answer whose status stands, however its headers break off."""

    def begin(self) -> None:
        try:
            super().begin()
        except (OSError, http.client.HTTPException):
            if not isinstance(self.status, int):
                raise
            self.headers = self.msg = http.client.HTTPMessage()
            self.length, self.chunked, self.will_close = 0, False, True


class _LimitedHttp(urllib.request.HTTPHandler):
    def __init__(self, limit: _Limit) -> None:
        super().__init__()
        self._limit = limit

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_limited(http.client.HTTPConnection, self._limit), req)


class _LimitedHttps(urllib.request.HTTPSHandler):
    def __init__(self, limit: _Limit) -> None:
        super().__init__()
        self._limit = limit

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_limited(http.client.HTTPSConnection, self._limit), req)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Hands every answer to the caller; urllib's own raises, or follows where it leads."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


def _limited(kind: type[http.client.HTTPConnection], limit: _Limit) -> Any:
    def connection(host: str, **more: Any) -> http.client.HTTPConnection:
        made = kind(host, **more)
        made.response_class = _Answer
        made._create_connection = limit.connect  # type: ignore[attr-defined]
        return made

    return connection


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
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        raise ConfigError(f"{variable}: the host cannot be one") from None
    if _BLANK.search(parts.hostname):
        raise ConfigError(f"{variable}: the host has a blank in it")
    return parts, query


def _user(parts: urllib.parse.SplitResult) -> tuple[str, str]:
    user, password = (urllib.parse.unquote(each or "") for each in (parts.username, parts.password))
    return user, password


def _codes(refused: _Refused) -> str:
    return ", ".join(f"{each} ({refused[each][0]})" for each in sorted(refused))


def _short(error: object) -> str:
    """The error in words, without anything that was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "user or password refused"
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return f"answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)
    if isinstance(error, http.client.RemoteDisconnected | smtplib.SMTPServerDisconnected):
        return "closed the connection without an answer"
    if isinstance(error, http.client.InvalidURL):
        return "the address cannot be one"
    if isinstance(error, http.client.HTTPException | smtplib.SMTPResponseException):
        return "what it answered is not of the protocol; is it the right port?"
    if isinstance(error, urllib.error.URLError):
        return error.reason if isinstance(error.reason, str) else _short(error.reason)
    if type(error) is OSError and error.errno is None:
        return str(error)  # a proxy's refusal
    return str(getattr(error, "strerror", None) or type(error).__name__)
