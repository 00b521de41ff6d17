from __future__ import annotations

from pipeline.training.records import Wild
from pipeline.training.wild_values import Told, in_words, news


def feature(wild: int, known: int = 1000, *, anew: bool = False) -> Told:
    return {"price": Wild(wild=wild, known=known, furthest=-1e30, anew=anew)}


def test_in_words() -> None:
    assert in_words({}) == ""
    assert in_words(feature(2)) == "wild values bounded: price 2 of 1,000 (as far as -1e+30)"
    assert in_words(feature(0, anew=True)) == (
        "statistics begun anew, as those before were of wild values: price"
    )  # fmt: skip


def test_what_the_trailing_days_had_is_no_news() -> None:
    assert news([feature(1), feature(1)], [[{}], []], 5) == feature(1)
    assert news([feature(9)], [[{}], [feature(2)]], 5) == {}
    assert news([feature(11)], [[{}], [feature(2)]], 5) == feature(11)
    assert news([{}], [[feature(2)]], 5) == {}
    assert news([feature(0, anew=True)], [[feature(2)]], 5) == feature(0, anew=True)
