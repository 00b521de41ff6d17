"""Counters over bags, against sums written out by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from pipeline.config.bags import BagCounter
from pipeline.days import Day
from pipeline.features.arrays.bag_values import AskedBags, OwnEvents, bag_value, likelihood
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.bags import BagRule, BagTables

MONDAY = Day.of(2024, 3, 4)
ANN, BOB, NOBODY = 1, 2, 3
ALGEBRA, LOGIC = 10, 20
TODAY = MONDAY.plus(30)
L1 = BagCounter(bag="sections", context="chapter", owner="teacher")


def tables(keep: int = 100) -> BagTables:
    """Ann takes (5, 6) and then 5 in algebra, 7 in logic; Bob takes 6 in algebra, all on the same two days."""
    owner = np.array([ANN, BOB, ANN, ANN])
    context = np.array([ALGEBRA, ALGEBRA, ALGEBRA, LOGIC])
    bags = Lists.of([[5, 6], [6], [5], [7]], np.int64)
    label = np.ones(4, np.int8)
    first, second = np.array([0, 1]), np.array([2, 3])
    found = BagTables.empty(BagRule((15.0, 30.0), {"teacher": keep}))
    for rows, day in ((first, MONDAY), (second, MONDAY.plus(15))):
        found = found.apply({"teacher": owner[rows]}, context[rows], bags.take(rows), label[rows], day)
    return found


def asked(bags: list[list[int]], request: list[int], context: list[int], keep: int = 100) -> AskedBags:
    return AskedBags(np.array(request), np.array(context), Lists.of(bags, np.int64), tables(keep))


def value(counter: BagCounter, found: AskedBags, *owners: int) -> list[float]:
    own = OwnEvents.of(found, np.array(owners), "teacher") if counter.owner else None
    return likelihood(counter, found, own, TODAY).tolist()


def logit(share: float) -> float:
    return log(share) - log(1 - share)


# On the day that asks, the events of the first day weigh 1/2 and those of the second 2**-.5.
LATE = 2**-0.5
G5 = (0.5 + LATE + 0.05) / (1 + LATE + 1)
G6 = (1 + 0.05) / (1 + LATE + 1)


def test_without_an_owner_it_is_the_share_of_all_in_the_context() -> None:
    everybody = BagCounter(bag="sections", context="chapter")
    found = asked([[5], [6], [5, 6], [9], []], [0] * 5, [ALGEBRA] * 5)
    unseen = 0.05 / (1 + LATE + 1)
    expected = [logit(G5), logit(G6), logit(G5) + logit(G6), logit(unseen), 0.0]
    assert value(everybody, found, ANN) == pytest.approx(expected, rel=1e-14)


def test_own_events_are_mixed_with_those_of_all() -> None:
    found = asked([[5], [6], [5, 6], [5]], [0, 0, 0, 1], [ALGEBRA] * 4)
    ann5, ann6 = (2 + G5) / 3, (1 + G6) / 3
    expected = [logit(ann5), logit(ann6), logit(ann5) + logit(ann6), logit(G5 / 2)]
    assert value(L1, found, ANN, BOB) == pytest.approx(expected, rel=1e-14)


def test_own_events_weigh_by_the_days_or_by_the_events_since() -> None:
    found = asked([[5], [6]], [0, 0], [ALGEBRA] * 2)
    by_days = L1.model_copy(update={"own_half_life": 15.0, "prior": 2.0})
    n = 0.25 + 0.5
    expected = [logit((n + 2 * G5) / (n + 2)), logit((0.25 + 2 * G6) / (n + 2))]
    assert value(by_days, found, ANN) == pytest.approx(expected)
    lately = L1.model_copy(update={"own_recency": 1.0})
    assert value(lately, found, ANN) == pytest.approx([logit((1.5 + G5) / 2.5), logit((0.5 + G6) / 2.5)])


def test_an_owner_without_events_in_the_context_has_the_shares_of_all() -> None:
    found = asked([[5], [7], [5], [5]], [0, 0, 1, 2], [ALGEBRA, LOGIC, ALGEBRA, MISSING])
    g7 = (LATE + 0.05) / (LATE + 1)
    values = value(L1, found, BOB, NOBODY, ANN)
    assert values[1] == pytest.approx(logit(g7))
    assert values[2] == pytest.approx(logit(G5))
    assert values[3] == pytest.approx(logit(0.05))  # nothing is known of a context that is missing
    owners = np.array([BOB, NOBODY, ANN])
    pairs = found.with_events(owners, "teacher")
    assert pairs.tolist() == [0], "of Bob's events none is in logic"
    assert value(L1, found.only(pairs), *owners.tolist()) == values[:1]


def test_shares_are_kept_from_zero_and_one() -> None:
    clipped = BagCounter(bag="sections", context="chapter", clip=0.4)
    found = asked([[5], [9]], [0, 0], [ALGEBRA] * 2)
    assert value(clipped, found, ANN) == pytest.approx([logit(G5), logit(0.4)])


def test_only_an_owners_newest_events_are_kept() -> None:
    found = asked([[5], [6]], [0, 0], [ALGEBRA] * 2, keep=2)  # of Ann's three, the last two: (5) and (7) of logic
    assert value(L1, found, ANN) == pytest.approx([logit((1 + G5) / 2), logit(G6 / 2)])


def test_a_pair_has_the_same_bits_alone_and_among_others() -> None:
    bags = [[5, 6], [6, 5], [7], [5], [6, 9]]
    together = asked(bags, [0, 0, 0, 1, 1], [ALGEBRA, ALGEBRA, LOGIC, ALGEBRA, ALGEBRA])
    counter = L1.model_copy(update={"own_recency": 3.0})
    whole = value(counter, together, ANN, BOB)
    alone = [
        value(counter, asked([bag], [0], [context]), owner)[0]
        for bag, owner, context in zip(bags, (ANN, ANN, ANN, BOB, BOB), together.context.tolist(), strict=True)
    ]
    assert whole == alone


def other(measure: str, found: AskedBags, *owners: int, **settings: object) -> list[float]:
    counter = BagCounter.model_validate({
        "bag": "sections", "context": "chapter", "owner": "teacher" if owners else None, "measure": measure, **settings,
    })  # fmt: skip
    own = OwnEvents.of(found, np.array(owners), "teacher") if owners else None
    return bag_value(counter, found, own, TODAY).tolist()


def test_counts_are_of_own_events_or_of_all() -> None:
    found = asked([[5], [5, 6], [9], []], [0] * 4, [ALGEBRA] * 4)
    assert other("count", found, ANN) == pytest.approx([log(3), log(4), 0, 0])
    assert other("count", found, ANN, own_half_life=15) == pytest.approx([log(1.75), log(2), 0, 0])
    assert other("count", found) == pytest.approx([log(1.5 + LATE), log(2.5 + LATE), 0, 0])


def test_days_since_the_values_were_taken() -> None:
    found = asked([[5], [5, 6], [9]], [0] * 3, [ALGEBRA] * 3)
    never = log(3651)
    assert other("days_since", found, ANN) == pytest.approx([log(16), (log(16) + log(31)) / 2, never])
    assert other("days_since", found, BOB) == pytest.approx([never, (never + log(31)) / 2, never])
    assert other("days_since", found) == pytest.approx([log(16), (log(16) + log(31)) / 2, never])


def test_overlap_is_with_the_own_bag_that_is_most_alike() -> None:
    found = asked([[5], [6], [5, 6], [6, 9], [9], [7]], [0] * 6, [ALGEBRA] * 5 + [LOGIC])
    assert other("overlap", found, ANN) == pytest.approx([1, 1 / 2, 1, 1 / 3, 0, 1])
    assert other("overlap", found, NOBODY) == [0] * 6


def test_the_size_of_a_bag() -> None:
    assert other("size", asked([[5], [5, 6], []], [0] * 3, [ALGEBRA] * 3)) == pytest.approx([log(2), log(3), 0])


def test_a_size_is_beside_those_of_own_events_in_the_context() -> None:
    found = asked([[5], [5, 6, 7], [7], [8]], [0, 0, 0, 1], [ALGEBRA, ALGEBRA, LOGIC, ALGEBRA])
    mean = (log(3) + log(2)) / 2
    assert other("size", found, ANN, NOBODY) == pytest.approx([log(2) - mean, log(4) - mean, 0, 0])
    lately = (0.5 * log(3) + log(2)) / 1.5
    assert other("size", found, ANN, NOBODY, own_recency=1)[0] == pytest.approx(log(2) - lately)
    by_days = (0.25 * log(3) + 0.5 * log(2)) / 0.75
    assert other("size", found, ANN, NOBODY, own_half_life=15)[0] == pytest.approx(log(2) - by_days)


def test_a_trend_is_the_mean_over_the_values() -> None:
    found = asked([[5], [5, 6], [9], []], [0] * 4, [ALGEBRA] * 4)
    five = log((0.25 + 0.5 + 0.1) / (0.5 + LATE + 0.1))  # by 15 days, and by 30
    six = log((2 * 0.25 + 0.1) / (2 * 0.5 + 0.1))
    expected = [five, (five + six) / 2, 0, 0]
    assert other("trend", found, half_life=15, against=30, rare=0.1) == pytest.approx(expected)
