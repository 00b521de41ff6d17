"""How several ids become one vector: those of a day of a history, and those of a bag."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

import keras
from pydantic import Field

from models.encoders.history import HistoryGroup
from models.layers.day_reader import DayReader, ReaderOfEachDay, Reading
from models.layers.pooling import Pooling
from models.options import ModelOptions
from models.schema import FeatureSchema, Kind

SHARED = "days"
"""The name of the one reader of all id spaces."""


class ValueOptions(ModelOptions):
    """Options of every model that reads features of several values."""

    values_pooling: Pooling = Field("mean", description="how the values of a day or of a bag are pooled")
    day_values: Literal["pooled", "rnn", "gru", "attention"] = Field(
        "pooled",
        description="what the vector of a day is of its ids: pooled; what two recurrent units end with over them, both "
        "ways (`rnn`); the last state of a gated one; or their sum, weighted by a network of each",
    )
    day_sharing: Literal["space", "all", "none"] = Field(
        "space",
        description="days are read by one reader for each id space, by one for all, or each by its own (`none`)",
    )
    day_residual: bool = Field(False, description="add the pooled ids to what is read of a day")
    day_normalise: bool = Field(False, description="normalise what is read of a day (layer normalisation)")
    bags: dict[str, Reading] = Field(
        default_factory=dict,
        description="by bag, what reads its ids, in their order, instead of pooling: rnn, gru or attention",
    )


def day_readers(options: ValueOptions, groups: Iterable[HistoryGroup], spaces: Iterable[str]) -> dict[str, Any]:
    """By id space what reads the days of its histories; none where they are pooled.

    Args:
        spaces: of histories whose days, or parts of these, are steps.
    """
    if options.day_values == "pooled":
        return {}
    add = options.values_pooling if options.day_residual else None
    settings: dict[str, Any] = {"how": options.day_values, "add": add, "normalise": options.day_normalise}
    if options.day_sharing == "all":
        one = DayReader(**settings, name=SHARED)
        return dict.fromkeys(spaces, one)
    if options.day_sharing == "space":
        return {space: DayReader(**settings, name=f"days_{space}") for space in spaces}
    histories = [feature for group in groups for feature in (*group.features, *group.stand_ins)]
    most = {space: max(f.lead + f.steps for f in histories if f.space == space) for space in spaces}
    return {space: ReaderOfEachDay(days, **settings, name=f"days_{space}") for space, days in most.items()}


def bag_readers(options: ValueOptions, schema: FeatureSchema) -> dict[str, keras.layers.Layer]:
    """By bag what reads it, where an option says so.

    Raises:
        ValueError: it is no bag.
    """
    known = [feature.name for feature in schema.features if feature.kind is Kind.BAG]
    for name in options.bags:
        if name not in known:
            raise ValueError(f"option 'bags': there is no bag '{name}' in use; there are {', '.join(known) or 'none'}")
    return {name: DayReader(how, name=f"bag_{name}") for name, how in options.bags.items()}


def check_values(
    options: ValueOptions, schema: FeatureSchema, spaces: Collection[str], dims: Mapping[str, int]
) -> None:
    """Whether what reads several ids can read them in their widths; raises ``ValueError``.

    Args:
        spaces: of histories whose days are read.
    """
    widths = {space: dims[space] for space in sorted(spaces)}
    if options.day_sharing == "all" and len(set(widths.values())) > 1:
        told = ", ".join(f"{space} {width}" for space, width in widths.items())
        raise ValueError(
            f"option 'day_sharing': 'all' reads ids of one width, and they differ: {told}; give one (`dims`)"
        )
    both_ways = {"day_values": list(widths)} if options.day_values == "rnn" else {}
    both_ways |= {f"bags.{name}": [str(schema[name].space)] for name, how in options.bags.items() if how == "rnn"}
    for option, of in both_ways.items():
        for space in of:
            if dims[space] % 2:
                raise ValueError(
                    f"option '{option}': 'rnn' reads ids both ways, by two units of half the width of an id, and "
                    f"'{space}' is {dims[space]} wide; give it an even one (`dims`)"
                )


def idle_values(options: ValueOptions, schema: FeatureSchema, layouts: Collection[str]) -> dict[str, str]:
    """Options that cannot act, each with what it lacks.

    Args:
        layouts: of the histories of days.
    """
    idle: dict[str, str] = {}
    by_day = any(layout != "flat" for layout in layouts)
    bags = [feature.name for feature in schema.features if feature.kind is Kind.BAG]
    if not by_day and not set(bags) - set(options.bags):
        idle["values_pooling"] = "no feature has several values" + (
            " but histories whose every id is a step" if layouts else ""
        )
    of_readers = ("day_sharing", "day_residual", "day_normalise")
    if not by_day:
        idle |= dict.fromkeys(("day_values", *of_readers), "there is no history of days whose days are steps")
    elif options.day_values == "pooled":
        idle |= dict.fromkeys(of_readers, "the ids of a day are pooled (`day_values`)")
    return idle
