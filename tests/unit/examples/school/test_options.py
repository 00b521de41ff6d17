"""What a generated school can be asked to be."""

from __future__ import annotations

import pytest

from examples.school.options import EFFECTS, USUAL, Options
from pipeline.errors import UsageError
from tests.unit.examples.school.small_school import FIRST, options


def test_last_years_window_keeps_clear_of_this_year() -> None:
    window = options().last_year
    assert (str(window[0]), str(window[-1])) == ("2023-02-05", "2023-03-13")
    long = Options(FIRST, days=400)
    assert long.last_year[-1] == FIRST.previous()


def test_what_came_later_is_not_planted_where_nothing_is_asked_for() -> None:
    assert options().effects == frozenset()
    assert Options(FIRST).effects == USUAL
    assert set(EFFECTS) - USUAL == {"together", "exposures", "turns", "watching"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"teachers": 0}, "teachers is 0; the least is 1"),
        ({"dirty": 1.0}, "dirty is 1.0; it is a share"),
        ({"click_rate": 0.0}, "click_rate is 0"),
        ({"effects": frozenset({"orders"})}, "no effect is called orders; there are order, last_year"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options(FIRST, **wrong)  # type: ignore[arg-type]
