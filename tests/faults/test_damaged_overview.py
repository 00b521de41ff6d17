"""Whatever is damaged is left out and named; all else is drawn as if it were whole."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.school_year import JOB, write_year
from pipeline.days import Day
from pipeline.monitoring.failures import LONGEST_WAIT
from pipeline.monitoring.overview.index import Index
from pipeline.monitoring.overview.picture import Overview
from pipeline.release.publish.release_files import Championship, Hold, Pointer, ReleaseFiles
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.tiny import PROJECT

FIRST = Day.of(2024, 1, 1)
THIRD, FOURTH = FIRST.plus(2), FIRST.plus(3)
ONE, TWO = "experiment_1", "experiment_2"
SHARED = ("day", "extract", "validated", "maps", "state", "features", "release", "publish")
OWN = ("checkpoint", "test", "gate", "export", "check")
DEEP = b"[" * 100_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days of two experiments; not to be changed."""
    root = tmp_path_factory.mktemp("small")
    write_year(root, first=FIRST, days=5, experiments=2)
    return root


@pytest.fixture
def root(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "root"))


@pytest.fixture(autouse=True)
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings = yaml.safe_load((PROJECT / "conf" / f"{JOB}.yaml").read_text(encoding="utf-8"))
    settings["experiments"] = dict.fromkeys((ONE, TWO), next(iter(settings["experiments"].values())))
    settings["release"]["champion"] = ONE
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / f"{JOB}.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    monkeypatch.setenv("DAYSPRING_CONF", str(folder))
    return folder


def drawn(root: Path, overview: Overview | None = None) -> dict[str, Any]:
    picture = (overview or Overview(root)).picture(JOB)
    json.dumps(picture, allow_nan=False, ensure_ascii=False)
    return picture


def damaged(picture: dict[str, Any]) -> list[str]:
    return [each["path"] for each in picture["damaged"]]


def states(picture: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["states"] for each in picture["experiments"]}


def ref_of(kind: str, day: Day = THIRD) -> Ref:
    return Ref(kind, JOB, day, TWO if kind in OWN else None)


def manifest_of(root: Path, kind: str) -> Path:
    return root / str(ref_of(kind)) / "gen=0001" / "manifest.json"


def changed(root: Path, kind: str, *steps: str, value: Any) -> None:
    """Put a value into the manifest of the third day."""
    path = manifest_of(root, kind)
    here = record = json.loads(path.read_bytes())
    for step in steps[:-1]:
        here = here[step]
    here[steps[-1]] = value
    path.write_text(json.dumps(record), encoding="utf-8")


def assert_only_that_is_left_out(root: Path, kind: str, overview: Overview) -> None:
    whole = {ONE: "ttttt", TWO: "ttttt"}
    for look in (None, overview):
        picture = drawn(root, look)
        assert damaged(picture) == [str(ref_of(kind))]
        assert states(picture) == (whole | {TWO: "ttmtt"} if kind == "checkpoint" else whole)
        assert picture["count"] == 5


@pytest.mark.parametrize("kind", [*SHARED, *OWN])
def test_a_damaged_pointer(root: Path, kind: str) -> None:
    overview = Overview(root)
    assert damaged(drawn(root, overview)) == []
    path = root / str(ref_of(kind)) / "current"
    for content in (b"", b"gen=00", b"gen=0009", b"\xff\xfe\x00", b"gen=" + b"1" * 200, DEEP):
        path.write_bytes(content)
        assert_only_that_is_left_out(root, kind, overview)
    path.unlink()
    assert_only_that_is_left_out(root, kind, overview)
    path.mkdir()
    assert_only_that_is_left_out(root, kind, overview)
    path.rmdir()
    path.write_text("gen=0001\n", encoding="ascii")
    assert damaged(drawn(root, overview)) == []


@pytest.mark.parametrize("kind", [*SHARED, *OWN])
def test_a_damaged_manifest(root: Path, kind: str) -> None:
    overview = Overview(root)
    drawn(root, overview)
    path = manifest_of(root, kind)
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"null", b"[]", b"{}", b"\xff\xfe\x00", DEEP):
        path.write_bytes(content)
        assert_only_that_is_left_out(root, kind, overview)
    path.unlink()
    assert_only_that_is_left_out(root, kind, overview)
    path.mkdir()
    assert_only_that_is_left_out(root, kind, overview)
    path.rmdir()
    path.write_bytes(whole)
    assert damaged(drawn(root, overview)) == []


