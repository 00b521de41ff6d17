"""The ledger never stands in the way of what is served."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.release.publish.ledger import BY, Ledger
from pipeline.release.publish.release_files import Pointer

POINTER = Pointer("r1", "ads", Day.of(2024, 3, 4), "din", "checkpoint/ads/din/day=2024-03-04/gen=1", 20240304, {})


def test_a_user_without_a_name_is_told_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.delenv(BY, raising=False)
    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    ledger = Ledger(tmp_path)
    ledger.enter(POINTER, "rollback", "clicks fell")
    assert [(each.by, each.why) for each in ledger.entries()] == [("user 54321", "clicks fell")]


def test_a_day_that_is_none_is_damage_and_is_put_aside(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.enter(POINTER, "publish", "")
    path = tmp_path / "ledger.json"
    told = json.loads(path.read_bytes())
    told["entries"][0]["day"] = "yesterday"
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(CorruptArtifact, match=r"ledger\.json: damaged \('yesterday' is not a day"):
        ledger.entries()
    ledger.enter(POINTER, "publish", "")
    assert [each.release_id for each in ledger.entries()] == ["r1"]


def test_the_first_entry_of_a_root_that_served_already_names_what_was_served(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.enter(replace(POINTER, release_id="r2", previous="r1"), "publish", "")
    ledger.enter(replace(POINTER, release_id="r3", previous="r2"), "publish", "")
    assert [(each.before, each.release_id) for each in ledger.entries()] == [("r1", "r2"), ("r2", "r3")]
