"""Records of days that the version before wrote, read and written again."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.ingest.records import Counts, ExtractRecord, ValidatedRecord

EXTRACT = {
    "url": "sqlite:////source.db", "read_at": "2024-03-04T15:22:18.405+00:00", "sources": {"log": "impressions"},
    "digests": {"log": "27330775"}, "missing_columns": {"log": ["price"]}, "unread_columns": {"log": ["row_key"]},
    "as_of": {"ads": "2024-03-04T23:22:51+08:00"}, "versions": {"ads": "57bfa6a5"}, "linked": ["ads"],
    "notes": {"log": {"seen": True}},
}  # fmt: skip
LOG: dict[str, Any] = {
    "read": 14328, "quarantined": 2, "duplicates": 483, "kept": 13843, "reasons": {"price: too low": 2},
    "other_day_time": 137, "running_unavailable": 0, "missing_columns": [], "missing": {"tab": 0}, "repeated": 7,
    "repeated_of": {"2024-03-03": 6}, "repeated_usually": 149, "constant": None, "rarely": ["tab"],
}  # fmt: skip
VALIDATED = {
    "counts": {"log": LOG}, "digests": {"log": "c20b8886"}, "keys": {"ads": "9945a6b0"},
    "running": {"ads": {"from": "extract/ads/day=2024-03-03/gen=0001", "next_from": None}},
    "sources": {"log": "impressions"}, "unread_columns": {}, "fingerprints": {"log": ["user", "ad"]},
    "beyond_limits": [], "accepted": None,
}  # fmt: skip


def test_every_key_stays() -> None:
    assert ExtractRecord.model_validate(EXTRACT).written() == EXTRACT
    assert ValidatedRecord.model_validate(VALIDATED).written() == VALIDATED


def test_of_the_first_version_what_it_did_not_say_is_not_known() -> None:
    found = ValidatedRecord.model_validate({"counts": {"log": {"read": 5, "quarantined": 0}}})
    log = found.counts["log"]
    assert (found.sources, found.unread_columns) == (None, None)
    assert (log.missing, log.repeated, log.constant) == (None, None, None)
    assert ExtractRecord.model_validate({"digests": {}}).read_at is None


def test_a_day_was_accepted_only_where_it_was_beyond_a_limit() -> None:
    def accepted(beyond: list[str], why: str | None) -> bool:
        return ValidatedRecord(counts={}, beyond_limits=beyond, accepted=why).was_accepted

    assert accepted(["log: too few"], "a holiday")
    assert not accepted([], "a holiday")
    assert not accepted(["log: too few"], None)


def test_counts_do_without_no_number_that_is_always_there() -> None:
    with pytest.raises(ValidationError, match="quarantined"):
        Counts.model_validate({"read": 1})
    one, other = Counts(read=1, quarantined=0), Counts(read=1, quarantined=0)
    one.missing_columns.append("price")
    assert other.missing_columns == []


def test_rows_put_aside_are_those_of_all_tables() -> None:
    counts = {name: {"read": 9, "quarantined": rows} for name, rows in (("log", 2), ("ads", 3))}
    assert ValidatedRecord.model_validate({"counts": counts}).quarantined == 5
