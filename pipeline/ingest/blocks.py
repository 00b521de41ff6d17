"""Which days are extracted together: those of a calendar-aligned block that may be read and are not there yet."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.days import Day
from pipeline.ingest.readiness import is_settled
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref


def block_of(context: JobContext, day: Day, kind: str) -> list[Day]:
    """``day`` and the days of its block that have neither a current artefact of ``kind`` nor a skip, ascending.

    Only ended days of which nothing is waited for, from the chain's start on: each of the others is for its own turn.
    A source that finds a day without a pass over the table is read a day at a time.
    """
    config, now = context.config, datetime.now(UTC)
    if not context.source().reads_blocks or config.extract_block == 1:
        return [day]
    first = Day(day.ordinal - day.ordinal % config.extract_block)
    begin = config.state_from or config.start or first
    return [
        each for each in first.through(first.plus(config.extract_block - 1))
        if each == day or (
            each >= begin
            and not config.is_dirty(each)
            and context.store.current(Ref(kind, context.job, each)) is None
            and context.skipped(each) is None
            and is_settled(context, each, now)
        )
    ]  # fmt: skip
