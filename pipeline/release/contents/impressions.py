"""The parts of a release that only jobs of impressions have: profiles of users and items, the items to rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.features.frames.from_arrow import column_of
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.day import flat
from pipeline.features.rows.impressions import item_frame
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.keyed_parts import distinct, framed, user_profiles
from pipeline.release.contents.known_ids import looked_up
from pipeline.release.contents.parts import Part, encoded


def impression_parts(
    here: AsOf, request: ImpressionPlan, meta: dict[str, Any], sizes: Mapping[str, int]
) -> list[Part]:
    """Ids, histories, profiles, items and candidates: the items shown in the last ``candidate_days`` days."""
    settings = request.settings
    parts = [*looked_up(here, sizes), *user_profiles(here, settings.profile, request.user_columns, meta)]
    shown = here.raw(request.item_space, here.state.catalogue.seen_since(here.day.plus(1 - settings.candidate_days)))
    shown = np.sort(shown) if shown.dtype.kind == "i" else np.array(sorted(shown), object)
    parts.append(Part("candidates", {"all": encoded(shown.tolist())}))
    keys = shown
    if settings.items is not None and request.item_columns:
        every = distinct(flat(column_of(here.tables(settings.items.table), settings.items.key)))
        keys = distinct(np.concatenate([shown.astype(every.dtype), every]))
    frame = item_frame(settings, request.item_columns, here.tables, keys)
    parts.append(framed("items", keys, frame.columns, meta))
    return parts

