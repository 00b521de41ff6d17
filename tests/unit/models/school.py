"""A small school for the models: every kind of feature, and a generated day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side

SIZES = {"teacher": 30, "chapter": 25, "section": 40, "style": 8}


def school_schema() -> FeatureSchema:
    return FeatureSchema(
        (
            Feature("teacher", Kind.CATEGORICAL, Side.REQUEST, "teacher"),
            Feature("past_styles", Kind.BAG, Side.REQUEST, "style", values=4),
            Feature(
                "chapters", Kind.BAG_SEQUENCE, Side.REQUEST, "chapter",
                of="chapter", steps=5, lead=2, values=4, stand_in="last_year_chapters", group="day",
            ),
            Feature(
                "sections", Kind.BAG_SEQUENCE, Side.REQUEST, "section",
                of="section", steps=5, lead=2, values=4, stand_in="last_year_sections", group="day",
            ),
            Feature("last_year_chapters", Kind.BAG_SEQUENCE, Side.REQUEST, "chapter", steps=5, values=4),
            Feature("last_year_sections", Kind.BAG_SEQUENCE, Side.REQUEST, "section", steps=5, values=4),
            Feature("clicks", Kind.SESSIONS, Side.REQUEST, "style", of="style", steps=2, sessions=3),
            Feature("behaviours", Kind.SEQUENCE, Side.REQUEST, "teacher", steps=6),
            Feature("study", Kind.DENSE, Side.REQUEST, size=3, normalise="zscore"),
            Feature("chapter", Kind.BAG, Side.ITEM, "chapter", values=2),
            Feature("section", Kind.BAG, Side.ITEM, "section", values=4),
            Feature("style", Kind.CATEGORICAL, Side.ITEM, "style"),
            Feature("picture", Kind.VECTOR, Side.ITEM, size=3),
            Feature("rank", Kind.DENSE, Side.ITEM, size=1, normalise="minmax"),
            Feature("counters", Kind.DENSE, Side.PAIR, size=2),
        ),
        {"teacher": "int", "chapter": "int", "section": "str", "style": "int"},
    )  # fmt: skip


def make_day(
    schema: FeatureSchema,
    *,
    requests: int = 60,
    items: int = 50,
    most: int = 12,
    sizes: dict[str, int] = SIZES,
    seed: int = 0,
    widths: dict[str, int] | None = None,
) -> DayArrays:
    """A generated day; one positive a request, the rest judged or not."""
    draw = np.random.default_rng(seed)
    layout = Layout.of(schema, widths or {})

    def ids(rows: int, columns: Any) -> Any:
        matrix = np.zeros((rows, Layout.width(columns)), np.int32)
        for name, place in columns.items():
            size = sizes[str(schema[name].space)]
            part = draw.integers(1, size, (rows, place.stop - place.start))
            if place.shape:
                part[draw.random(part.shape) < 0.4] = 0
            matrix[:, place.start : place.stop] = part
        return matrix

    def dense(rows: int, columns: Any) -> Any:
        values = draw.normal(2.0, 3.0, (rows, Layout.width(columns))).astype(np.float32)
        values[draw.random(values.shape) < 0.1] = np.nan
        return values

    counts = draw.integers(1, most + 1, requests)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    pairs = int(offsets[-1])
    label = draw.integers(-1, 1, pairs).astype(np.int8)
    label[offsets[:-1] + draw.integers(0, counts)] = 1
    return DayArrays(
        layout=layout,
        request_ids=ids(requests, layout.request_ids),
        request_dense=dense(requests, layout.request_dense),
        item_ids=ids(items, layout.item_ids),
        item_dense=dense(items, layout.item_dense),
        offsets=offsets,
        pair_item=draw.integers(0, items, pairs).astype(np.int32),
        pair_dense=dense(pairs, layout.pair_dense),
        label=label[:, None],
        weight=np.ones(requests, np.float32),
        user=np.arange(requests, dtype=np.int32),
    )


def digest(state: dict[str, np.ndarray]) -> str:
    """Of an engine's whole state: equal where all bits are."""
    whole = hashlib.sha256()
    for name in sorted(state):
        whole.update(name.encode() + str(state[name].shape).encode() + state[name].tobytes())
    return whole.hexdigest()


def with_labels(labels: list[list[int]]) -> DayArrays:
    """A day whose requests have candidates of these labels."""
    counts = [len(of_request) for of_request in labels]
    flat = [label for of_request in labels for label in of_request]
    day = make_day(school_schema(), requests=len(labels))
    return replace(
        day,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        pair_item=np.arange(len(flat), dtype=np.int32) % 50,
        pair_dense=np.zeros((len(flat), day.pair_dense.shape[1]), np.float32),
        label=np.asarray(flat, np.int8)[:, None],
    )
