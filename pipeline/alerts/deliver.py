"""Sending alerts: each cause once by each way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.alerts.causes import Alert
from pipeline.alerts.sent import SentAlerts
from pipeline.alerts.ways import NotSent, Way, ways
from pipeline.errors import DayspringError

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
        ConfigError: an address in the environment is none.
        LockTimeout: another process has been sending for a minute.
    """
    done = Delivery()
    if not alerts:
        return done
    by = ways() if by is None else by
    record = SentAlerts(root, job)
    with record.locked():
        sent = record.by_way()
        everything = set().union(*sent.values())
        done.new = list({each.key: each for each in alerts if each.key not in everything}.values())
        for way in by:
            open_ = {each.key: each for each in alerts if each.key not in sent.get(way.name, set())}
            if not open_:
                continue
            try:
                way.send(list(open_.values()))
            except NotSent as error:
                _log.error("%s", error)
                done.failures.append(str(error))
                continue
            record.add(list(open_.values()), way.name)
    return done


def try_to_deliver(root: Path, job: str, alerts: Sequence[Alert]) -> None:
    """``deliver`` for those who have failed already, or must not: what goes wrong is logged."""
    try:
        deliver(root, job, alerts)
    except (DayspringError, OSError) as error:
        _log.error("alerts were not sent: %s", error)
        for alert in alerts:
            _log.warning("ALERT %s", alert.line)