WRONG: list[tuple[str, Any]] = [
    ("kind", "another"), ("kind", None), ("job", 7), ("day", "2024-01-04"), ("day", "9999-99-99"),
    ("experiment", "third"), ("generation", 2), ("generation", float("inf")), ("id", "\ud800"), ("state", "half"),
    ("state", []), ("pruned", "no"), ("digest", None), ("settings", {}), ("reason", "\ud800"), ("created_at", 1),
    ("inputs", None), ("inputs", [{"id": "a" * 5000, "digest": ""}]), ("inputs", [{"id": "\ud800", "digest": ""}]),
    ("files", {"payload": "1"}), ("files", {"payload": None}), ("files", {"payload": float("nan")}), ("files", []),
    ("files", {"\ud800": 1}), ("files", {"payload": -1}), ("files", {"payload": 10**400}),
    ("rows", {"rows": float("nan")}), ("rows", {"rows": "many"}), ("rows", {"rows": True}), ("extra", None),
]  # fmt: skip


@pytest.mark.parametrize("kind", [*SHARED, *OWN])
def test_a_wrong_value_in_any_manifest(root: Path, kind: str) -> None:
    index, path = Index(root, JOB), manifest_of(root, kind)
    index.refresh()
    assert index.damaged() == []
    whole = path.read_bytes()
    for field, value in WRONG:
        changed(root, kind, field, value=value)
        index.refresh()
        assert [each["path"] for each in index.damaged()] == [str(ref_of(kind))], (field, value)
        assert len(index.damaged()[0]["problem"]) < 1100
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("kind", "steps", "values"),
    [
        ("checkpoint", ["parent_day"], ["2024-13-45", 3]),
        ("checkpoint", ["loss"], [float("nan"), "2.5", 10**400, True]),
        ("test", ["values"], [None, [], {"auc": "high"}, {"auc": [1]}, {"auc": 10**400}]),
        ("test", ["groups"], [None, {"new_user": None}, {"new_user": {"auc": {}}}]),
        ("gate", ["verdict"], [None, 1, "half"]),
        ("gate", ["reasons"], [None, "text", [1]]),
        ("gate", ["checkpoint"], [3, None]),
        ("check", ["verdict"], [None, {}]),
        ("check", ["reasons"], [{}]),
        ("validated", ["counts"], [None, [], {"clicks": None}, {"clicks": {"read": 1}}]),
        ("validated", ["counts", "clicks", "read"], [None, "1", float("nan"), -1, 1.5]),
        ("maps", ["sizes"], [None, [], {"teacher": None}]),
        ("maps", ["sizes", "teacher"], [float("nan"), float("inf"), "4000", -1, 10**30]),
        ("maps", ["sizes_before", "teacher"], [None, float("nan")]),
        ("release", ["checkpoint_day"], [None, "yesterday"]),
        ("release", ["experiment"], [None, [], 1]),
        ("release", ["release_id"], [None, []]),
        ("release", ["by"], [3]),
        ("release", ["reasons"], ["text", [None], {}]),
        ("publish", ["status"], [None, 7]),
        ("publish", ["reason"], [7]),
    ],
)  # fmt: skip
def test_a_wrong_value_in_what_a_stage_added(root: Path, kind: str, steps: list[str], values: list[Any]) -> None:
    overview, path = Overview(root), manifest_of(root, kind)
    drawn(root, overview)
    whole = path.read_bytes()
    for value in values:
        changed(root, kind, "extra", *steps, value=value)
        assert_only_that_is_left_out(root, kind, overview)
        (problem,) = (each["problem"] for each in drawn(root, overview)["damaged"])
        assert f"{path}: the manifest's extra.{steps[0]}" in problem
        assert problem.endswith("and run the day again")
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("kind", "step", "value"),
    [
        ("checkpoint", "parent_day", "\ud800"), ("test", "values", {"\ud800": 1}), ("gate", "verdict", "\ud800"),
        ("gate", "reasons", ["\ud800"]), ("publish", "status", "\ud800"),
    ],
)  # fmt: skip
def test_half_of_a_pair_of_characters_is_no_text(root: Path, kind: str, step: str, value: Any) -> None:
    overview, path = Overview(root), manifest_of(root, kind)
    drawn(root, overview)
    changed(root, kind, "extra", step, value=value)
    assert_only_that_is_left_out(root, kind, overview)
    (problem,) = (each["problem"] for each in drawn(root, overview)["damaged"])
    assert problem.startswith(f"{path}: the manifest is damaged (Invalid JSON")
    assert problem.endswith("and run the day again")


