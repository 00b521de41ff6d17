"""What Airflow itself needs of a job's YAML, read without the full (slower) check of its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.days import ZONE, Day, checked_zone
from pipeline.errors import DayspringError

TWO_TOWERS = ("dropoutnet",)
"""Models whose releases recall items by their vectors."""
PROJECT = Path(__file__).resolve().parents[2]


def job_names() -> tuple[str, ...]:
    """The jobs that there are: a YAML each."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def _folder() -> Path:
    return Path(os.environ.get("DAYSPRING_CONF") or PROJECT / "conf")


def settings_of(job: str) -> dict[str, Any]:
    """The job's YAML; it has experiments, those of its grids among them."""
    path = _folder() / f"{job}.yaml"
    text = path.read_text(encoding="utf-8")
    settings = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if isinstance(settings, dict) and ("grids" in settings or "extends" in settings):
        # The line's own reader: what it names an experiment after may be text to one reader and a number to another.
        from pipeline.config.extends import settings_in
        from pipeline.config.grids import expanded

        try:
            settings = settings_in(text, path).data
            settings = expanded(settings) if "grids" in settings else settings
        except (DayspringError, ValueError) as error:
            raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    experiments = settings.get("experiments") if isinstance(settings, dict) else None
    if not isinstance(experiments, dict) or not experiments:
        from pipeline.commands import shown

        advice = shown("check with `python -m pipeline config check`")
        raise ValueError(f"{path}: experiments: declare at least one; {advice}")
    return dict(settings)


def members_of(settings: Mapping[str, Any], experiment: str) -> list[str]:
    """The experiments of the job that a blend is made of; none of another."""
    given = settings["experiments"][experiment] or {}
    if given.get("model") != "blend":
        return []
    named = (given.get("options") or {}).get("of")
    return [each for each in named if each in settings["experiments"]] if isinstance(named, list) else []


def recalls(settings: Mapping[str, Any]) -> bool:
    """Whether what the job releases may recall items."""
    return any((given or {}).get("model") in TWO_TOWERS for given in settings["experiments"].values())


def zone_in(settings: Mapping[str, Any]) -> str:
    """The zone of the business days."""
    try:
        return checked_zone(str(settings.get("timezone", ZONE)))
    except ValueError as error:
        raise ValueError(f"timezone: {error}") from None


def zone_of(job: str) -> str:
    """The zone of the job's business days."""
    return zone_in(settings_of(job))


def known_zone_of(job: str) -> str | None:
    """The same; ``None`` where the job's settings cannot be read, which its DAG says as it is loaded."""
    try:
        return zone_of(job)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def schedule_end() -> Day | None:
    """The last day that the schedule runs by itself: ``DAYSPRING_SCHEDULE_END``, set for data that has ended."""
    last = os.environ.get("DAYSPRING_SCHEDULE_END")
    return Day.parse(last) if last else None
