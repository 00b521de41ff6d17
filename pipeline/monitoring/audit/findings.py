"""What an audit found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["damaged", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        what: the artefact, id map or release, by name.
        problem: what is wrong with it, with the file.
        remedy: what to do.
        severity: ``note`` where nothing that is read is wrong.
    """

    what: str
    problem: str
    remedy: str
    severity: Severity = "damaged"


@dataclass
class Audit:
    """The result: what was looked at, and the findings."""

    artifacts: int = 0
    payloads: int = 0
    bytes: int = 0
    id_maps: int = 0
    releases: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def damaged(self) -> list[Finding]:
        return [each for each in self.findings if each.severity == "damaged"]

    def add(self, what: str, problem: str, remedy: str, severity: Severity = "damaged") -> None:
        self.findings.append(Finding(what, problem, remedy, severity))