def test_a_measure_that_is_undefined_is_a_gap_and_no_damage(root: Path) -> None:
    changed(root, "test", "extra", "values", "auc", value=float("nan"))
    changed(root, "test", "extra", "values", "composite", value=None)
    picture = drawn(root)
    assert picture["damaged"] == []
    values = picture["measures"]["values"][TWO]
    assert values["auc"][2] is None
    assert values["composite"][2] is None
    assert values["auc"][3] is not None


def test_what_need_not_be_said_may_be_nothing(root: Path) -> None:
    for kind, name in (("release", "by"), ("release", "reasons"), ("publish", "reason")):
        changed(root, kind, "extra", name, value=None)
    picture = drawn(root)
    assert picture["damaged"] == []
    third = next(each for each in picture["releases"]["history"] if each["day"] == str(THIRD))
    assert (third["by"], third["reasons"], third["why"]) == ("", [], "")


def test_only_some_kinds_have_skipped_days(root: Path) -> None:
    for kind in ("test", "checkpoint"):
        changed(root, kind, "state", value="skipped")
    picture = drawn(root)
    assert damaged(picture) == [str(ref_of("test"))]
    assert states(picture)[TWO] == "ttstt"


def test_a_withdrawn_day_is_no_damage(root: Path) -> None:
    overview, store = Overview(root), ArtifactStore(root)
    drawn(root, overview)
    store.withdraw(ref_of("features"))
    for look in (None, overview):
        picture = drawn(root, look)
        assert picture["damaged"] == []
        assert states(picture)[ONE] == "ttxxx"


def test_a_damaged_mark(root: Path) -> None:
    overview, store = Overview(root), ArtifactStore(root)
    store.taint(ref_of("gate"), "by hand")
    assert damaged(drawn(root, overview)) == []
    for content in (b"", b"[]", DEEP, b'{"generation": Infinity, "reason": ""}'):
        (root / str(ref_of("gate")) / "tainted").write_bytes(content)
        assert damaged(drawn(root)) == damaged(drawn(root, overview)) == [str(ref_of("gate"))]


def test_inputs_in_a_circle_end(root: Path) -> None:
    features = ArtifactStore(root).current(ref_of("features"))
    assert features is not None
    changed(root, "maps", "inputs", value=[{"id": features.id, "digest": features.manifest.digest}])
    assert states(drawn(root)) == {ONE: "ttttt", TWO: "ttttt"}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"start": "never"}', DEEP])
def test_a_damaged_record_of_a_chain_whose_first_day_is_tainted(root: Path, content: bytes) -> None:
    ArtifactStore(root).taint(Ref("checkpoint", JOB, FIRST, TWO), "by hand")
    record = root / "checkpoint" / JOB / TWO / "chain.json"
    record.write_bytes(content)
    picture = drawn(root)
    assert damaged(picture) == [str(record.relative_to(root))]
    assert states(picture) == {ONE: "ttttt", TWO: "xxxxx"}
    assert picture["experiments"][1]["rechain"] is None


