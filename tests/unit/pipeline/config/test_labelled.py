"""What a job of labelled rows may say, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.effects import check_effects
from pipeline.config.job import JobConfig
from tests.unit.pipeline.features import cells

ROWS = {"rows": "cells", "label": "label"}
FEATURES = cells.declared()["features"]
POOLED = {"model": "pooled", "loss": "binary"}


def changed(table: str, column: str, **settings: Any) -> dict[str, Any]:
    columns = cells.TABLES[table]["columns"]
    return {table: {**cells.TABLES[table], "columns": {**columns, column: {**columns[column], **settings}}}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rows": {**ROWS, "rows": "nope"}}, "rows.rows: 'nope' is not a dated table of `tables`"),
        ({"rows": {**ROWS, "label": "nope"}}, "rows.label: 'nope' is no column of the table 'cells'"),
        ({"rows": {**ROWS, "label": "bids"}}, "rows.label: tables.cells.columns.bids must be declared as"),
        ({"tables": changed("cells", "label", allowed=[0, 2])}, "rows.label: tables.cells.columns.label must be"),
        ({"rows": {**ROWS, "group": "nope"}}, "rows.group: 'nope' is no column of the table 'cells'"),
        ({"rows": {**ROWS, "group": "site"}}, "columns.site must be an int or a str with `required: true`"),
        ({"rows": {**ROWS, "group": "price"}}, "columns.price must be an int or a str with `required: true`"),
        ({"rows": {**ROWS, "user": "site"}}, "rows.user\n  Extra inputs are not permitted"),
        ({"rows": None}, "`kind: rows` needs the section `rows`"),
        ({"kind": "impressions"}, "`kind: impressions` needs the section `impressions`"),
        ({"measures": {"primary": "gauc"}}, "measures.primary: 'gauc' cannot be told of this job: it is measured"),
        (
            {"release": {"champion": "pooled", "gate": {"margins": {"gauc": 0.1}}}},
            "release.gate.margins.gauc: 'gauc' cannot be told of this job: it is measured within groups of rows: name "
            "their column as `rows.group`",
        ),
        (
            {"release": {"champion": "pooled", "gate": {"floors": {"gauc": 0.6}}}},
            "release.gate.floors.gauc: 'gauc' cannot be told of this job",
        ),
        ({"alerts": {"measure": "gauc"}}, "alerts.measure: 'gauc' cannot be told of this job"),
        ({"measures": {"primary": "composite"}}, "measures.primary: 'composite' is no measure of this job"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        cells.config(**settings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"history": {"length": 5}}, "history.length: would have no effect: a row belongs to nobody"),
        ({"measures": {"composite": {1: 1.0}}}, "measures.composite: would have no effect: it is for `kind: ranking`"),
        ({"replay": {"match": ["site"]}}, "replay: would have no effect"),
        ({"experiments": {"pooled": {**POOLED, "negatives": 3}}}, "experiments.pooled.negatives: would have no effect"),
        (
            {"experiments": {"pooled": {"model": "pooled", "loss": "softmax"}}},
            "experiments.pooled.loss: softmax compares the candidates of a request, and a row has none",
        ),
    ],
)
def test_a_setting_that_could_do_nothing_is_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        check_effects(cells.config(**settings))
    assert said in str(caught.value)


def test_a_group_lets_gauc_be_named() -> None:
    gate = {"champion": "pooled", "gate": {"floors": {"gauc": 0.6}}}
    grouped = cells.config(rows={**ROWS, "group": "campaign"}, release=gate, measures={"primary": "gauc"})
    assert grouped.primary == "gauc"
    assert cells.config().primary == "auc"


def test_features_are_of_the_row_without_saying_so() -> None:
    assert {feature.side.value for feature in cells.config().features.values()} == {"request"}


def test_settings_of_the_other_kinds_are_written_as_before() -> None:
    """A release keeps its settings, and its id their digest: a section that came later is no part of them."""
    from tests.unit.pipeline.features import shows

    assert "rows" not in shows.config().model_dump()
    again = JobConfig.model_validate(cells.config().model_dump(mode="json", by_alias=True))
    assert again == cells.config()


def test_a_job_that_ranks_needs_something_to_rank_by() -> None:
    from tests.unit.pipeline.features import shows

    experiments = {"pooled": {**POOLED, "only": ["user", "place"]}}
    with pytest.raises(ValueError, match=r"experiments.pooled: needs at least one item feature: there is nothing to"):
        shows.config(experiments=experiments)
