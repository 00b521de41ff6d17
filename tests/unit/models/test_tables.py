from __future__ import annotations

from dataclasses import replace

import pytest

from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec, check_tables, one_per_space

SCHEMA = FeatureSchema(
    (
        Feature("user", Kind.CATEGORICAL, Side.REQUEST, "user"),
        Feature("clicks", Kind.SEQUENCE, Side.REQUEST, "ad", of="ad"),
        Feature("age", Kind.DENSE, Side.REQUEST),
        Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),
    ),
    {"user": "int", "ad": "int"},
)
OWN = one_per_space(SCHEMA, {"user": 4, "ad": 8})


def test_there_is_a_table_for_every_space_that_is_read() -> None:
    assert list(OWN) == [TableSpec("ad", "ad", 8, ("clicks", "ad")), TableSpec("user", "user", 4, ("user",))]


def test_further_tables_have_a_role_and_a_name_of_it() -> None:
    linear = one_per_space(SCHEMA, {"user": 4, "ad": 8}, "linear", width=1, first="zeros")
    assert linear[0] == TableSpec("linear.ad", "ad", 1, ("clicks", "ad"), "linear", "zeros")
    check_tables(SCHEMA, (*OWN, *linear))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ((*OWN, OWN[0]), "embedding tables declared twice: ad"),
        (OWN[:1], "features that no embedding table is declared for: user"),
        ((*OWN, replace(OWN[0], name="other")), "feature 'clicks' is looked up in two tables of one role: ad, other"),
        (
            (*OWN, TableSpec("x", "user", 4, ("ad",), "x")),
            "table 'x' is of id space 'user', but is to be read by the feature 'ad' of 'ad'",
        ),
        ((*OWN, replace(OWN[0], name="x", role="x", width=0)), "table 'x': width 0; expected at least 1"),
    ],
)
def test_tables_that_do_not_hold_together_are_refused(tables: tuple[TableSpec, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_tables(SCHEMA, tables)
