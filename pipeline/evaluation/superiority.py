"""May a challenger become champion? Only where the same test rows show it better, the whole interval above zero."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.measures import task_of
from pipeline.days import Day
from pipeline.evaluation.bootstrap import Scored
from pipeline.evaluation.verdict import superiority
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FEATURES, TEST
from pipeline.training import logits
from pipeline.training.joint import with_joint_logits, with_joints


@dataclass(frozen=True)
class Comparison:
    """What the rows of a day say of a challenger beside the champion.

    Attributes:
        better: the whole interval of the difference lies above zero.
        low: the lower end of the interval; ``None`` where there is none.
        told: the figures, or why there are none, in words.
    """

    better: bool
    low: float | None
    told: str


def superior(context: JobContext, day: Day, challenger: str, champion: str) -> Comparison:
    """Whether ``challenger`` beats ``champion`` on the job's primary measure on ``day``.

    Both were tested on the day's rows by their own runs; needs no TensorFlow.
    """
    config, store = context.config, context.store
    features = store.current(Ref(FEATURES, config.job, day))
    tests = [store.current(Ref(TEST, config.job, day, name)) for name in (challenger, champion)]
    if features is None or tests[0] is None or tests[1] is None:
        return Comparison(False, None, f"'{challenger}' and '{champion}' were not both tested on {day}")
    new, old = (with_joint_logits(config, logits.read(test)) for test in tests if test is not None)
    measure = config.primary
    task = task_of(config.judged, measure)
    for name, scores in ((challenger, new), (champion, old)):
        if task not in scores:
            return Comparison(False, None, f"'{name}' is not asked '{task}', which {measure} is of")
    arrays = with_joints(config, day_arrays.read(features))
    scored = Scored(config.kind, arrays, day_arrays.key_rank(features), config.measures.composite, new, old)
    better, found = superiority(config.release.gate, scored, measure, config.seed)
    if found is None:
        return Comparison(False, None, f"{measure}: no interval on {day} (too few users, or one class only)")
    told = f"{measure} {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}] on {day}"
    return Comparison(better, found.low, told)
