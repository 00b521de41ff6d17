"""Which layout the days of a history are read in: the model's, or one that the experiment names for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from models.encoders.history import HistoryGroup
from models.layers.day_layouts import DayLayout
from models.schema import Kind


def layout_of(group: HistoryGroup, asked: Mapping[str, object], usual: DayLayout) -> DayLayout:
    """The layout of a history.

    Args:
        asked: what ``options.encoders`` says of it.
        usual: the model's own.

    Raises:
        ValueError: no such layout, a history without days, or one whose parts it cannot lay out.
    """
    own = asked.get("layout")
    where = "option 'layout'" if own is None else f"options.encoders.{group.title}.layout"
    parts = ", ".join(feature.name for feature in group.features)
    days = group.features[0].kind is Kind.BAG_SEQUENCE
    if own is None:
        layout: DayLayout = usual if days else "paired"
    elif own not in get_args(DayLayout):
        raise ValueError(f"{where}: {own!r} is not one of {', '.join(get_args(DayLayout))}")
    elif not days:
        raise ValueError(f"{where}: a layout is of days (a bag_sequence), and {parts} is a {group.features[0].kind}")
    else:
        layout = own  # type: ignore[assignment]
    if layout == "flat" and len(group.features) > 1:
        raise ValueError(
            f"{where}: 'flat' makes a step of every id, and a step of the history '{group.title}' is made of {parts}; "
            f"give them groups of their own, or name another layout for it (`encoders`)"
        )
    if own == "stacked" and len(group.features) == 1:
        raise ValueError(f"{where}: 'stacked' makes steps of the parts of a day, and '{group.title}' has one, {parts}")
    return layout


def check_stacked(group: HistoryGroup, dims: Mapping[str, int]) -> None:
    """Parts that are steps of their own are of one width; raises ``ValueError``."""
    widths = {feature.name: dims[str(feature.space)] for feature in group.features}
    if len(set(widths.values())) > 1:
        told = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise ValueError(
            f"the history '{group.title}' is laid out 'stacked', a step a part, but the widths of its parts differ: "
            f"{told}; give their id spaces one width (`dim`, `dims`)"
        )


def spaces_of_days(groups: Iterable[HistoryGroup], layouts: Mapping[str, DayLayout]) -> list[str]:
    """The id spaces of histories whose days, or parts of these, are steps; sorted."""
    by_day = [g for g in groups if g.features[0].kind is Kind.BAG_SEQUENCE and layouts[g.name] != "flat"]
    return sorted({str(feature.space) for group in by_day for feature in (*group.features, *group.stand_ins)})
