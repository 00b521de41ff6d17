"""The parts of a release that hold fitted vectors, as base64 of their float32."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import Collaborative
from pipeline.features.frames.frame import Lists
from pipeline.features.state.bags import VALUES
from pipeline.features.state.factors import Factors
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.keyed_parts import field_of
from pipeline.release.contents.parts import Part, encoded


def factors_part(settings: Collaborative) -> str:
    """The part of the values' vectors, by context."""
    return f"factors.{settings.name}"


def own_factors_part(settings: Collaborative) -> str:
    """The part of the owners' vectors."""
    return f"own_factors.{settings.name}"


def factor_parts(here: AsOf) -> Iterable[Part]:
    """The vectors that the next day's requests read, of values and of owners."""
    for settings in here.plan.collaborative_settings:
        yield _of_values(here, settings, here.factors[settings.name])
        yield _of_owners(here, settings, here.factors[settings.name])


def _of_values(here: AsOf, settings: Collaborative, factors: Factors) -> Part:
    """The values that are known of each context, those that have a vector."""
    members = here.state.bags[settings.context, settings.bag].all.members
    lists = members.columns[VALUES]
    assert isinstance(lists, Lists)
    there = factors.table.find(lists.values) >= 0
    ends = np.concatenate([[0], np.cumsum(there)])[lists.offsets].tolist()
    codes = lists.values[there]
    raw = here.raw(here.space_of(settings.bag), codes).tolist()
    vectors = texts(factors.vectors(codes))
    contexts = here.raw(here.space_of(settings.context), members.keys).tolist()
    return Part(factors_part(settings), {
        field_of(context): encoded({VALUES: raw[start:end], "vectors": vectors[start:end]})
        for context, (start, end) in zip(contexts, pairwise(ends), strict=True)
    })  # fmt: skip


def _of_owners(here: AsOf, settings: Collaborative, factors: Factors) -> Part:
    table = here.state.bags[settings.context, settings.bag].own[settings.owner]
    (codes,), _ = table.all(here.day)
    owners = here.raw(here.space_of(settings.owner), codes).tolist()
    vectors = texts(factors.owners(settings, table, codes))
    return Part(own_factors_part(settings), {
        field_of(owner): encoded(vector) for owner, vector in zip(owners, vectors, strict=True)
    })  # fmt: skip


def texts(vectors: NDArray[np.float32]) -> list[str]:
    """A text a row."""
    return [b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]


def vectors_of(stored: Sequence[str], factors: int) -> NDArray[np.float32]:
    """The rows that ``texts`` made the texts of, ``[texts, factors]``."""
    joined = b"".join(b64decode(text) for text in stored)
    return np.frombuffer(joined, "<f4").astype(np.float32).reshape(len(stored), factors)
