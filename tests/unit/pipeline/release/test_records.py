"""Records of checks, releases and publications that the version before wrote, read and written again."""

from __future__ import annotations

from typing import Any

from pipeline.release.records import CheckRecord, PublishRecord, ReleaseRecord

CHECKPOINT, EXPORT = (f"{kind}/ads/din/day=2024-03-03/gen=0001" for kind in ("checkpoint", "export"))
CHECK: dict[str, Any] = {
    "verdict": "ok", "reasons": [], "figures": {"rows": 516, "spread": 0.776, "unknown": {"ad": 0.0, "length": 0.024}},
    "export": EXPORT, "checkpoint": CHECKPOINT,
}  # fmt: skip
RELEASE = {
    "release_id": "2024-03-04-din-2024-03-03-0a1b2c3d", "experiment": "din", "checkpoint": CHECKPOINT,
    "checkpoint_day": "2024-03-03", "age_days": 1, "export": EXPORT, "by": "gate", "verdict": "promote",
    "reasons": ["not worse"],
}  # fmt: skip
PUBLISH = {
    "status": "published", "reason": "", "release_id": RELEASE["release_id"], "served": RELEASE["release_id"],
    "version": 2024030401,
}  # fmt: skip


def test_every_key_stays_and_none_is_new() -> None:
    assert CheckRecord.model_validate(CHECK).written() == CHECK
    assert ReleaseRecord.model_validate(RELEASE).written() == RELEASE
    assert PublishRecord.model_validate(PUBLISH).written() == PUBLISH


def test_a_model_that_could_not_be_loaded_has_no_shares_of_unknown_ids() -> None:
    assert CheckRecord.model_validate(CHECK).unknown == {"ad": 0.0, "length": 0.024}
    assert CheckRecord.model_validate({**CHECK, "figures": {"error": "no such file"}}).unknown == {}


def test_a_check_says_whether_it_loaded_the_export_whole() -> None:
    """Every one did before there was another way."""
    assert CheckRecord.model_validate(CHECK).loaded_whole
    said = [CheckRecord.model_validate({**CHECK, "figures": {"loaded": how}}) for how in ("whole", "variables")]
    assert [each.loaded_whole for each in said] == [True, False]
