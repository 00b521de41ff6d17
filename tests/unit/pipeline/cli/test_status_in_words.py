"""The lines of a picture: days in a row, and what is not in order with its command."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cli.status_in_words import print_picture

WHY = "the source is away"


def picture(**more: Any) -> dict[str, Any]:
    days = [
        {"day": "2024-03-01", "state": "trained", "parent": None, "rows": 200, "replayed": 0, "quarantined": 1,
         "pruned": False, "measures": {"auc": 0.51}},
        {"day": "2024-03-02", "state": "failed", "stage": "experiment", "why": WHY, "at": "t"},
        {"day": "2024-03-03", "state": "failed", "stage": "validate", "why": "too bad", "at": "t"},
        {"day": "2024-03-04", "state": "skipped", "why": "no rows"},
    ]  # fmt: skip
    experiment = {"removed": False, "days": days, "renamed_from": None, "rechain": None, "settings_changed": False}
    return {
        "job": "ads", "experiments": {"din": experiment}, "labels": None, "columns": {"changes": {}, "missing": {}},
        "served": None, "champion": "din", "damaged": [], "kept_since": {}, "bytes": {"day": 1_000_000},
        "bytes_total": 1_000_000,
        "failed": [{"day": "2024-03-03", "stage": "validate", "why": "too bad", "at": "2024-03-04T01:00:00+00:00"}],
    } | more  # fmt: skip


def test_days_and_what_failed_with_what_goes_on_from_there(capsys: pytest.CaptureFixture[str]) -> None:
    print_picture(picture(), None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "ads 2024-03-03: validate failed at 2024-03-04T01:00:00+00:00: too bad",
        "  once that is corrected: python -m pipeline backfill --job ads --from 2024-03-03 --to 2024-03-03",
    ]
    assert lines[2] == "ads / din"
    trained = "  2024-03-01  trained   parent -           rows     200  quarantined 1  tested: auc 0.51"
    assert lines[3].startswith(trained)
    assert lines[4:6] == [
        f"  2024-03-02  failed    ({WHY})",
        "    once that is corrected: python -m pipeline backfill --job ads --experiment din --from 2024-03-02 "
        "--to 2024-03-04",
    ]
    assert lines[6:8] == ["  2024-03-03  failed    (at validate, see above)", "  2024-03-04  skipped   (no rows)"]
    assert lines[8:] == ["champion: din", "served: nothing yet", "on disk: day 1.0 MB; together 1.0 MB"]


def test_what_is_damaged_is_named_with_the_command_that_says_all(capsys: pytest.CaptureFixture[str]) -> None:
    print_picture(picture(damaged=["a manifest"], failed=[]), [])
    said = capsys.readouterr().out
    assert "DAMAGED: a manifest\n" in said
    assert "`python -m pipeline audit --job ads` says all of it" in said
    assert "no skipped day has come since" in said


@pytest.mark.parametrize(("count", "lines"), [(3, 4), (4, 2)])
def test_many_days_that_are_missing_alike_are_one_line(
    capsys: pytest.CaptureFixture[str], count: int, lines: int
) -> None:
    shown = picture()
    shown["experiments"]["din"]["days"] = [
        *({"day": f"2024-03-0{number}", "state": "missing"} for number in range(1, count + 1)),
        {"day": "2024-03-08", "state": "missing", "why": "held"},
    ]
    print_picture(shown, None)
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  2024")]
    assert len(told) == lines
    assert (told[0] == "  2024-03-01 … 2024-03-04  missing") is (count == 4)


@pytest.mark.parametrize(("published", "said"), [(True, "released as r1"), (False, "made into, not served: r1")])
def test_a_release_that_was_held_was_not_served(
    capsys: pytest.CaptureFixture[str], published: bool, said: str
) -> None:
    shown = picture()
    shown["experiments"]["din"]["days"][0] |= {"release": "r1", "published": published}
    print_picture(shown, None)
    assert said in capsys.readouterr().out