RECORDS = {
    "served.json": [b"", b"[]", DEEP, b'{"day": 3}', {"release_id": 1}, {"version": float("nan")}, {"previous": 3}],
    "hold.json": [b"", b"[]", DEEP, b"{}", {"left": 3}, {"reason": None}],
    "champion.json": [b"", b"[]", DEEP, {"changes": None}, {"changes": [{"experiment": 1, "day": "x", "by": ""}]}],
    "rolled_back.json": [b"", b"{}", DEEP, {"releases": [[]]}, {"releases": 3}, {"releases": [1]}],
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record_of_the_releases_hides_no_other(root: Path, name: str) -> None:
    files = ReleaseFiles.of(root, JOB)
    files.set_served(Pointer("now", JOB, FOURTH, ONE, f"checkpoint/{JOB}/{ONE}/day={THIRD}/gen=0001", 3, {}, "before"))
    files.set_hold(Hold("left", "before", "by hand", done=True))
    files.add_champion(Championship(ONE, FIRST, "promote"))
    whole = drawn(root)["releases"]
    record = json.loads((files.folder / name).read_bytes())
    for content in RECORDS[name]:
        text = content if isinstance(content, bytes) else json.dumps(record | content).encode()
        (files.folder / name).write_bytes(text)
        picture = drawn(root)
        assert damaged(picture) == [f"releases/{JOB}/{name}"], content
        assert str(files.folder / name) in picture["damaged"][0]["problem"]
        now = picture["releases"]
        assert now["history"] == whole["history"]
        assert now["served"] == (None if name == "served.json" else whole["served"])
        assert now["hold"] == (None if name == "hold.json" else whole["hold"])
        assert now["champions"] == ([] if name == "champion.json" else whole["champions"])


def note(root: Path, name: str, content: bytes = b'{"stage": "extract", "message": "m", "at": "n"}') -> str:
    path = root / "failures" / JOB / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path.relative_to(root))


def test_a_failure_of_a_day_that_cannot_be(root: Path) -> None:
    late = FIRST.plus(4 + LONGEST_WAIT)
    absurd = [note(root, "9999-12-31.json"), note(root, f"{late.next()}.{ONE}.json")]
    note(root, "0001-01-01.json")
    picture = drawn(root)
    assert sorted(damaged(picture)) == sorted(absurd)
    assert picture["count"] == 5
    assert [each["day"] for each in picture["failed_stages"]] == ["0001-01-01"]
    note(root, f"{late}.json")
    picture = drawn(root)
    assert sorted(damaged(picture)) == sorted(absurd)
    assert picture["last"] == str(late)


def test_notes_that_cannot_be_understood(root: Path) -> None:
    for content in (b"", b"[]", DEEP, b"\xff"):
        note(root, "2024-01-06.json", content)
        picture = drawn(root)
        assert picture["failed_stages"] == []
        assert picture["damaged"] == []


def test_an_artefact_of_a_day_that_cannot_be(root: Path) -> None:
    store = ArtifactStore(root)
    far = [Ref("checkpoint", JOB, Day.of(1, 1, 1), ONE), Ref("day", JOB, Day.of(9999, 12, 31))]
    for ref in far:
        with store.draft(ref) as draft:
            draft.commit(key="", digest="", inputs=[])
    picture = drawn(root)
    assert damaged(picture) == [str(ref) for ref in far]
    assert (picture["first"], picture["count"]) == (str(FIRST), 5)
    assert states(picture)[TWO] == "ttttt"


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.write_text("no folder", encoding="utf-8")
    overview = Overview(root)
    picture = drawn(root, overview)
    assert str(root) in damaged(picture)
    assert picture["count"] == 0
    assert overview.jobs(["ads"]) == ["ads"]


def test_a_name_that_is_no_text(root: Path) -> None:
    (root / "maps" / JOB / os.fsdecode(b"day=\xff")).mkdir()
    (path,) = damaged(Overview(root).picture(JOB))
    assert path == f"maps/{JOB}/day=\udcff"


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [("maps", -1, {"sizes": {"teacher": float("nan")}}), ("checkpoint", 1, None), ("gate", 5, "half"), ("day", 4, 3)],
)
def test_what_was_remembered_wrongly_is_read_again(root: Path, kind: str, place: int, value: Any) -> None:
    whole = drawn(root)
    path = Index(root, JOB).path
    record = json.loads(path.read_bytes())
    series = next(each for each in record["series"] if each["kind"] == kind and each["entries"])
    series["entries"][0][2][place] = value
    path.write_text(json.dumps(record), encoding="utf-8")
    assert drawn(root) == whole
