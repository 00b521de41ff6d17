"""Logistic regression has tables of vectors for histories alone."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import ROWS, WHOLE, built


def test_vectors_are_kept_of_histories_and_their_targets_alone() -> None:
    dims = {"user": 4, "hour": 4, "ad": 4}
    assert [table.name for table in built("lr", ROWS).tables(dims)] == ["linear.hour", "linear.user"]
    assert next((table.name, table.features) for table in built("lr", WHOLE).tables(dims)) == ("ad", ("ad", "clicks"))
