from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema import MISSING_INT, PADDING, UNKNOWN
from pipeline.config.features import Digits
from pipeline.errors import ConfigError
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import raw_ids
from pipeline.features.ids import fingerprints
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.impressions import impression_rows
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features import lessons, shows
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell

NONE = MISSING_INT


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"of": 5, "at": 6}, "digit 6 of ids of 5 digits"),
        ({"of": 5, "at": 4, "count": 3}, "digit 6 of ids of 5 digits"),
        ({"of": 5, "at": 1, "allowed": [40]}, r"not \[40\]"),
        ({"of": 5, "at": 1, "allowed": []}, "`allowed` is what"),
        ({"of": 5, "at": 5, "allowed": [0, 1], "plain": 0}, "`plain: 0` is what composed ids may have"),
        ({"of": 5, "at": 5, "plain": 9}, "`plain: 9` is what composed ids may have"),
    ],
)
def test_a_rule_that_no_id_can_fit_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Digits.model_validate(rule)


CANDIDATES = lessons.table(
    "candidates", ([10], [101], 40111, 7, 1), ([10], [102], 10110, 7, 2), ([10], [101], 3, 7, 3),
    ([20], [201], 90111, 9, 1),
)  # fmt: skip


def test_kind_and_flags_of_composed_styles_are_ids_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "CANDIDATES", CANDIDATES)
    school = School(lessons.composed())
    styles = (40111, 20100, 3)
    homework = lessons.table("homework", *((501, 9001, 5, [10], [101], style, 7) for style in styles))
    school.lived(DAY.plus(-1), homework=homework, candidates=CANDIDATES)
    rows = school.rows(DAY, homework=lessons.HOMEWORK, candidates=CANDIDATES)
    last = {part: np.full((2, 3, 2), fingerprints.PADDING) for part in ("sections", "styles")}
    last["styles"][1, 2] = [3, 40111]
    built = school.built(rows, last)
    arrays, places = built.arrays, built.arrays.layout.item_ids
    keys = built.keys["item.key"].tolist()
    kinds = dict(zip(keys, school.raw("style_kind", cell(arrays.item_ids, places, "style_kind")), strict=True))
    flags = dict(zip(keys, school.raw("flag", cell(arrays.item_ids, places, "flag")), strict=True))
    assert kinds == {"11|40111": 4, "12|10110": 1, "11|3": NONE, "21|90111": NONE}
    assert flags == {"11|40111": 1, "12|10110": 0, "11|3": -1, "21|90111": 1}
    # The style itself stays what it was.
    plain = dict(zip(keys, school.raw("style", cell(arrays.item_ids, places, "style")), strict=True))
    assert plain["11|40111"] == 40111
    assert (built.counts["style_kind_misfits"], built.counts["flag_misfits"]) == (1, 0)
    # Of yesterday's 40111, 20100 and 3 the history has the kinds 4 and 2, one after the other.
    window = cell(arrays.request_ids, arrays.layout.request_ids, "set_kinds")[0, -1]
    assert school.raw("style_kind", window[:2]) == [4, 2]
    assert window[2:].tolist() == [PADDING] * (len(window) - 2)
    years = cell(arrays.request_ids, arrays.layout.request_ids, "last_kinds")[1, 2]
    assert years[0] == school.maps["style_kind"].lookup(np.array([4]))[0]
    assert years[1:].tolist() == [PADDING] * (len(years) - 1)
    # Teacher 501 has set one package of the kind 4 and none of the kind 1; plain styles are of no kind.
    own = np.asarray(cell(arrays.pair_dense, arrays.layout.pair_dense, "own_kind")).ravel()
    mine = {keys[item]: value for item, value in zip(arrays.pair_item[:3].tolist(), own[:3].tolist(), strict=True)}
    assert mine == {"11|40111": 1, "12|10110": 0, "11|3": 0}


