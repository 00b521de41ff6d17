"""``backfill --dry-run``: per day and stage what would run, and why; nothing is written."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.features.state.day_order import days_before, guard_start
from pipeline.job import JobContext
from pipeline.stages.line import Publish
from pipeline.stages.stage import EXPERIMENT, SHARED
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECK, EXTRACT, MADE_BY
from pipeline.storage.artifacts.lineage import Lineage
from pipeline.training.chain import Chain
from pipeline.training.lost_days import is_lost, lost_days, read_again
from pipeline.training.overrides import NONE, Overrides

_DONE_BY = {stage: kind for kind, stage in MADE_BY.items()}


def print_plan(
    context: JobContext,
    first: Day,
    last: Day,
    experiments: list[str],
    *,
    publish: Publish,
    reprocess: bool,
    retrain: bool = False,
    overrides: Overrides = NONE,
    late_days: bool = False,
) -> None:
    guard_start(context)
    print(f"{'day':10}  {'stage':24}  plan")
    _state_pass(context, first)
    again: dict[str, Day] = {}
    for day in first.through(last):
        skipped = context.skipped(day)
        if skipped is not None and not reprocess:
            plan = "look at its sources again" if late_days and not context.config.is_dirty(day) else "nothing"
            print(f"{day}  {'all':24}  {plan}: skipped ({skipped})")
            continue
        if context.config.is_dirty(day) and (reprocess or _extracted(context, day) is None):
            print(f"{day}  {'all':24}  skip: listed in dirty_days")
            continue
        upstream = ""
        for stage in SHARED:
            if _line(context, day, stage, None, upstream, "--reprocess" if reprocess else ""):
                upstream = upstream or f"{stage} runs again"
        for name in context.config.in_training_order(experiments):
            if _refused(context, day, name, reprocess or retrain, overrides):
                continue
            parent = f"its parent of {again[name]} is trained again" if name in again else ""
            anew = [each for each in context.config.experiments[name].members if again.get(each) == day]
            parent = f"its member '{anew[0]}' is trained" if anew else parent
            flag = "--retrain" if retrain and not reprocess else "--reprocess" if reprocess else ""
            if _line(context, day, EXPERIMENT, name, upstream or parent, flag, overrides.flags()):
                again[name] = day
                if not reprocess and is_lost(context, day):
                    told = read_again(context, name, lost_days(context, day))
                    print(f"{day}  {f'{EXPERIMENT} {name}':24}  cannot: {told}")
            else:
                again.pop(name, None)
        _closing(context, day, experiments, again, releases=publish == "each" or (publish == "last" and day == last))


def _state_pass(context: JobContext, first: Day) -> None:
    """The days that come before the first one asked for: read and mapped, not trained."""
    days = days_before(context, first)
    if days:
        stages = f"{', '.join(SHARED[:3])} (one pass)"
        print(f"{days[0]} … {days[-1]}  {stages}  run: {len(days)} days of feature state before {first}, not trained")


def _extracted(context: JobContext, day: Day) -> Artifact | None:
    return context.store.current(Ref(EXTRACT, context.job, day))


def _closing(context: JobContext, day: Day, names: list[str], again: dict[str, Day], *, releases: bool) -> None:
    """What follows from the experiments; prune and report always run and take no time."""
    unchecked = [name for name in names if context.store.current(Ref(CHECK, context.job, day, name)) is None]
    todo = [name for name in names if again.get(name) == day or name in unchecked]
    print(f"{day}  {'check':24}  " + (f"run: for {', '.join(todo)}" if todo else "nothing: every model is checked"))
    if releases:
        print(f"{day}  {'release, publish':24}  run: --publish; nothing if the same release is served already")


def _line(
    context: JobContext,
    day: Day,
    stage: str,
    experiment: str | None,
    upstream: str,
    again: str,
    flags: str = "",
) -> bool:
    runs, why = _decide(context, day, stage, experiment, upstream, again)
    label = stage if experiment is None else f"{stage} {experiment}"
    print(f"{day}  {label:24}  " + (f"run{flags and ' with' + flags}: {why}" if runs else f"nothing: {why}"))
    return runs


def _refused(context: JobContext, day: Day, experiment: str, reprocess: bool, overrides: Overrides) -> bool:
    """Whether the day is trained already, otherwise than it now would be; then nobody trains it over in silence."""
    trained = Chain.of(context, experiment).trained(day)
    if trained is None or reprocess or not overrides.contradict(trained, context.config):
        return False
    print(
        f"{day}  {f'{EXPERIMENT} {experiment}':24}  refused: done as {trained.id} with other settings; "
        f"{overrides.flags().strip()} needs --reprocess"
    )
    return True


def _decide(
    context: JobContext, day: Day, stage: str, experiment: str | None, upstream: str, again: str
) -> tuple[bool, str]:
    store, config = context.store, context.config
    ref = Ref(_DONE_BY[stage], config.job, day, experiment)
    current = store.current(ref)
    if current is None:
        return True, "not done yet"
    if again:
        return True, again
    taint = store.taint_reason(ref)
    if taint is not None:
        return True, f"tainted: {taint}"
    if upstream:
        return True, f"if what it reads comes out different: {upstream}"
    changed = Lineage(store).changed(current)
    if changed is not None:
        return True, f"its input {changed[0].id} has changed"
    if current.manifest.settings != config.stage_settings(stage, experiment):
        return False, f"done as {current.id}; its settings have changed since and apply from the next untrained day"
    return False, f"done as {current.id}"
