from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.proposal.look import Looked
from pipeline.proposal.roles import Roles, roles
from tests.unit.pipeline.proposal.tables import GOODS, SHOWS


def found(*tables: Looked, **asked: Any) -> Roles:
    return roles(tables, {name: asked.get(name) for name in ("table", "day", "label", "user", "item")})


def test_by_their_names_and_values() -> None:
    it = found(GOODS, SHOWS)
    assert (it.rows.name, it.day, it.label, it.user, it.item) == ("shows", "日期", "点击", "用户", "goods_no")
    assert (it.kind, it.profiles["item"].table.name, it.profiles["item"].key) == ("impressions", "goods", "goods_no")
    assert it.others == ()


def test_what_the_user_says_counts() -> None:
    it = found(SHOWS, GOODS, label="new", item="none")
    assert (it.label, it.item, it.kind, it.others) == ("new", None, "rows", ("goods",))


def test_a_table_with_several_rows_of_an_item_is_no_profile() -> None:
    prices = Looked("prices", {"goods_no": [1, 1, 2], "price": [1.5, 2.5, 3.5]})
    it = found(SHOWS, prices)
    assert (it.profiles, it.others) == ({}, ("prices",))


@pytest.mark.parametrize(
    ("tables", "asked", "told"),
    [
        ((GOODS,), {}, "no table has both .*goods: no column of days, no column of 0 and 1"),
        ((SHOWS,), {"table": "x"}, "--table x: there are shows"),
        ((SHOWS,), {"user": "x"}, "--user x: the table 'shows' has 日期"),
        ((Looked("t", {"day": ["2024-03-01"] * 2, "a": [0, 1], "b": [1, 0]}),), {}, "0 and 1 are in a, b; name it"),
        ((Looked("t", {"a": [0, 1]}),), {"table": "t"}, "no column of dates"),
        ((SHOWS,), {"label": "日期"}, "--label 日期: holds '2024.*', not 0 and 1"),
        ((Looked("t", {"day": ["2024-03-01"] * 2, "a": ["1", None], "b": ["0", "12,45"]}),),
         {"table": "t", "label": "b"}, "--label b: holds '12,45', not 0 and 1"),
        ((SHOWS,), {"label": "new", "item": "new"}, "--item new: is the label of 'shows' too|--label new: is the item"),
        ((SHOWS,), {"item": "点击"}, "--item 点击: is the label of 'shows' too; name another column for one of them"),
    ],
)
def test_what_cannot_be_told_is_asked_for(tables: tuple[Looked, ...], asked: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        found(*tables, **asked)


def test_days_that_are_folders_need_no_column() -> None:
    table = Looked("t", {"click": [0, 1], "x": ["a", "b"]}, by_folder=True)
    assert (found(table).day, found(table).kind) == (None, "rows")
