"""Which of a job's tables anything is made of."""

from __future__ import annotations

from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import homework, impressions


def check_all_read(plan: Plan) -> None:
    """Raises ``ConfigError`` for a table that every day is extracted and validated for nothing."""
    unread = sorted(set(plan.config.tables) - _read(plan))
    if unread:
        raise ConfigError(
            "\n".join(
                f"tables.{name}: nothing is made of it, though every day of it is extracted and validated: name it in "
                f"the section `{plan.config.kind}` and make a feature of it, or take it out of `tables`"
                for name in unread
            )
        )


def _read(plan: Plan) -> set[str]:
    job, shown = plan.config.ranking, plan.config.impressions
    read: set[str | None] = {table.keys.table for table in plan.config.tables.values() if table.keys is not None}
    section = job or shown
    if section is not None:
        read.add(section.rows)
        columns = homework.user_columns(plan) if job is not None else impressions.user_columns(plan)
        if section.profile is not None and columns:
            read.add(section.profile.table)
    if shown is not None and shown.items is not None and impressions.item_columns(plan):
        read.add(shown.items.table)
    if job is not None:
        clicks, base = job.labels.clicks, job.base_chapters
        read |= {job.candidates.table, base.table if base is not None else None}
        read |= {clicks.table, clicks.offered} if clicks is not None else set()
        if job.study is not None and plan.study_owner_space is not None:
            read.add(job.study.table)
        if job.style_counts is not None and plan.counted_space is not None:
            read.add(job.style_counts.table)
    return {name for name in read if name is not None}
