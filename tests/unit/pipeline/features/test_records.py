"""Records of days that the version before wrote, read and written again."""

from __future__ import annotations

from pipeline.features.records import FeaturesRecord, MapsRecord, StateRecord

MAPS = {
    "sizes": {"user": 15229}, "sizes_before": {"user": 12468}, "new_ids": {"user": 2761}, "tails": {"user": "4514c5e4"},
    "replayed": {"2023-03-04": 12}, "not_replayed": {"2022-03-04": "no rows"}, "indexed": {"histories: items": "ad"},
}  # fmt: skip
FEATURES = {
    "empty_days": {"known": [52, 0, 24]}, "groups": {"known": 76}, "replayed": {"replay-2023-03-04": {"pairs": 12}},
    "not_replayed": {"2022-03-04": "no rows"},
}  # fmt: skip


def test_every_key_stays() -> None:
    assert MapsRecord.model_validate(MAPS).written() == MAPS
    assert FeaturesRecord.model_validate(FEATURES).written() == FEATURES


def test_a_state_that_does_not_say_its_form_is_of_the_first() -> None:
    assert StateRecord.model_validate({}).format == 1
    assert StateRecord(format=2).written() == {"format": 2}
    assert StateRecord(format=2, renewed="ab").written() == {"format": 2, "renewed": "ab"}
