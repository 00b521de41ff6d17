"""Features of labelled rows: of the row, the calendar and counters, and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from pipeline.features.plan.read_tables import check_all_read
from tests.unit.pipeline.features import cells

FEATURES = cells.declared()["features"]


def test_columns_and_spaces() -> None:
    plan = Plan(cells.config())
    assert plan.request.row_columns == ["site", "app", "campaign", "price", "bids"]
    assert plan.spaces == {"site": "str", "campaign": "int", "weekday": "int"}
    assert plan.key_features == ("site", "campaign")
    assert (plan.request.owner_columns, plan.request.read_tables) == ((), {"cells"})
    check_all_read(plan)
    grouped = Plan(cells.config(rows={"rows": "cells", "label": "label", "group": "line"}))
    assert grouped.request.row_columns[0] == "line"


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ({"kind": "dense", "source": "row.label"}, "'row.label': is the label"),
        ({"kind": "dense", "source": "row.nope"}, "'row.nope': the table 'cells' declares no such column"),
        ({"kind": "categorical", "space": "site", "source": "user.site"}, "one of the frames row, calendar"),
        ({"kind": "categorical", "space": "site", "source": "history.items"}, "one of the frames row, calendar"),
        ({"kind": "categorical", "space": "site", "source": "row.site", "side": "item"}, "side: 'item', but `row.`"),
        ({"kind": "dense", "side": "pair", "counter": {"key": ["site"], "measure": "count"}}, "a row has no item"),
        ({"kind": "dense", "counter": {"measure": "rank"}}, "`rank` is of a list of candidates, and a row has none"),
        ({"kind": "dense", "counter": {"measure": "listed"}}, "`listed` is of a list of candidates"),
    ],
)
def test_a_feature_that_no_row_can_have(feature: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=r"features.strange") as caught:
        Plan(cells.config(features={**FEATURES, "strange": feature}))
    assert said in str(caught.value)


def test_what_decides_a_row_is_no_outcome() -> None:
    columns = cells.TABLES["cells"]["columns"]
    late = {**columns, "campaign": {**columns["campaign"], "change": "outcome"}}
    tables = {"cells": {**cells.TABLES["cells"], "columns": late}}
    features = {name: each for name, each in FEATURES.items() if "campaign" not in name}
    with pytest.raises(ConfigError, match=r"rows.group: 'campaign'.*known only after its row"):
        Plan(cells.config(
            tables=tables, features=features, rows={"rows": "cells", "label": "label", "group": "campaign"}
        ))  # fmt: skip
