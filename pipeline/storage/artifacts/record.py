"""What a manifest says beside the fields that all have: a record a kind, typed for who writes it and who reads it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CorruptArtifact
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.manifest import NAME, damage

_LARGEST = 1 << 53


Finite = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]
Measure = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)] | float | None
"""A measure may be undefined, such as an AUC of a single class: ``None``, or no number."""


class Record(BaseModel):
    """What the manifest of one kind says in ``extra``.

    A field without a default was written by every version; a later version's fields are passed over.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    kind: ClassVar[str]

    @classmethod
    def of(cls, artifact: Artifact) -> Self:
        """What a manifest says; raises ``CorruptArtifact``, which names the file, the field and the value."""
        try:
            return cls.model_validate(artifact.manifest.extra)
        except ValidationError as error:
            raise CorruptArtifact(damage(artifact.path / NAME, error, "extra")) from error

    def written(self) -> dict[str, Any]:
        """As ``extra`` of a manifest."""
        return self.model_dump()


def is_none(value: object) -> bool:
    """For a field that is only written where it says something: ``Field(default=None, exclude_if=is_none)``."""
    return value is None
