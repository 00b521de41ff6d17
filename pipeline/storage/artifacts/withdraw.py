"""A day that had data and is skipped now: what was made of it no longer counts; what followed from it is tainted."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import MADE_OF_DATA, OF_EXPERIMENTS
from pipeline.storage.artifacts.store import ArtifactStore


def withdraw_day(store: ArtifactStore, job: str, day: Day) -> list[Ref]:
    """Withdraw what was made of the day's data; the refs that had something.

    Its releases and publications stay, as what happened. Its ids keep their places in the id maps: what an index means
    never changes. The checkpoints trained from the day's are tainted by it, and ``rechain`` trains them again.
    """
    refs = [
        Ref(kind, job, day, name)
        for kind in MADE_OF_DATA
        for name in (store.experiments(kind, job) if kind in OF_EXPERIMENTS else [None])
    ]
    # What is read first goes last: no stage finds its input gone while its own artefact still stands.
    return [ref for ref in reversed(refs) if store.withdraw(ref)]
