"""Writing to a real HBase: keys, replacing a day, what is refused."""

from __future__ import annotations

from typing import Any

import happybase
import pyarrow as pa
import pytest

from examples.hbase_target import HBaseTarget
from ops.services.hbase import HBase
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.sources.hbase.source import HBaseSource

pytestmark = pytest.mark.service("hbase")
DAY = Day.of(2024, 2, 28)
TABLE = "midas_online_context"


@pytest.fixture
def url(hbase: HBase, table_prefix: str) -> str:
    return f"{hbase.url}{table_prefix}_"


def rows(*given: tuple[str, int | None, str | None]) -> pa.Table:
    keys, times, clicks = zip(*given, strict=True)
    return pa.table({
        "row_key": list(keys),
        "log_day": ["2024/02/28"] * len(keys),
        "log_time": pa.array(times, pa.int64()),
        "is_click": pa.array(clicks, pa.string()),
    })  # fmt: skip


def write(url: str, given: pa.Table, day: Day = DAY) -> None:
    with HBaseTarget(url).partitions(TABLE, given.schema, [day]) as days:
        days.write(day, given)


def held(url: str, table: str = TABLE) -> dict[str, dict[str, str]]:
    host, port = url.split("/")[2].split(":")
    connection = happybase.Connection(host, int(port), timeout=20_000)
    scanned = connection.table(url.rpartition("/")[2] + table).scan()
    found = {key.decode(): {name.decode(): value.decode() for name, value in cells.items()} for key, cells in scanned}
    connection.close()
    return found


def test_a_key_holds_the_time_and_the_ordinal_in_canonical_order(url: str) -> None:
    write(url, rows(("1_2", 50, "1"), ("1_2", 50, "0"), ("1_2", 49, "1"), ("1_20", 50, ""), ("3_4", None, None)))
    found = held(url)
    assert {key: cells.get("context:is_click") for key, cells in found.items()} == {
        "1_2_49_0": "1", "1_2_50_0": "0", "1_2_50_1": "1", "1_20_50_0": "", "3_4_0_0": None,
    }  # fmt: skip
    assert "context:row_key" not in found["1_2_49_0"]


def test_a_day_written_again_leaves_no_old_row_and_no_old_cell(url: str) -> None:
    first = rows(("1_2", 50, "1"), ("1_3", 50, "1"), ("1_4", 50, "1"))
    stray = first.set_column(1, "log_day", pa.array(["2024/02/28", "2019/09/09", "2024/02/28"]))
    write(url, stray)
    other = rows(("7_7", 1, "1")).set_column(1, "log_day", pa.array(["2024/02/29"]))
    write(url, other, DAY.next())
    write(url, rows(("1_2", 50, None), ("1_9", 50, "0")))
    assert held(url) == {
        "1_2_50_0": {"context:log_day": "2024/02/28", "context:log_time": "50"},
        "1_9_50_0": {"context:log_day": "2024/02/28", "context:log_time": "50", "context:is_click": "0"},
        "7_7_1_0": {"context:log_day": "2024/02/29", "context:log_time": "1", "context:is_click": "1"},
    }


def test_one_instant_under_two_days_is_two_rows(url: str) -> None:
    """A log that is cut at midnight of another zone holds some times under both days."""
    write(url, rows(("1_2", 50, "1"), ("1_2", 50, "0"), ("1_3", 50, "1")))
    later = rows(("1_2", 50, "1"), ("1_2", 50, "0"), ("1_2", 50, "0"))
    write(url, later.set_column(1, "log_day", pa.array(["2024/02/29"] * 3)), DAY.next())
    days = {key: cells["context:log_day"][-2:] for key, cells in held(url).items()}
    assert sorted(days.values()) == ["28", "28", "28", "29", "29", "29"]
    assert {key for key, day in days.items() if day == "28"} == {"1_2_50_0", "1_2_50_1", "1_3_50_0"}
    write(url, rows(("1_2", 50, "1"), ("1_2", 50, "0"), ("1_3", 50, "1")))
    assert len(held(url)) == 6


def test_a_day_is_marked_when_it_is_complete(url: str) -> None:
    source = HBaseSource(url, "X", {})
    broken = HBaseTarget(url).partitions(TABLE, rows(("1_1", 1, "0")).schema, [DAY])
    with pytest.raises(ValueError, match="not one of the days"), broken as days:
        days.write(DAY.next(), rows(("1_1", 1, "0")))
    assert not source.is_marked(TABLE, DAY)
    write(url, rows(("1_1", 1, "0")).slice(0, 0))
    assert source.is_marked(TABLE, DAY)
    HBaseTarget(url).clear(TABLE)
    assert not source.is_marked(TABLE, DAY)
    source.close()


def test_an_undated_table_is_replaced_and_numbers_read_back_as_themselves(url: str) -> None:
    target = HBaseTarget(url)
    values: dict[str, Any] = {
        "row_key": ["1", "2"],
        "user_id": [1, 2],
        "ratio": [0.1, None],
        "group": [12.0, float("nan")],
    }
    assert target.write_table("midas_online_user", pa.table({**values, "row_key": ["1", "9"]})) == 2
    target.write_table("midas_online_user", pa.table(values))
    assert target.holds("midas_online_user")
    assert held(url, "midas_online_user") == {
        "1": {"user:user_id": "1", "user:ratio": "0.1", "user:group": "12"}, "2": {"user:user_id": "2"},
    }  # fmt: skip
    with pytest.raises(SourceError, match="two rows of one key"):
        target.write_table("midas_online_user", pa.table({**values, "row_key": ["1", "1"]}))


def test_a_gateway_that_is_not_there() -> None:
    with pytest.raises(SourceError, match=r"cannot be written: .*127\.0\.0\.1:9 are up"):
        HBaseTarget("hbase://127.0.0.1:9/").holds(TABLE)
