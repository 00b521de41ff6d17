"""Counts of what a conversion read, wrote, dropped or damaged, printed as a table: nothing happens silently."""

from __future__ import annotations

from collections.abc import Iterable


class Tally:
    """Counts by (table, what), printed in the order in which they first appeared."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, table: str, what: str, count: int) -> None:
        key = (table, what)
        self._counts[key] = self._counts.get(key, 0) + int(count)

    def __getitem__(self, key: tuple[str, str]) -> int:
        return self._counts.get(key, 0)

    def rows(self) -> Iterable[tuple[str, str, int]]:
        return ((table, what, count) for (table, what), count in self._counts.items())

    def __str__(self) -> str:
        rows = sorted(self.rows(), key=lambda row: row[0])  # stable: a table's lines stay in order of appearance
        left = max((len(table) for table, _, _ in rows), default=0)
        middle = max((len(what) for _, what, _ in rows), default=0)
        lines = []
        shown = ""
        for table, what, count in rows:
            lines.append(f"{table if table != shown else '':<{left}}  {what:<{middle}}  {count:>12,}")
            shown = table
        return "\n".join(lines)
