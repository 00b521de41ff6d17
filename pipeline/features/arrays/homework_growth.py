"""What a day of homework brings: packages that classes were set, study rows, style counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.features.arrays.feature_codes import column_codes, first_code, list_codes, owner_codes
from pipeline.features.arrays.growth import RequestGrowth
from pipeline.features.arrays.last_year_codes import group_keys
from pipeline.features.arrays.negatives import OwnPlaces, chances, drawn, one_each
from pipeline.features.arrays.package_codes import role_codes
from pipeline.features.arrays.raw_values import as_raw, frame_ids, list_ids
from pipeline.features.frames.frame import Array, Frame, Lists
from pipeline.features.ids.fingerprints import PADDING, Codes, are_known, key_of
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.state.events import HistoryRows


class HomeworkGrowth(RequestGrowth[HomeworkDay]):
    """Growth of jobs whose requests are for homework."""

    def __init__(self, plan: Plan, request: HomeworkPlan) -> None:
        super().__init__(plan)
        self._request = request

    def item_ids(self, planned: PlannedFeature, rows: HomeworkDay) -> Array:
        return self._role_ids(planned, planned.column, rows)

    def history_ids(self, planned: PlannedFeature, rows: HomeworkDay) -> Array:
        return self._role_ids(planned, self._request.part_role(planned.column), rows)

    def _role_ids(self, planned: PlannedFeature, role: str, rows: HomeworkDay) -> Array:
        lists, kind = rows.role(role), self.kind_of(planned)
        if planned.plain:
            return as_raw(lists.values, kind, f"feature '{planned.name}'")
        return list_ids(planned, lists, kind).values

    def more_ids(self, rows: HomeworkDay, listed: Listed | None) -> Iterator[tuple[str, Array]]:
        """Of who looked and set nothing; of packages' roles, study rows and style counts; of listed candidates."""
        if self._request.settings.log is not None:
            for planned in self.plan.of_frame("row", "user", "calendar"):
                if planned.feature.has_ids:
                    yield planned.feature.space or "", frame_ids(planned, rows.requests, self.kind_of(planned))
        for role, space in self._request.roles.items():
            yield space, self._raw(space, rows.role(role).values, f"item.{role}")
        yield from self._study_ids(rows)
        yield from self._counted_ids(rows)
        if listed is not None:
            yield from self._listed_ids(listed)

    def _study_ids(self, rows: HomeworkDay) -> Iterator[tuple[str, Array]]:
        space, sections = self._request.study_owner_space, self._request.roles.get("sections")
        if rows.study is not None and space is not None:
            yield space, self._raw(space, rows.study.owner, "study owners")
            if sections is not None:
                yield sections, self._raw(sections, rows.study.section, "study sections")

    def _counted_ids(self, rows: HomeworkDay) -> Iterator[tuple[str, Array]]:
        counted, space = rows.style_counts, self._request.counted_space
        if counted is not None and space is not None:
            yield space, self._raw(space, counted.style, "style counts")
            for values, owner_space in zip(counted.owner, self._request.owner_spaces, strict=True):
                yield owner_space, self._raw(owner_space, values, "owners of style counts")

    def _listed_ids(self, listed: Listed) -> Iterator[tuple[str, Array]]:
        for planned in self.plan.of_frame("item"):
            if not planned.plain:
                made = list_ids(planned, listed.packages.role(planned.column), self.kind_of(planned))
                yield planned.feature.space or "", made.values
        for role, space in self._request.roles.items():
            yield space, self._raw(space, listed.packages.role(role).values, f"candidates: {role}")

    def _raw(self, space: str, values: Array, what: str) -> Array:
        return as_raw(values, self.plan.space_kind(space), what)

    def item_codes(self, planned: PlannedFeature, rows: HomeworkDay) -> Codes:
        lists = rows.role(planned.column)
        if planned.plain:
            return first_code(role_codes(self.plan, self._request, planned.column, lists))
        return first_code(list_codes(list_ids(planned, lists, self.kind_of(planned))))

    def item_bags(self, planned: PlannedFeature, rows: HomeworkDay) -> Lists:
        lists = rows.role(planned.column)
        if planned.plain:
            return role_codes(self.plan, self._request, planned.column, lists)
        return list_codes(list_ids(planned, lists, self.kind_of(planned)))

    def history(self, rows: HomeworkDay) -> HistoryRows:
        request = self._request
        roles = {part: request.part_role(part) for part in request.history_parts}
        return HistoryRows(
            owner_codes(self.plan, rows.events),
            {part: role_codes(self.plan, request, role, rows.role(role)) for part, role in roles.items()},
            group_keys(self.plan, request, request.group_columns, rows.events),
            group_keys(self.plan, request, request.own_columns, rows.events),
        )

    def negatives(self, rows: HomeworkDay) -> tuple[HistoryRows | None, Mapping[str, int]]:
        """Of each part ids that others were set on the day and the owner was not, a row an owner."""
        request, settings = self._request, self._request.negatives
        if settings is None:
            return None, {}
        owner_ids = owner_codes(self.plan, rows.events)
        owners, first, own = np.unique(key_of(*owner_ids), return_index=True, return_inverse=True)
        chance, parts = chances(self.plan.config.job, rows.day, owners, settings.count), {}
        for part in request.negative_parts:
            lists = role_codes(self.plan, request, request.part_role(part), rows.role(request.part_role(part)))
            # What is missing is nothing that could be set.
            owner, code = np.repeat(owners[own], lists.lengths), lists.values
            owner, code = owner[are_known(code)], code[are_known(code)]
            codes, place = np.unique(code, return_inverse=True)
            weights = np.bincount(place, minlength=len(codes))
            if settings.taken_from == "uniform":
                weights = np.minimum(weights, 1)
            places = drawn(weights, owners, OwnPlaces.of(owners, owner, place), chance)
            parts[part] = one_each(np.append(codes, PADDING)[places])
        return HistoryRows(tuple(each[first] for each in owner_ids), parts), {}

    def catalogue(self, rows: HomeworkDay) -> tuple[Codes, dict[str, Lists]]:
        """Packages taken on the day, where candidates are those that were seen: the table knows more of listed ones."""
        request = self._request
        if request.settings.candidates.taken_from != "seen":
            return np.zeros(0, np.int64), {}
        roles = {role: role_codes(self.plan, request, role, rows.role(role)) for role in request.roles}
        keys = roles.pop("key").values
        return keys, roles

    def latest(self, rows: HomeworkDay) -> tuple[tuple[Codes, Codes], NDArray[np.float32]]:
        """Classes, sections and values of study rows."""
        study, space, sections = rows.study, self._request.study_owner_space, self._request.roles.get("sections")
        if study is None or space is None or sections is None:
            return super().latest(rows)
        owner = column_codes(self.plan, space, study.owner, "study owners")
        return (owner, column_codes(self.plan, sections, study.section, "study sections")), study.values

    def counts_by_id(self, rows: HomeworkDay) -> HistoryRows | None:
        """Style counts."""
        counted, space = rows.style_counts, self._request.counted_space
        if counted is None or space is None:
            return None
        columns = zip(self._request.owner_columns, counted.owner, strict=True)
        style = column_codes(self.plan, space, counted.style, "style counts")
        ends = np.arange(len(style) + 1, dtype=np.int64)
        owner = owner_codes(self.plan, Frame(len(style), {f"row.{column}": values for column, values in columns}))
        return HistoryRows(owner, {"styles": Lists(ends, style), "counts": Lists(ends, counted.count)})
