"""Work in threads: in the order of its tasks, little of it held, the first error ends all."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pipeline.errors import SourceError
from pipeline.sources.hbase.address import Address
from pipeline.sources.hbase.in_order import in_order
from pipeline.sources.hbase.link import Gateway, Link


@pytest.fixture
def link() -> Link:
    gateway = Gateway(Address("gate", 1), "X")
    gateway.reached = True
    return Link(gateway)


def links(count: int) -> list[Link]:
    return [Link(Gateway(Address("gate", 1), "X")) for _ in range(count)]


def test_results_come_in_the_order_of_the_tasks() -> None:
    chance = random.Random(1)

    def work(task: int, link: Link) -> Iterator[tuple[int, int]]:
        for number in range(chance.choice([0, 1, 30])):
            link.wait(chance.random() / 2000)
            yield task, number

    found = list(in_order(range(60), work, links(5)))
    assert found == sorted(found)
    assert len(found) > 60


def test_little_is_held_while_nobody_takes() -> None:
    made = []

    def work(task: int, link: Link) -> Iterator[int]:
        for number in range(100):
            made.append(task)
            yield number

    results = in_order(range(50), work, links(2))
    next(results)
    links(1)[0].wait(0.3)
    assert len(made) < 50, "threads read on although nobody takes"
    results.close()


def test_the_first_error_ends_all_and_the_links_are_closed() -> None:
    def work(task: int, link: Link) -> Iterator[int]:
        if task == 3:
            raise SourceError("three")
        yield task

    used = links(3)
    with pytest.raises(SourceError, match="three"):
        list(in_order(range(1000), work, used))
    assert all(each.closed for each in used)
