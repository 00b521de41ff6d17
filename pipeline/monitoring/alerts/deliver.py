"""Sending alerts: each cause once by each way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.commands import shown
from pipeline.errors import DayspringError
from pipeline.monitoring.alerts.causes import Alert
from pipeline.monitoring.alerts.channels import NotSent, Way, ways
from pipeline.monitoring.alerts.sent import SentAlerts

_log = logging.getLogger("dayspring.alerts")


@dataclass
class Delivery:
    """What went out.

    Attributes:
        new: alerts that had not been sent by any way before.
        failures: of the ways that did not take theirs; those alerts go out when they are delivered again.
    """

    new: list[Alert] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def deliver(root: Path, job: str, alerts: Sequence[Alert], by: Sequence[Way] | None = None) -> Delivery:
    """Send what has not been sent; a way that fails holds back none of the others.

    Args:
        root: folder of the artefacts.
        by: instead of the ways that the environment configures.

    Raises:
        LockTimeout: another process has been sending for a minute.
    """
    done = Delivery()
    if not alerts:
        return done
    by = ways() if by is None else by
    record = SentAlerts(root, job)
    with record.locked():
        sent = record.received()
        everything = set().union(*sent.values())
        done.new = list({each.key: each for each in alerts if each.key not in everything}.values())
        for way in by:
            for lacking, to in _lacking(way, alerts, sent).items():
                took: Sequence[str] = to
                try:
                    way.send(tuple(replace(each, text=shown(each.text)) for each in lacking), to)
                except NotSent as error:
                    _log.error("%s", error)
                    done.failures.append(str(error))
                    took = error.took
                except Exception as error:
                    # The ways after it must have their turn. Its own message might quote a secret.
                    done.failures.append(f"{way.name}: unexpected {type(error).__name__}")
                    _log.error("%s", done.failures[-1])
                    took = ()
                if took:
                    record.add(lacking, way.name, took)
    return done


def try_to_deliver(root: Path, job: str, alerts: Sequence[Alert]) -> None:
    """``deliver`` for those who have failed already, or must not: what goes wrong is logged."""
    try:
        deliver(root, job, alerts)
    except Exception as error:
        told = str(error) if isinstance(error, DayspringError | OSError) else f"unexpected {type(error).__name__}"
        _log.error("alerts were not sent: %s", told)
        for alert in alerts:
            _log.warning("ALERT %s", shown(alert.line))


def _lacking(
    way: Way, alerts: Sequence[Alert], sent: dict[tuple[str, str], set[str]]
) -> dict[tuple[Alert, ...], list[str]]:
    """What has not been sent by ``way`` yet, with those who lack it; who lack the same get it together."""
    found: dict[tuple[Alert, ...], list[str]] = {}
    for each in way.to:
        # What was sent before receivers were told apart has gone to all.
        has = sent.get((way.name, each), set()) | sent.get((way.name, ""), set())
        lacks = {alert.key: alert for alert in alerts if alert.key not in has}
        if lacks:
            found.setdefault(tuple(lacks.values()), []).append(each)
    return found