def test_kinds_of_candidates_that_nobody_has_set_are_mapped() -> None:
    school = School(lessons.composed())
    school.rows(DAY, candidates=CANDIDATES)
    assert sorted(school.maps["style_kind"].ids.tolist()) == [1, 4]
    assert 40111 in school.maps["style"].ids.tolist()


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"kind": "categorical", "side": "item", "source": "item.key"}, "chapters, sections, style or reflect"),
        ({"kind": "categorical", "side": "request", "source": "calendar.weekday"}, "for columns of tables"),
        ({"kind": "dense", "side": "request", "source": "row.grade", "space": None}, "`dense` has none"),
        ({"kind": "categorical", "side": "request", "source": "row.grade", "buckets": [1]}, "one rule makes the id"),
        ({"kind": "categorical", "side": "request", "source": "user.years"}, "years is declared as float"),
    ],
)
def test_digits_where_none_can_be_are_refused(feature: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=message):
        Plan(lessons.composed(new={"space": "style_kind", "digits": lessons.KIND, **feature}))


def built_ads(**settings: Any) -> tuple[Built, dict[str, IdMap], Plan]:
    """A day of the ads 10 … 13, whose labels are (4, 1), (1, 4), (4, 4) and none."""
    ads = {"ad": [10, 11, 12, 13], "kind": ["p", "p", "q", "q"], "tag_1": [4, 1, 4, None], "tag_2": [1, 4, 4, None],
           "clicks": [0.0] * 4}  # fmt: skip
    dump = shows.config().model_dump(mode="json")
    tags = {**dump["features"]["tags"], "space": "tag", **settings}
    config = shows.config(features={**dump["features"], "tags": tags}, spaces={**dump["spaces"], "tag": "str"})
    plan = Plan(config)
    log = shows.log(*[(1, ad, 1, 7, 1.0, []) for ad in (10, 11, 12, 13)])
    tables = {"log": log, "users": shows.USERS, "ads": pa.table(ads)}
    rows = impression_rows(plan.request, tables.__getitem__, DAY)
    maps = {space: IdMap(space, kind, np.zeros(0, np.int64 if kind == "int" else object))
            for space, kind in plan.spaces.items()}  # fmt: skip
    for space, raw in raw_ids(plan, rows).items():
        maps[space] = maps[space].grown(raw, DAY)
    state = FeatureState.empty(config)
    events_of(plan, rows)
    return build(plan, rows, maps, state), maps, plan


def tags_of(built: Built, maps: dict[str, IdMap]) -> list[list[str]]:
    index = cell(built.arrays.item_ids, built.arrays.layout.item_ids, "tags")
    return [[each for each in maps["tag"].raw(row[row != PADDING]).tolist() if each] for row in index]


def test_labels_told_by_their_column_share_no_id() -> None:
    built, maps, _ = built_ads(compose="column")
    assert tags_of(built, maps) == [["tag_1:4", "tag_2:1"], ["tag_1:1", "tag_2:4"], ["tag_1:4", "tag_2:4"], []]


def test_labels_and_values_two_by_two_are_one_id() -> None:
    built, maps, _ = built_ads(compose="pairs")
    assert tags_of(built, maps) == [["4:1"], ["1:4"], ["4:4"], []]


def test_columns_as_they_are_share_their_ids() -> None:
    built, maps, _ = built_ads()
    assert tags_of(built, maps) == [["4", "1"], ["1", "4"], ["4", "4"], []]


def test_an_ad_without_labels_has_no_first_one() -> None:
    built, _, plan = built_ads(compose="column")
    index = cell(built.arrays.item_ids, built.arrays.layout.item_ids, "tags")
    assert index[3].tolist() == [PADDING] * index.shape[1]
    assert UNKNOWN not in index
    assert plan.features["tags"].keys == ("item.tag_1", "item.tag_2")


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"space": "place"}, "'place' is of int, and composed ids are text"),
        ({"source": "item.tag_1"}, "`compose: column` needs a `source` of several columns"),
        ({"source": ["item.tag_1", "item.tag_2", "item.kind"], "compose": "pairs"}, "an even number of columns"),
        ({"source": ["item.tag_1", "item.clicks"]}, "clicks is declared as float"),
        ({"part": 1}, "one rule makes the id"),
    ],
)
def test_columns_that_make_no_id_together_are_refused(feature: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=message):
        built_ads(**{"compose": "column", **feature})
