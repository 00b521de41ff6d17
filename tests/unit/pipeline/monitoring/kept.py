"""What a report has kept of comparisons."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.evaluation.records import ComparedDay, Difference
from pipeline.monitoring.compared_file import ComparedFile, Row


def compared(*days: Day, experiments: tuple[str, ...] = ("a", "b")) -> ComparedFile:
    """Of each day the second experiment is better by its number from the first one on, in hundredths."""
    differences = [Difference(difference=place / 100, low=0, high=0.1, spread=0.01) for place in range(len(days))]
    row = Row(
        experiment=experiments[1], days=len(days), value=0.7, first=0.6, difference=0.1, low=0.05, high=0.2,
        verdict="better",
    )  # fmt: skip
    return ComparedFile(
        measure="auc", experiments=list(experiments), confidence=0.95, first_day=days[0], last_day=days[-1], rows=[row],
        days=[
            ComparedDay(day=day, made_of="", values={}, differences={experiments[1]: each}, left_out={"c": "why"})
            for day, each in zip(days, differences, strict=True)
        ],
    )  # fmt: skip
