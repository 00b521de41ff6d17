from __future__ import annotations

from typing import Any

from pipeline.release.contents.impressions import impression_parts
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.shown_days import DAY, Shows
from tests.unit.pipeline.release.in_memory import as_of, read

TABLES = {"users": shows.USERS, "ads": shows.ADS.set_column(2, "tag_1", [[5, None, 6]])}


def parts(job: Shows, meta: dict[str, Any]) -> dict[str, Any]:
    found = impression_parts(as_of(job, DAY, TABLES.__getitem__), job.plan.request, meta, {})
    return {part.name: read(part) for part in found}


def test_profiles_of_users_and_of_every_item_and_the_candidates_in_order() -> None:
    settings = shows.config().model_dump(by_alias=True, mode="json")["impressions"]
    job = Shows(shows.config(impressions={**settings, "candidate_days": 1}))
    job.day(DAY.previous(), shows.log((1, 11, 0, 7, None, [])))
    job.day(DAY, shows.log((1, 99, 0, 7, None, []), (1, 12, 1, 7, None, [])))
    meta: dict[str, Any] = {"frames": {}}
    found = parts(job, meta)
    spaces = [f"ids.{space}" for space in ("ad", "county", "kind", "path", "place", "skill", "tag", "user")]
    assert sorted(found) == ["candidates", "histories", *spaces, "items", "profiles"]
    assert found["candidates"] == {"all": [12, 99]}
    columns = [name for name, _ in meta["frames"]["profiles"]]
    assert dict(zip(columns, found["profiles"]["3"], strict=True)) == {
        "user.county": None, "user.skill": None, "user.spent": 3.0, "user.user": 3
    }  # fmt: skip
    # Those that may be asked for though nobody was shown them of late are told too; of 99 nothing is known.
    assert sorted(found["items"]) == ["10", "11", "12", "99"]
    columns = [name for name, _ in meta["frames"]["items"]]
    assert dict(zip(columns, found["items"]["11"], strict=True)) == {
        "item.kind": "book", "item.tag_1": None, "item.tag_2": -1, "item.clicks": 200.0, "item.ad": 11,
    }  # fmt: skip
    unknown = dict(zip(columns, found["items"]["99"], strict=True))
    assert unknown.pop("item.ad") == 99
    assert set(unknown.values()) == {None}


def test_nothing_shown_leaves_no_candidates() -> None:
    assert parts(Shows(), {"frames": {}})["candidates"] == {"all": []}
