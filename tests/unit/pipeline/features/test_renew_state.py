"""A root of the version before: its state is brought into today's form, and nothing is made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import ChainError, DataError
from pipeline.features.build_features import build_day
from pipeline.features.ids import idmap
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.store import FILE
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.monitoring.audit.payloads import problem_of
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY, config, context, write_day, write_undated

DAYS = [DAY.plus(-2), DAY.previous()]
DATED = {name: lessons.STANDARD[name] for name in ("homework", "clicks", "offered", "study", "style_counts")}


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """A job of two days whose state is stored as an earlier version did: by indices, without a word on its form."""
    job = with_sources(tmp_path, monkeypatch)
    for day in DAYS:
        run(job, day)
    for day in DAYS:
        artifact = state(job, day)
        arrays = {name: np.arange(3, dtype=np.int32) for name in ("history.owner", "catalogue.keys", "latest.keys")}
        array_file.write(artifact.path / FILE, arrays)
        manifest = artifact.path / "manifest.json"
        record = json.loads(manifest.read_bytes())
        record["extra"] = {}
        record["files"][FILE] = (artifact.path / FILE).stat().st_size
        manifest.write_text(json.dumps(record))
    return context(tmp_path, monkeypatch, config())


def with_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    folder.mkdir(exist_ok=True)
    write_undated(folder)
    for day in (*DAYS, DAY):
        write_day(folder, day, DATED)
    return context(folder, monkeypatch, config())


def run(job: JobContext, day: Day) -> None:
    extract(job, day)
    validate(job, day)
    grow(job, day)
    build_day(job, day)


def state(job: JobContext, day: Day) -> Artifact:
    found = job.store.current(Ref("state", job.job, day))
    assert found is not None
    return found


def test_what_cannot_be_read_names_the_command(before: JobContext) -> None:
    with pytest.raises(ChainError, match=r"stored by an earlier version, in another form; run .*update_id_maps"):
        states_of(before).as_of(DAY.previous())


def test_it_is_brought_into_todays_form_and_nothing_else_is_made_again(
    before: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = [(kind, day) for kind in ("maps", "features") for day in DAYS]
    ids = {(kind, day): before.store.current(Ref(kind, before.job, day)) for kind, day in kinds}
    digests = [state(before, day).manifest.digest for day in DAYS]
    for day in (*DAYS, DAY):
        run(before, day)
    assert "the feature state of 2 days is of an earlier version" in capsys.readouterr().err
    assert [state(before, day).manifest.digest for day in DAYS] == digests
    assert {key: before.store.current(Ref(key[0], before.job, key[1])) for key in ids} == ids
    fresh = with_sources(tmp_path / "fresh", monkeypatch)
    for day in (*DAYS, DAY):
        run(fresh, day)
    first, second = (states_of(each).as_of(DAY).arrays() for each in (before, fresh))
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_a_renewed_day_is_audited_as_any_other(before: JobContext) -> None:
    run(before, DAY)
    artifact = state(before, DAYS[0])
    assert problem_of(artifact) is None
    arrays = {**array_file.read(artifact.path / FILE)[0], "label": np.int8([0, 0, 0])}
    (artifact.path / FILE).unlink()  # it is mapped: it must not change under whoever reads it
    array_file.write(artifact.path / FILE, arrays)
    assert "not what was committed" in str(problem_of(artifact))


def test_a_day_grown_again_with_the_same_content_taints_no_other(before: JobContext) -> None:
    run(before, DAY)
    grow(before, DAYS[0], reprocess=True)
    assert [before.store.taint_reason(Ref("state", before.job, day)) for day in (*DAYS, DAY)] == [None] * 3


def corrected(folder: Path) -> None:
    """The source gives other rows of the first day."""
    more = lessons.table("homework", (501, 9001, 5, [10], [102], 2, 7))
    write_day(folder, DAYS[0], {**DATED, "homework": more})


def again(job: JobContext, day: Day) -> None:
    extract(job, day, reprocess=True)
    validate(job, day, reprocess=True)
    grow(job, day, reprocess=True)
    build_day(job, day)


@pytest.mark.parametrize("renewed_first", [True, False])
def test_an_old_day_that_is_corrected_reaches_every_later_one(
    before: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renewed_first: bool
) -> None:
    if renewed_first:
        run(before, DAY)
    corrected(tmp_path)
    again(before, DAYS[0])
    for day in (DAYS[1], DAY):
        run(before, day)
    # A root of this version that has seen the same: ids keep the indices that they were given before.
    fresh = with_sources(tmp_path / "fresh", monkeypatch)
    for day in DAYS:
        run(fresh, day)
    corrected(tmp_path / "fresh")
    again(fresh, DAYS[0])
    for day in (DAYS[1], DAY):
        run(fresh, day)
    for day in (*DAYS, DAY):
        mine, theirs = (each.store.current(Ref("features", each.job, day)) for each in (before, fresh))
        assert mine is not None
        assert theirs is not None
        assert mine.manifest.digest == theirs.manifest.digest, day
        assert problem_of(state(before, day)) is None, "and none is told to be damaged"


def test_a_day_that_was_tainted_stays_so(before: JobContext) -> None:
    ref = Ref("state", before.job, DAYS[1])
    before.store.taint(ref, "half of the log was missing")
    run(before, DAY)
    assert before.store.taint_reason(ref) == "half of the log was missing"


def test_ids_of_one_fingerprint_that_an_old_map_holds_are_refused(
    before: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idmap, "codes_of", lambda raw: np.zeros(len(raw), np.int64) if raw.dtype.kind == "O" else raw)
    extract(before, DAY)
    validate(before, DAY)
    with pytest.raises(DataError, match=r"id space 'package': the ids '.*' and '.*' have one code"):
        grow(before, DAY)


def test_without_the_tables_of_a_day_it_is_refused(before: JobContext) -> None:
    tables = before.store.current(Ref("validated", before.job, DAYS[0]))
    assert tables is not None
    before.store.prune(tables)
    extract(before, DAY)
    validate(before, DAY)
    told = f"{DAYS[0]}: .* validated tables of this day are gone; run .*extract .*validate"
    with pytest.raises(ChainError, match=told):
        grow(before, DAY)
