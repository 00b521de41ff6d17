from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator

import pytest

from pipeline.engines.local import LocalEngine
from pipeline.errors import DayspringError, PrunedPayload
from tests.parts import failing, squared, wrong


def killed(part: int) -> int:
    if part == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


@pytest.fixture
def two() -> Iterator[LocalEngine]:
    engine = LocalEngine(2)
    yield engine
    engine.close()


def test_results_come_in_the_order_of_the_parts_from_other_processes(two: LocalEngine) -> None:
    found = [*two.run(squared, [3, 1, 2])]
    assert [value for value, _ in found] == [9, 1, 4]
    assert os.getpid() not in {process for _, process in found}


@pytest.mark.parametrize(("processes", "parts"), [(1, [3, 1]), (4, [5]), (2, [])])
def test_one_process_or_one_part_is_worked_on_here(processes: int, parts: list[int]) -> None:
    assert [*LocalEngine(processes).run(squared, parts)] == [(part * part, os.getpid()) for part in parts]


def test_of_parts_that_fail_the_first_says_why_with_all_that_its_error_holds(two: LocalEngine) -> None:
    for engine in (LocalEngine(1), two):
        with pytest.raises(PrunedPayload, match=r"^part 1 is gone$") as raised:
            list(engine.run(failing, [0, 1, 2]))
        assert raised.value.artifact == "rows/1"


def test_a_process_that_is_killed_is_told_of_and_the_next_run_has_new_ones(two: LocalEngine) -> None:
    with pytest.raises(DayspringError, match="was killed, most often for want of memory: up to 2 worked at once"):
        list(two.run(killed, [0, 1, 2]))
    assert [value for value, _ in two.run(squared, [1, 2])] == [1, 4]


def test_another_error_stays_what_it_is(two: LocalEngine) -> None:
    with pytest.raises(ZeroDivisionError):
        list(two.run(wrong, [1, 0]))


def total(found: Iterable[tuple[int, int]]) -> int:
    return sum(value for value, _ in found)


def test_results_are_gathered(two: LocalEngine) -> None:
    assert two.gathered(squared, [1, 2, 3], total) == 14


def test_a_process_for_each_cpu_where_no_number_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    assert [*LocalEngine().run(squared, [2, 3])] == [(4, os.getpid()), (9, os.getpid())]
