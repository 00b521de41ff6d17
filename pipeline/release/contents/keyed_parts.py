"""Parts of a release keyed by raw ids: a row of columns a key, or a group of rows a key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.config.requests import Profile
from pipeline.features.frames.frame import Array, Column, Frame
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.rows.day import flat
from pipeline.features.rows.profiles import Profiles
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.columns_json import kind_of, plain
from pipeline.release.contents.parts import Part, encoded


def field_of(*raw: Any) -> str:
    """The field of one raw id, or of several that together are a key."""
    return str(raw[0]) if len(raw) == 1 else encoded(list(raw)).decode()


def framed(name: str, keys: Array, columns: Mapping[str, Column], meta: dict[str, Any]) -> Part:
    """A part with a row of columns a key; the columns' order and kinds go into ``meta``."""
    meta["frames"][name] = [[column, kind_of(values)] for column, values in columns.items()]
    rows = zip(*(plain(values) for values in columns.values()), strict=True) if columns else ([] for _ in keys)
    return Part(name, {field_of(key): encoded(row) for key, row in zip(keys.tolist(), rows, strict=True)})


def grouped(name: str, keys: Sequence[Any], offsets: Iterable[int], columns: Mapping[str, list[Any]]) -> Part:
    """A part with, for each key, its rows ``offsets[i]:offsets[i + 1]`` of the columns."""
    ends = list(offsets)
    return Part(name, {
        field_of(key): encoded({column: values[start:end] for column, values in columns.items()})
        for key, (start, end) in zip(keys, pairwise(ends), strict=True)
    })  # fmt: skip


def owners_of(here: AsOf, codes: tuple[Codes, ...]) -> list[list[Any]]:
    """Raw ids of histories' owners, one list for each of the ids that make an owner."""
    return [here.raw(space, each).tolist() for space, each in zip(here.plan.request.owner_spaces, codes, strict=True)]


def starts_of(ordered: Codes) -> NDArray[np.intp]:
    """Where each value begins in a column whose equal values stand together."""
    return np.flatnonzero(np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]]))


def distinct(keys: Array) -> Array:
    """The keys less missing ones, each once, in order of first appearance."""
    import pandas as pd

    missing: Any = MISSING_INT if keys.dtype.kind == "i" else MISSING_STR
    found: Array = pd.unique(keys)
    return found[np.asarray(found != missing, bool)]


def profiles(here: AsOf, table: str, key: str, names: Sequence[str], prefix: str, keys: Array | None = None) -> Frame:
    """The columns of an undated table for each of its keys, or for ``keys``; the key itself as ``<prefix>.<key>``."""
    rows = here.tables(table)
    if keys is None:
        keys = distinct(flat(column_of(rows, key)))
    columns = Profiles(rows, key, names).join(keys, prefix) if names else {}
    return Frame(len(keys), {**columns, f"{prefix}.{key}": keys})


def user_profiles(here: AsOf, profile: Profile | None, names: Sequence[str], meta: dict[str, Any]) -> list[Part]:
    """The part of the users' columns; none where the job reads none of them."""
    if profile is None or not names:
        return []
    users = profiles(here, profile.table, profile.key, names, "user")
    return [framed("profiles", flat(users[f"user.{profile.key}"]), users.columns, meta)]


def grouped_by_owner(
    name: str, owners: Sequence[list[Any]], offsets: NDArray[np.int64], columns: Mapping[str, list[Any]]
) -> Part:
    """As ``grouped``, for keys of several raw ids, one list an id."""
    ends = offsets.tolist()
    return Part(name, {
        field_of(*owner): encoded({column: values[start:end] for column, values in columns.items()})
        for owner, (start, end) in zip(zip(*owners, strict=True), pairwise(ends), strict=True)
    })  # fmt: skip
