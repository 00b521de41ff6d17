from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.config.experiment import Experiment
from pipeline.config.retention import Retention
from pipeline.days import Day
from pipeline.errors import LockTimeout
from pipeline.evaluation import superiority
from pipeline.ingest import late_labels
from pipeline.job import JobContext
from pipeline.release import prune
from pipeline.release.build import build
from pipeline.release.publish.release_files import Pointer, Published, ReleaseFiles
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training import chain
from pipeline.training.chain import Chain
from tests.unit.pipeline.release.days import FIRST, commit, context, run


@pytest.fixture(autouse=True)
def _nobody_superior(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(superiority, "superior", lambda *_: superiority.Comparison(False, None, ""))


def kept(here: JobContext, kind: str, experiment: str) -> list[Day]:
    days = here.store.days(kind, here.job, experiment)
    found = ((day, here.store.current(Ref(kind, here.job, day, experiment))) for day in days)
    return [day for day, artifact in found if artifact is not None and not artifact.manifest.pruned]


def served(here: JobContext, day: Day, previous: Day) -> None:
    """Publishes nothing, but leaves the files of it."""
    files = ReleaseFiles.of(here.root, here.job)
    ids = {}
    for each in (previous, day):
        release = here.store.current(Ref("release", here.job, each))
        assert release is not None
        extra = release.manifest.extra
        ids[each] = extra["release_id"]
        pointer = Pointer(extra["release_id"], here.job, each, "a", extra["checkpoint"], 1, {}, ids.get(previous))
        files.set_published(Published(pointer, release.id, {}, {}))
    files.set_served(pointer)


def test_the_newest_and_the_first_of_the_month_stay(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=2, keep_checkpoints=3)
    days = list(Day.of(2024, 2, 26).through(Day.of(2024, 3, 8)))
    for day in days:
        run(here, day, None)
    done = prune.prune(here)
    assert kept(here, "checkpoint", "b") == [Day.of(2024, 2, 26), Day.of(2024, 3, 1), *days[-3:]]
    assert kept(here, "export", "b") == days[-2:]
    assert done.bytes > 0
    assert len(done.ids) == 2 * (10 + 7)
    assert Chain.of(here, "b").days() == days  # manifests stay
    assert prune.prune(here).ids == []


def test_what_a_blend_is_made_of_stays_as_long_as_the_blend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blend was trained on two days only, which are its newest; of ``b`` they are long past."""
    here = context(tmp_path, keep_models=1, keep_checkpoints=2)
    experiments = {**here.config.experiments, "all": Experiment(model="blend", options={"of": ["a", "b"]})}
    here = JobContext(here.config.model_copy(update={"experiments": experiments}), tmp_path)
    days = list(FIRST.through(FIRST.plus(9)))
    for day in days:
        run(here, day, None)
        if day in days[2:4]:
            members = [here.store.current(Ref("checkpoint", here.job, day, name)) for name in "ab"]
            commit(here, "checkpoint", day, "all", inputs=[each.as_input() for each in members if each is not None])
    prune.prune(here)
    assert kept(here, "checkpoint", "all") == days[2:4]
    assert kept(here, "checkpoint", "b") == [days[0], *days[2:4], *days[-2:]]
    monkeypatch.setattr(chain, "LOCK_SECONDS", 0.0)
    with Chain.of(here, "all").lock(), pytest.raises(LockTimeout, match="experiment 'all'"):
        prune.prune(here)


def test_what_is_served_or_was_before_is_never_touched(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=1, keep_checkpoints=1)
    days = list(FIRST.through(FIRST.plus(9)))
    for day in days[:5]:
        run(here, day, None if day == days[0] else "promote")
        build(here, day)
    served(here, days[3], days[2])  # of the checkpoints of days 2 and 1
    for day in days[5:]:
        run(here, day, "keep")
    prune.prune(here)
    # Day 3 is the checkpoint of the newest release, 8 and 9 are tested next and trained on next, 0 begins the month.
    assert kept(here, "export", "a") == [days[1], days[2], days[3], days[9]]
    assert kept(here, "checkpoint", "a") == [days[0], days[1], days[2], days[3], days[8], days[9]]
    assert kept(here, "export", "b") == [days[9]]


def test_superseded_generations_of_exports_go(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    old = here.store.current(Ref("export", here.job, FIRST, "a"))
    commit(here, "export", FIRST, "a", checkpoint="other")
    done = prune.prune(here)
    assert old is not None
    assert done.ids == [old.id]


def test_a_daily_prune_looks_at_the_whole_chain_only_now_and_then(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=100, keep_checkpoints=2)
    for back in range(2 + 1 + prune._SLACK):
        run(here, FIRST.plus(back), None)
    assert prune.prune(here, thorough=False).ids == []
    run(here, FIRST.plus(20), None)
    assert len(prune.prune(here, thorough=False).ids) == 2 * (prune._SLACK + 1)


def test_what_was_published_at_any_time_stays_unless_the_settings_say_less(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=1, keep_checkpoints=1)
    days = list(FIRST.through(FIRST.plus(9)))
    for day in days:
        run(here, day, None if day == days[0] else "promote")
        build(here, day)
    for before, day in ((1, 2), (3, 4), (5, 6)):
        served(here, days[day], days[before])
    fewer = here.config.model_copy(update={"retention": Retention(released=2)})
    prune.prune(here)
    # Releases of days 1 to 6 are of the checkpoints of the days before them.
    assert kept(here, "checkpoint", "a")[:6] == days[:6]
    assert kept(here, "checkpoint", "b") == [days[0], days[8], days[9]]
    prune.prune(JobContext(fewer, here.root))
    assert kept(here, "checkpoint", "a") == [days[0], days[4], days[5], days[7], days[8], days[9]]


def test_arrays_of_days_long_past_go_where_the_settings_say_so(tmp_path: Path) -> None:
    here = context(tmp_path)
    days = list(FIRST.through(FIRST.plus(5)))
    for day in days:
        run(here, day, None)
    assert [each for each in prune.prune(here).ids if each.startswith("features/")] == []
    here = JobContext(here.config.model_copy(update={"retention": Retention(feature_days=2)}), here.root)
    assert prune.prune(here, thorough=False).ids == []
    gone = prune.prune(here)
    assert gone.ids == [f"features/tiny/day={day}/gen=0001" for day in days[:4]]
    assert prune.prune(here).ids == []


def test_readings_that_others_have_replaced_go_once_they_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    commit(here, "extract", FIRST, number=1)
    commit(here, "extract", FIRST, number=2)
    monkeypatch.setattr(late_labels, "due", lambda context: [FIRST])
    assert prune.prune(here).ids == []
    monkeypatch.setattr(late_labels, "due", lambda context: [])
    assert prune.prune(here).ids == [f"extract/tiny/day={FIRST}/gen=0001"]
    assert prune.prune(here).ids == []


def test_joined_rows_go_once_the_features_that_were_built_of_them_stand(tmp_path: Path) -> None:
    here = context(tmp_path)
    days = list(FIRST.through(FIRST.plus(2)))
    read, again = Input(f"validated/tiny/day={FIRST}/gen=0001", "a"), Input(f"validated/tiny/day={FIRST}/gen=0002", "b")
    maps = Input(f"maps/tiny/day={FIRST}/gen=0001", "m")
    for day, built in zip(days, ([read, maps], [again, maps], None), strict=True):
        commit(here, "rows", day, inputs=[read], payload="rows.arrays")
        if built is not None:
            commit(here, "features", day, inputs=built)
    gone = prune.prune(here, thorough=False)
    assert gone.ids == [f"rows/tiny/day={FIRST}/gen=0001"]
    assert prune.prune(here, thorough=False).ids == []


def test_what_all_experiments_read_goes_only_while_none_of_them_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = context(tmp_path)
    commit(here, "features", FIRST)
    commit(here, "features", FIRST, again=True)
    held: list[str] = []
    remove = ArtifactStore.prune

    def watched(store: ArtifactStore, artifact: Artifact) -> int:
        for name in here.config.experiments:
            with suppress(LockTimeout), Chain.of(here, name).lock(timeout=0):
                return remove(store, artifact)
            held.append(name)
        return remove(store, artifact)

    monkeypatch.setattr(ArtifactStore, "prune", watched)
    assert prune.prune(here).ids == ["features/tiny/day=2024-03-01/gen=0001"]
    assert held == ["a", "b"]
