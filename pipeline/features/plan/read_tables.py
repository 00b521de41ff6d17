"""Which of a job's tables anything is made of."""

from __future__ import annotations

from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan


def check_all_read(plan: Plan) -> None:
    """Raises ``ConfigError`` for a table that every day is extracted and validated for nothing."""
    tables = plan.config.tables
    of_keys = {table.keys.table for table in tables.values() if table.keys is not None}
    unread = sorted(set(tables) - of_keys - plan.request.read_tables)
    if unread:
        raise ConfigError(
            "\n".join(
                f"tables.{name}: nothing is made of it, though every day of it is extracted and validated: name it in "
                f"the section `{plan.config.kind}` and make a feature of it, or take it out of `tables`"
                for name in unread
            )
        )
