"""What reads the ids of a day or of a bag, as an experiment says."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from models import registry
from models.encoders.day_values import ValueOptions, check_values, day_readers, idle_values
from models.encoders.history import history_groups
from models.inputs import ModelInputs
from models.schema import Feature, FeatureSchema, Kind, Side
from tests.unit.models.school import school_schema

SCHOOL = school_schema()
GROUPS = history_groups(SCHOOL)
SPACES = ("chapter", "section")


def options(**given: Any) -> ValueOptions:
    return ValueOptions.model_validate(given)


def test_days_are_read_by_space_by_one_or_each_by_its_own() -> None:
    assert day_readers(options(), GROUPS, SPACES) == {}
    by_space, one, own = (
        day_readers(options(day_values="gru", day_sharing=sharing), GROUPS, SPACES)
        for sharing in ("space", "all", "none")
    )
    assert {space: reader.name for space, reader in by_space.items()} == {
        "chapter": "days_chapter", "section": "days_section",
    }  # fmt: skip
    assert one["chapter"] is one["section"]
    # Two days before the window of five; last year's five are the newest of these.
    assert {space: len(reader.readers) for space, reader in own.items()} == {"chapter": 7, "section": 7}


@pytest.mark.parametrize(
    ("given", "dims", "said"),
    [
        ({"day_values": "gru", "day_sharing": "all"}, {}, "ids of one width, and they differ: chapter 4, section 6"),
        ({"day_values": "rnn"}, {"section": 5}, "option 'day_values': 'rnn' reads ids both .* 'section' is 5 wide"),
        ({"bags": {"chapter": "rnn"}}, {"chapter": 3}, r"option 'bags\.chapter': 'rnn' .* 'chapter' is 3 wide"),
    ],
)  # fmt: skip
def test_widths_that_cannot_be_read_are_told(given: dict[str, Any], dims: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_values(options(**given), SCHOOL, SPACES, {"chapter": 4, "section": 6} | dims)


def test_options_without_anything_to_act_on_are_told() -> None:
    pooled, read = options(), options(day_values="rnn")
    of_readers = {"day_sharing", "day_residual", "day_normalise"}
    assert set(idle_values(pooled, SCHOOL, ["paired"])) == of_readers
    assert not idle_values(read, SCHOOL, ["paired"])
    assert set(idle_values(read, SCHOOL, ["flat"])) == {"day_values", *of_readers}
    alone = FeatureSchema((Feature("tags", Kind.BAG, Side.ITEM, "s", values=3),), {"s": "int"})
    assert "values_pooling" in idle_values(options(bags={"tags": "gru"}), alone, [])
    with pytest.raises(ValueError, match="there is no bag 'style' in use; there are past_styles, chapter"):
        registry.build("pooled", SCHOOL, {"bags": {"style": "gru"}})


def test_a_bag_is_read_in_its_order_with_its_padding_left_out() -> None:
    """Of a request and of each candidate."""
    features = FeatureSchema(
        (Feature("past", Kind.BAG, Side.REQUEST, "s", values=2), Feature("tags", Kind.BAG, Side.ITEM, "s", values=2)),
        {"s": "int"},
    )  # fmt: skip
    model = registry.build("pooled", features, {"bags": {"past": "gru", "tags": "gru"}})
    values = tf.constant([[[1.0], [2.0]], [[2.0], [1.0]], [[2.0], [0.0]]])
    vectors = {"past": values[:1], "tags": values[None]}
    mask = {name: tf.reduce_any(each != 0, axis=-1) for name, each in vectors.items()}
    given = ModelInputs(vectors, mask, {}, {})
    past, tags = (model.value(features[name], given) for name in ("past", "tags"))
    assert (past.shape, tags.shape) == ((1, 1), (1, 3, 1))
    reader = model.bag_readers["tags"]
    for candidate, (row, real) in enumerate(
        [(values[0], [True, True]), (values[1], [True, True]), (values[2], [True, False])]
    ):
        told = reader.reader(row[None], tf.constant([real]))[0, -1]
        assert abs(float(tags[0, candidate, 0]) - float(told[0])) < 1e-6
    assert float(tags[0, 0, 0]) != float(tags[0, 1, 0])
