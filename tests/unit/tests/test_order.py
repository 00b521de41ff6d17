"""Which tests begin first, and which one process runs together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests import order
from tests.tiny import PROJECT


def test_what_is_named_is_there() -> None:
    for name in (*order._AIRFLOW, *order._LABELLED, *order._BEGUN_FIRST):
        assert (PROJECT / name).exists(), name


def test_long_ones_begin_first_and_the_others_stay_as_they_are() -> None:
    night = "tests/end_to_end/test_night.py::a"
    names = ["tests/dags/b.py::one", "tests/unit/x.py::two", night, "tests/unit/x.py::one"]
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in names]
    assert [item.nodeid for item in order.in_order(items)] == [names[2], names[0], names[1], names[3]]


def test_a_process_has_a_file_or_files_that_share_what_is_made() -> None:
    night, page = (order.together(f"tests/end_to_end/test_{name}.py::test_x[a::b]") for name in ("night", "page"))
    assert night == page != order.together("tests/end_to_end/test_planted.py::test_x")
    assert order.together("tests/unit/ops/test_rest.py::test_x[a::b]") == "tests/unit/ops/test_rest.py"
