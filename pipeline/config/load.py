"""Reading a job's YAML: every mistake is an error that names the file, the field and the value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from models.options import meant
from pipeline.config.effects import check_effects
from pipeline.config.experiment import Experiment
from pipeline.config.extends import Settings, settings, settings_in
from pipeline.config.grids import expanded
from pipeline.config.job import JobConfig
from pipeline.config.known_settings import settings_at
from pipeline.errors import ConfigError


def conf_folder() -> Path:
    """The folder of job YAML: ``DAYSPRING_CONF``, else ``conf`` of the project."""
    return Path(os.environ.get("DAYSPRING_CONF") or Path(__file__).resolve().parents[2] / "conf")


def job_names(folder: Path | None = None) -> list[str]:
    return sorted(path.stem for path in (folder or conf_folder()).glob("*.yaml"))


def load_job(job: str, folder: Path | None = None) -> JobConfig:
    """The job's configuration; raises ``ConfigError`` naming file, field and value."""
    folder = folder or conf_folder()
    path = folder / f"{job}.yaml"
    if not path.is_file():
        known = ", ".join(job_names(folder)) or "none"
        raise ConfigError(f"{path}: no such file; jobs in {folder}: {known} (set DAYSPRING_CONF to another folder)")
    config = _config(settings(path))
    if config.job != job:
        raise ConfigError(f"{path}: job: '{config.job}' does not match the file's name '{job}'")
    return config


def parse_job(text: str, path: Path) -> JobConfig:
    """The configuration in ``text``; ``path`` is named in errors."""
    return _config(settings_in(text, path))


def _config(found: Settings) -> JobConfig:
    data = found.data
    try:
        if "grids" in data:
            data = expanded(data, Experiment.model_fields)
        config = JobConfig.model_validate(data)
        check_effects(config)
    except ValidationError as error:
        grids = {name: grid for grid, names in data.get("grids", {}).items() for name in names}
        raise ConfigError("\n".join(_lines(error, found.where, grids))) from None
    except ValueError as error:
        raise ConfigError(f"{found.where}: {error}") from None
    return config


_IN_UNION = re.compile(r"literal\[.*\]|constrained-\w+|function-\w+\[.*\]|(dict|tuple|list)\[.*\]|str|int|float|bool")
"""How pydantic names what a setting may be among several, in a place that no setting is called."""


def _lines(error: ValidationError, path: str, grids: Mapping[str, str]) -> list[str]:
    """A line a mistake; ``grids`` says which grid an experiment was made of."""
    lines = []
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"] if not _IN_UNION.fullmatch(str(part))) or "the job"
        if problem["loc"][:1] == ("experiments",) and problem["loc"][1:2] and problem["loc"][1] in grids:
            field += f" (of grids.{grids[str(problem['loc'][1])]})"
        if problem["type"] == "extra_forbidden":
            nearly = meant(str(problem["loc"][-1]), settings_at(JobConfig, problem["loc"]))
            lines.append(f"{path}: {field}: no such setting{nearly}; check its spelling and place")
            continue
        value = problem.get("input")
        if problem["type"] in ("dict_type", "model_type"):
            lines.append(f"{path}: {field}: {_shown(value)} is not a mapping; write `name: value`, a line for each")
            continue
        if problem["type"] == "string_type" and problem["loc"][-1] == "[key]":
            field = ".".join(str(part) for part in problem["loc"][:-2])
            lines.append(f"{path}: {field}: {_shown(value)} is no name; write `name: value`, the name as text")
            continue
        shown = "" if isinstance(value, dict | list) or problem["type"] == "missing" else f" (got {_shown(value)})"
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{path}: {field}: {message}{shown}")
    return lines


def _shown(value: object) -> str:
    """A value as the YAML has it."""
    return "null" if value is None else repr(value)
