"""Values of rows, and counters of them, as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.effects import check_effects
from pipeline.config.features import Counter
from pipeline.config.job import JobConfig
from pipeline.config.values import RowValue
from tests.unit.pipeline.features import shows


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"column": []}, "names one column, or several once each"),
        ({"column": ["a", "a"]}, "names one column, or several once each"),
        ({"column": "a", "clip": [2, 2]}, r"`clip` is \[least, greatest\], not \[2.0, 2.0\]"),
        ({"column": "a", "scale": 0}, "greater than 0"),
        ({"columns": "a"}, "Extra inputs"),
    ],
)
def test_a_value_that_is_none_is_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RowValue.model_validate(value)


@pytest.mark.parametrize(
    ("counter", "message"),
    [
        ({"measure": "mean"}, "`value` names what mean, sum, share are of, one of the job's `values`"),
        ({"measure": "rate", "value": "v"}, "`value` names what mean, sum, share are of"),
        ({"measure": "mean", "value": "v", "transform": "logit"}, "`logit` is for rates and shares"),
        ({"measure": "sum", "value": "v", "centre": True}, "`centre` is for a rate, a mean or a share"),
        ({"measure": "seen", "half_life": 3}, "`half_life` is for counts and rates, for trends, and for what is"),
    ],
)
def test_a_counter_of_what_is_no_value_is_refused(counter: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Counter.model_validate({"key": ["user"], **counter})


def test_a_table_is_called_by_its_key_and_what_is_summed() -> None:
    assert Counter(key=("user",), measure="rate").group == ("user",)
    assert Counter(key=("user", "ad"), measure="mean", value="v").group == ("user", "ad", "=v")
    assert Counter(key=("user",), measure="share", value="v").group == ("user", "=v>0")


def test_values_and_counters_name_each_other() -> None:
    job = shows.with_values()
    assert JobConfig.model_validate(job.model_dump(mode="json")).values == job.values
    assert "values" not in shows.config().model_dump(mode="json")
    with pytest.raises(ValueError, match=r"counter.value: 'watched' is not declared under `values` .long."):
        shows.with_values({"long": shows.VALUES["long"]})
    with pytest.raises(ValueError, match=r"values.watched: would have no effect: no counter is of it"):
        shows.with_values(user_watched=None)
    counter = {"key": ["user"], "measure": "sum", "value": "watched", "smoothing": 3}
    with pytest.raises(ValueError, match=r"counter.smoothing: would have no effect: `sum` does not read it"):
        check_effects(shows.with_values(user_watched=counter))
