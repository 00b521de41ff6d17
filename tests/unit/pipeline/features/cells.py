"""A small job of labelled rows over a hand-made table, and its days lived one after the other in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import raw_ids
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.labelled import labelled_rows
from pipeline.features.state.state import FeatureState

DAY = Day.of(2024, 3, 4)
"""A Monday."""
TABLES: dict[str, Any] = {
    "cells": {
        "source": "cells", "day": "day", "order": ["line"], "when": ["line"],
        "columns": {
            "day": {"type": "day", "required": True}, "line": {"type": "int", "required": True},
            "label": {"type": "int", "required": True, "allowed": [0, 1]},
            "campaign": {"type": "int", "required": True}, "site": {"type": "str"}, "app": {"type": "str"},
            "price": {"type": "float"}, "bids": {"type": "int"},
        },
    },
}  # fmt: skip


def declared(**settings: Any) -> dict[str, Any]:
    """The job as its YAML has it; ``settings`` replace whole sections."""
    return {
        "job": "cells", "kind": "rows", "timezone": "UTC", "tables": TABLES,
        "spaces": {"site": "str", "campaign": "int", "weekday": "int"},
        "rows": {"rows": "cells", "label": "label"},
        "features": {
            # Two columns of one space: a site may be an app's too.
            "site": {"kind": "categorical", "space": "site", "source": "row.site"},
            "app": {"kind": "categorical", "space": "site", "source": "row.app"},
            "both": {"kind": "bag", "space": "site", "source": ["row.site", "row.app"], "values": 2},
            "campaign": {"kind": "categorical", "space": "campaign", "source": "row.campaign"},
            "weekday": {"kind": "categorical", "space": "weekday", "source": "calendar.weekday"},
            "price": {"kind": "dense", "source": "row.price", "normalise": "zscore"},
            "bids": {"kind": "dense", "source": "row.bids"},
            "site_rate": {"kind": "dense", "counter": {"key": ["site"], "measure": "rate", "smoothing": 1}},
            "site_campaign": {"kind": "dense", "counter": {"key": ["site", "campaign"], "measure": "count"}},
        },
        "experiments": {"pooled": {"model": "pooled", "loss": "binary", "batch": 4, "compile": "graph"}},
        "release": {"champion": "pooled"},
        **settings,
    }  # fmt: skip


def config(**settings: Any) -> JobConfig:
    return JobConfig.model_validate(declared(**settings))


def cells(*rows: tuple[Any, ...]) -> pa.Table:
    """Rows of (label, campaign, site, app, price, bids), in order."""
    names = {"label": pa.int64(), "campaign": pa.int64(), "site": pa.string(), "app": pa.string(),
             "price": pa.float64(), "bids": pa.int64()}  # fmt: skip
    values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.table({n: pa.array(v, t) for (n, t), v in zip(names.items(), values, strict=True)})


ROWS = cells(
    (1, 7, "a", "b", 2.5, 3), (0, 7, "b", None, None, 0), (0, 8, None, "c", 1.0, None), (1, 8, "a", "a", 4.0, 1),
)  # fmt: skip


class Cells:
    """Days of the job one after the other, in memory."""

    def __init__(self, settings: JobConfig | None = None) -> None:
        self.config = settings or config()
        self.plan = Plan(self.config)
        self.maps = {
            space: IdMap(space, kind, np.zeros(0, np.int64 if kind == "int" else object))
            for space, kind in self.plan.spaces.items()
        }
        self.state = FeatureState.empty(self.config)

    def day(self, day: Day, rows: pa.Table = ROWS) -> Built:
        """The arrays of a day, after which the state is as of its end."""
        found = labelled_rows(self.plan.request, {"cells": rows}.__getitem__, day)  # type: ignore[arg-type]
        for space, raw in raw_ids(self.plan, found).items():
            self.maps[space] = self.maps[space].grown(raw, day)
        built = build(self.plan, found, self.maps, self.state)
        self.state = self.state.apply(events_of(self.plan, found))
        return built
