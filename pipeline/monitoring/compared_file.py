"""``reports/<job>/compared.json``: each day's comparison of the experiments, kept so that a report costs one day."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import CorruptArtifact
from pipeline.evaluation.records import ComparedDay
from pipeline.storage.artifacts.manifest import DayText
from pipeline.storage.files import write_atomic

NAME = "compared.json"


class Row(BaseModel):
    """An experiment against the first one over the newest days (see ``Standing``)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    experiment: str
    days: int
    value: float | None
    first: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: Literal["better", "worse", "cannot tell"]


class ComparedFile(BaseModel):
    """The comparison of a job's experiments by its primary measure.

    Attributes:
        first_day, last_day: the newest days, of which ``rows`` are.
        days: all days that were compared.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    measure: str
    experiments: list[str]
    confidence: float
    first_day: DayText
    last_day: DayText
    rows: list[Row]
    days: list[ComparedDay]

    @classmethod
    def read(cls, folder: Path) -> ComparedFile | None:
        """From a job's folder of reports; ``None`` if there is none. Raises ``CorruptArtifact``."""
        path = folder / NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CorruptArtifact(f"{path}: cannot be read ({error.strerror}); delete it") from error
        except ValidationError as error:
            where = ".".join(str(each) for each in error.errors(include_url=False)[0]["loc"]) or "all of it"
            raise CorruptArtifact(f"{path}: damaged ({where}); delete it, the next report writes it") from error

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / NAME, self.model_dump_json().encode())
