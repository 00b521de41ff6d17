"""Exit codes: what a script may rely on."""

from __future__ import annotations

import pytest

from pipeline import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.DayspringError, 1), (errors.SourceInterrupted, 1), (errors.LockTimeout, 1), (errors.NotYet, 1),
        (errors.UsageError, 2), (errors.ConfigError, 2), (errors.DaySkipped, 99),
        (errors.ChainError, 3), (errors.DataError, 3), (errors.CorruptArtifact, 3), (errors.PrunedPayload, 3),
    ],
)  # fmt: skip
def test_wrong_use_is_told_from_failure_and_from_a_skipped_day(kind: type[errors.DayspringError], code: int) -> None:
    assert kind.exit_code == code


def test_who_catches_damage_catches_what_was_pruned_and_knows_which() -> None:
    with pytest.raises(errors.CorruptArtifact) as caught:
        raise errors.PrunedPayload("gone", "checkpoint/ads/din/day=2024-03-01/gen=0001")
    assert caught.value.artifact == "checkpoint/ads/din/day=2024-03-01/gen=0001"  # type: ignore[attr-defined]
