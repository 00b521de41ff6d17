"""What the page needs of a job's settings; a YAML that cannot be read hides nothing of what was trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.alerts import Alerts
from pipeline.config.extends import settings
from pipeline.config.job import JobConfig
from pipeline.config.load import conf_folder, load_job
from pipeline.config.measures import MEASURES, Better, columns, split
from pipeline.days import Day
from pipeline.errors import DayspringError


@dataclass(frozen=True)
class Job:
    """A job as its settings describe it.

    Attributes:
        experiments: of the YAML, in its order.
        grids: the grid that an experiment was made of, by its name.
        starts: first day by the settings, by experiment.
        settings: digest of what the training of each experiment reads.
        measures: in the order in which they are shown; ``primary`` is among them.
        alerts: limits of what is usual.
        dated: tables with a row a day; ``None`` = not known, all are shown.
        problem: why the settings could not be read, if so.
    """

    name: str
    kind: str = ""
    experiments: tuple[str, ...] = ()
    champion: str = ""
    grids: dict[str, str] = field(default_factory=dict)
    starts: dict[str, Day | None] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    measures: tuple[str, ...] = ()
    primary: str = ""
    dated: tuple[str, ...] | None = None
    weekdays: int = 4
    alerts: Alerts = field(default_factory=Alerts)
    problem: str | None = None

    @classmethod
    def read(cls, name: str) -> Job:
        """The job as the YAML under ``DAYSPRING_CONF`` has it now; with ``problem`` where that cannot be read."""
        path = conf_folder() / f"{name}.yaml"
        if not path.is_file():
            return cls(name, problem=f"{path}: no such file; the days that were trained are shown all the same")
        known = _KNOWN.get(path)
        if known is None or known[0] != _written(each for each, _ in known[0]):
            known = _read(name, path)
            # Which files one stands on that cannot be read is not known: it is read again.
            if known[1].problem is None:
                _KNOWN[path] = known
        return known[1]

    def better(self, way: Better) -> list[str]:
        """The shown measures of which it is better to be ``lower`` or ``near_one``."""
        known = {name: measure for listed in MEASURES.values() for name, measure in listed.items()}
        return [each for each in self.measures if known[split(each)[1]].better == way]


Written = tuple[tuple[Path, int | None], ...]
"""Files, and when each was written; ``None``: it is not there."""
_KNOWN: dict[Path, tuple[Written, Job]] = {}


def _written(files: Iterable[Path]) -> Written:
    return tuple((each, each.stat().st_mtime_ns if each.is_file() else None) for each in files)


def _read(name: str, path: Path) -> tuple[Written, Job]:
    written = _written([path])
    try:
        written = _written(settings(path).files)
        return written, _job(name, load_job(name, path.parent))
    except DayspringError as error:
        return written, Job(name, problem=str(error))


def _job(name: str, config: JobConfig) -> Job:
    measures, primary = columns(config.known_measures), config.primary
    return Job(
        name, config.kind, tuple(config.experiments), config.release.champion,
        grids={name: grid for grid, names in config.grids.items() for name in names},
        starts={each: settings.start or config.start for each, settings in config.experiments.items()},
        settings={each: config.stage_settings("train", each) for each in config.experiments},
        measures=measures if primary in measures else (*measures, primary), primary=primary,
        dated=tuple(each for each, table in config.tables.items() if table.dated),
        weekdays=config.validation.weekdays, alerts=config.alerts,
    )  # fmt: skip
