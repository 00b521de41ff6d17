"""Features of jobs of labelled rows: made of the row itself, and of counts of earlier days by what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from models.schema import Side
from pipeline.config.features import OF_LISTS
from pipeline.config.labelled import LabelledRows
from pipeline.errors import ConfigError
from pipeline.features.plan.counted import check_value_columns, value_columns
from pipeline.features.plan.request import RequestPlan


class LabelledPlan(RequestPlan):
    """What labelled rows make of a job's features: nobody owns a history, and there are no items."""

    sides: ClassVar = {"row": ("request",), "calendar": ("request",)}

    settings: LabelledRows

    @property
    def owner_columns(self) -> tuple[str, ...]:
        return ()

    @property
    def row_columns(self) -> list[str]:
        names = [c for f in self.features.of_frame("row") for _, c in f.columns]
        names += value_columns(self.config)
        return list(dict.fromkeys([*([self.settings.group] if self.settings.group else []), *names]))

    @property
    def user_columns(self) -> list[str]:
        return []

    def _identities(self) -> dict[str, str]:
        return {}

    def _history_parts(self) -> dict[str, str]:
        return {}

    def _check_columns(self) -> None:
        super()._check_columns()
        check_value_columns(self.config)

    def _check_sources(self) -> None:
        for planned in self.features.values():
            counter = planned.settings.counter
            if counter is None:
                continue
            if counter.measure in OF_LISTS:
                raise ConfigError(
                    f"features.{planned.name}.counter.measure: `{counter.measure}` is of a list of candidates, and a "
                    "row has none"
                )
            if planned.feature.side is not Side.REQUEST:
                raise ConfigError(
                    f"features.{planned.name}.side: '{planned.feature.side}', but a row has no item beside it; leave "
                    "`side` out"
                )
        super()._check_sources()

    def _label_problem(self, column: str) -> str | None:
        return "is the label" if column in {self.settings.label, *self._task_labels} else None

    def _named_tables(self) -> Iterator[tuple[str, str]]:
        yield "rows", self.settings.rows

    def _named_columns(self) -> Iterator[tuple[str, str, str]]:
        yield from ()

    def _deciding(self) -> Iterator[tuple[str, str, str]]:
        rows = self.settings.rows
        if self.settings.group is not None:
            yield "rows.group", rows, self.settings.group
        yield from ((f"tables.{rows}.order", rows, column) for column in self.config.tables[rows].order)
