"""A day's rows of a job for homework: besides, which packages were set, how classes master sections, style counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.frame import Array, Lists
from pipeline.features.rows.day import DayRows


@dataclass(frozen=True)
class Judged:
    """What is known of (request, package) pairs, each pair once.

    Attributes:
        request: int64 ``[pairs]`` row of the request.
        key: object ``[pairs]`` raw key of the package.
        label: int8 ``[pairs]``; 1 positive, 0 judged and negative.
        others: the label of candidates that are not among the pairs: 0 (negative) or -1 (not judged).
    """

    request: NDArray[np.int64]
    key: Array
    label: NDArray[np.int8]
    others: int

    @classmethod
    def nothing(cls) -> Judged:
        """No pair is known, and no candidate was taken."""
        return cls(np.zeros(0, np.int64), np.zeros(0, object), np.zeros(0, np.int8), others=0)


@dataclass(frozen=True)
class StudyRows:
    """How owners master sections, one row an (owner, base section): raw ids and float32 ``[rows, values]``."""

    owner: Array
    section: Array
    values: NDArray[np.float32]


@dataclass(frozen=True)
class StyleCountRows:
    """How often owners were set each style, one row an (owner, style): raw ids by owner column, and int64 counts."""

    owner: tuple[Array, ...]
    style: Array
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class HomeworkDay(DayRows):
    """Requests for homework, and homework that was set: every event is positive.

    Attributes:
        judged: labels of the requests' candidates.
    """

    kind: ClassVar[str] = "homework"
    judged: Judged
    study: StudyRows | None = None
    style_counts: StyleCountRows | None = None

    def role(self, name: str) -> Lists:
        """A role of the packages as lists, one row an item."""
        column = self.items[f"item.{name}"]
        if isinstance(column, Lists):
            return column
        return Lists(np.arange(len(column) + 1, dtype=np.int64), column)

    def beside(self) -> tuple[dict[str, Array], dict[str, Any]]:
        judged, study, counted = self.judged, self.study, self.style_counts
        columns = {"judged/request": judged.request, "judged/key": judged.key, "judged/label": judged.label}
        if study is not None:
            columns |= {"study/owner": study.owner, "study/section": study.section, "study/values": study.values}
        if counted is not None:
            columns |= {f"style_counts/owner/{place}": owner for place, owner in enumerate(counted.owner)}
            columns |= {"style_counts/style": counted.style, "style_counts/count": counted.count}
        owners = len(counted.owner) if counted is not None else None
        return columns, {"others": judged.others, "study": study is not None, "style_count_owners": owners}

    @classmethod
    def of(cls, fields: Mapping[str, Any], column: Callable[[str], Array], told: Mapping[str, Any]) -> Self:
        study = counted = None
        if told["study"]:
            study = StudyRows(column("study/owner"), column("study/section"), column("study/values"))
        if told["style_count_owners"] is not None:
            owner = tuple(column(f"style_counts/owner/{place}") for place in range(told["style_count_owners"]))
            counted = StyleCountRows(owner, column("style_counts/style"), column("style_counts/count"))
        judged = Judged(column("judged/request"), column("judged/key"), column("judged/label"), told["others"])
        return cls(**fields, judged=judged, study=study, style_counts=counted)
