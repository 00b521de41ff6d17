"""Features of jobs whose requests are impressions of one item: a user owns a history of the items that he took."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

from models.schema import Kind
from pipeline.config.impressions import Impressions
from pipeline.config.negatives import Negatives
from pipeline.errors import ConfigError
from pipeline.features.plan.counted import check_value_columns, value_columns
from pipeline.features.plan.declared import PlannedFeature, one_space
from pipeline.features.plan.levels import PART, check_level_rules, level_columns, level_space
from pipeline.features.plan.request import RequestPlan, columns_of_profile, kept_as_it_is
from pipeline.features.plan.row_parts import ROW, row_parts


class ImpressionPlan(RequestPlan):
    """What impressions make of a job's features."""

    sides: ClassVar = {
        "row": ("request", "pair"), "user": ("request",), "item": ("item",), "history": ("request",),
        "calendar": ("request",),
    }  # fmt: skip

    settings: Impressions

    @property
    def owner_columns(self) -> tuple[str, ...]:
        return (self.settings.user,)

    @property
    def row_columns(self) -> list[str]:
        names = [self.settings.user, *(c for f in self.features.of_frame("row") for _, c in f.columns)]
        names += [part.column for part in self.row_parts.values()]
        names += [*level_columns(self.config), *value_columns(self.config)]
        return list(dict.fromkeys([*names, *([self.time] if self.time is not None else [])]))

    @cached_property
    def time(self) -> str | None:
        """The column that says when an impression was; none where no feature is made of moments.

        Raises:
            ConfigError: a feature is, and the rows tell no moment of each, or do not come in the order of them.
        """
        asking = next((f.name for f in self.features.values() if f.settings.needs_times), None)
        if asking is None:
            return None
        name, table = self.settings.rows, self.config.tables[self.settings.rows]
        if table.time is None or not table.columns[table.time].required or table.order[:1] != (table.time,):
            raise ConfigError(
                f"features.{asking}: is made of the moments of steps: tables.{name}.time has to name a column that is "
                f"{{type: time, required: true}} and stands first in tables.{name}.order"
            )
        return table.time

    @property
    def user_columns(self) -> list[str]:
        names = [c for f in self.features.of_frame("user") for _, c in f.columns]
        if self.settings.profile is not None and self.settings.profile.register_day is not None:
            names.append(self.settings.profile.register_day)
        return list(dict.fromkeys(names))

    @property
    def item_columns(self) -> list[str]:
        names = [c for f in self.features.of_frame("item") for _, c in f.columns]
        names += [part for part in self.settings.history_parts if not part.startswith(ROW)]
        return [name for name in dict.fromkeys(names) if name != self.settings.item]

    def source_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        if frame == "item" and self.settings.items is None:
            own = self.settings.item
            return None if column == own else f"without `impressions.items` an item has its id alone, `item.{own}`"
        if frame != "history":
            return super().source_problem(planned, frame, column)
        if planned.feature.kind is Kind.AGES:
            return None
        changed = kept_as_it_is(planned)
        if changed is not None and not column.startswith(ROW):
            return changed
        parts = ("items", *self.settings.history_parts, *([PART] if self.config.history.outcome else []))
        if column not in parts:
            return f"no such part; one of {', '.join(parts)} (see impressions.history_parts, history.outcome)"
        return None if planned.feature.kind.is_history else "is a sequence or a bag_sequence, or made of sessions"

    def negatives_problem(self, planned: PlannedFeature, negatives: Negatives) -> str | None:
        if negatives.taken_from == "shown" and self.config.history.of == "all":
            return "`from: shown` finds nothing, as all that was shown are steps (`history.of: all`); drop `from`"
        allowed = self.config.tables[self.settings.rows].columns[self.settings.label].allowed
        if negatives.taken_from == "shown" and allowed is not None and 0 not in allowed:
            return "`from: shown` finds nothing: the log has no impressions that were not clicked; drop `from`"
        return super().negatives_problem(planned, negatives)

    def _label_problem(self, column: str) -> str | None:
        return "is the label" if column in {self.settings.label, *self._task_labels} else None

    def _named_tables(self) -> Iterator[tuple[str, str]]:
        yield "rows", self.settings.rows
        for setting, profile in (("profile", self.settings.profile), ("items", self.settings.items)):
            if profile is not None:
                yield f"{setting}.table", profile.table

    def _named_columns(self) -> Iterator[tuple[str, str, str]]:
        yield from columns_of_profile("impressions.profile", self.settings.profile)
        yield from columns_of_profile("impressions.items", self.settings.items)

    def _deciding(self) -> Iterator[tuple[str, str, str]]:
        rows = self.settings.rows
        yield "impressions.user", rows, self.settings.user
        yield "impressions.item", rows, self.settings.item
        yield from ((f"tables.{rows}.order", rows, column) for column in self.config.tables[rows].order)

    def _check_columns(self) -> None:
        super()._check_columns()
        check_level_rules(self.config, self.settings)
        check_value_columns(self.config)
        _ = self.time

    def _identities(self) -> dict[str, str]:
        user = self.features.space_of("row", self.settings.user, "impressions.user")
        return {
            "user": user,
            f"owner.{self.settings.user}": user,
            "item": self.features.space_of("item", self.settings.item, "impressions.item"),
        }

    def _history_parts(self) -> dict[str, str]:
        parts = {"items": self.item_space}
        for part in self.settings.history_parts:
            items = {f.feature.space for f in self.features.of_frame("item") if f.column == part and f.plain}
            space = one_space(items | {self.part_space(part)}, f"item.{part}")
            if space is None:
                other = "" if part.startswith(ROW) else f"item.{part} or "
                raise ConfigError(
                    f"impressions.history_parts: '{part}' has no id space; declare a feature with source {other}"
                    f"history.{part}"
                )
            parts[part] = space
        levels = level_space(self.config, self.features.values(), self.settings.history_parts)
        return parts | ({PART: levels} if levels is not None else {})

    def _row_parts(self) -> dict[str, PlannedFeature]:
        return row_parts(self.config, self.settings, self.features)
