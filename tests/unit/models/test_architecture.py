from __future__ import annotations

import pytest

from models.architecture import Architecture, Growth, joined


def test_growth_in_words_names_each_thing_once_with_its_sizes() -> None:
    growth = Growth(
        tables={"ad": (4, 6), "city": (0, 4)},
        inputs={"dense/a/kernel": {"city": (0, 4), "ad": (4, 6)}, "dense/b/kernel": {"ad": (4, 6)}},
        weights=("dense/seq_x/bias", "normalise/age"),
    )
    assert growth.in_words == (
        "tables ad (4 → 6), city (4); inputs city (4), ad (4 → 6); weights seq_x/bias, normalise/age"
    )
    assert Growth(inputs={"dense/a/kernel": {}}).in_words == "its inputs in another order"
    assert not Growth()


def test_both_are_read_back_from_json_as_they_were() -> None:
    architecture = Architecture(model="din", axes={"dense/a/kernel": ((("user", 8), ("hour", 4)), None)})
    assert Architecture.model_validate_json(architecture.model_dump_json()) == architecture
    growth = Growth(tables={"ad": (4, 6)}, weights=("normalise/age",))
    assert Growth.model_validate_json(growth.model_dump_json()) == growth


def test_parts_of_one_name_could_not_be_told_apart() -> None:
    assert joined([(("user", 8),), (), (("hour", 4), ("price", 1))]) == (("user", 8), ("hour", 4), ("price", 1))
    with pytest.raises(ValueError, match="called alike: user"):
        joined([(("user", 8),), (("user", 4),)])
