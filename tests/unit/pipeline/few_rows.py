"""Tables of few values, so that rows recur: numbers, texts and lists, any of them missing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.sampled_from(["a", "b", "a,b", ""])),
        st.one_of(st.none(), st.lists(st.integers(0, 2), max_size=2)),
    ),
    max_size=30,
)


def as_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    types = [pa.int64(), pa.string(), pa.list_(pa.int64())]
    return pa.table([pa.array([row[i] for row in rows], kind) for i, kind in enumerate(types)], names=["n", "t", "l"])
