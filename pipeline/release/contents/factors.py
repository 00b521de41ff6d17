"""The parts of a release that hold what was fitted: floats as base64 of their float32, neighbours as raw ids."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import Collaborative
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.state.bags import VALUES
from pipeline.features.state.factor_store import Fitted
from pipeline.features.state.factors import Factors
from pipeline.features.state.neighbours import NEAR, WEIGHT, last_taken
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.columns_json import plain
from pipeline.release.contents.keyed_parts import field_of
from pipeline.release.contents.parts import Part, encoded

VECTORS = "vectors"


def factors_part(settings: Collaborative) -> str:
    """The part of the values' vectors or neighbours, by context."""
    return f"factors.{settings.name}"


def own_factors_part(settings: Collaborative) -> str:
    """The part of the owners' vectors, or of what they took last."""
    return f"own_factors.{settings.name}"


def factor_parts(here: AsOf) -> Iterable[Part]:
    """What the next day's requests read of what was fitted, of values and of owners."""
    for settings in here.plan.collaborative_settings:
        yield _of_values(here, settings, here.factors[settings.name])
        yield _of_owners(here, settings, here.factors[settings.name])


def _of_values(here: AsOf, settings: Collaborative, fitted: Fitted) -> Part:
    """The values that are known of each context, those that were there at the fit."""
    members = here.state.bags[settings.context, settings.bag].all.members
    lists = members.columns[VALUES]
    assert isinstance(lists, Lists)
    there = fitted.table.find(lists.values) >= 0
    ends = np.concatenate([[0], np.cumsum(there)])[lists.offsets].tolist()
    codes = lists.values[there]
    raw = here.raw(here.space_of(settings.bag), codes).tolist()
    columns = {VALUES: raw, **_columns_of(here, settings, fitted, codes)}
    contexts = here.raw(here.space_of(settings.context), members.keys).tolist()
    return Part(factors_part(settings), {
        field_of(context): encoded({name: each[start:end] for name, each in columns.items()})
        for context, (start, end) in zip(contexts, pairwise(ends), strict=True)
    })  # fmt: skip


def _columns_of(here: AsOf, settings: Collaborative, fitted: Fitted, codes: Codes) -> dict[str, list[Any]]:
    """What is stored of values beside them."""
    if isinstance(fitted, Factors):
        return {VECTORS: texts(fitted.vectors(codes))}
    rows = fitted.table.find(codes)
    near = fitted.column(NEAR)[rows]
    number = (near != MISSING).sum(axis=1)
    ends = np.concatenate([[0], np.cumsum(number)]).tolist()
    raw = here.raw(here.space_of(settings.bag), near[near != MISSING]).tolist()
    return {NEAR: [raw[start:end] for start, end in pairwise(ends)], WEIGHT: texts(fitted.column(WEIGHT)[rows])}


def _of_owners(here: AsOf, settings: Collaborative, fitted: Fitted) -> Part:
    table = here.state.bags[settings.context, settings.bag].own[settings.owner]
    (codes,), _ = table.all(here.day)
    owners = here.raw(here.space_of(settings.owner), codes).tolist()
    if isinstance(fitted, Factors):
        stored: list[Any] = texts(fitted.owners(settings, table, codes))
    else:
        last = last_taken(settings, table, codes)
        stored = plain(Lists(last.offsets, here.raw(here.space_of(settings.bag), last.values)))
    return Part(own_factors_part(settings), {
        field_of(owner): encoded(each) for owner, each in zip(owners, stored, strict=True)
    })  # fmt: skip


def texts(vectors: NDArray[np.float32]) -> list[str]:
    """A text a row."""
    return [b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]


def vectors_of(stored: Sequence[str], factors: int) -> NDArray[np.float32]:
    """The rows that ``texts`` made the texts of, ``[texts, factors]``."""
    joined = b"".join(b64decode(text) for text in stored)
    return np.frombuffer(joined, "<f4").astype(np.float32).reshape(len(stored), factors)
