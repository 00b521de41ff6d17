"""What is told of experiments that have grown, before they are trained."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.training.growth_ahead import growth_ahead


def tell_growth(context: JobContext, experiments: Iterable[str]) -> int:
    """A line for each experiment whose next untrained day begins with something new, or that cannot go on.

    Returns:
        How many cannot.
    """
    stuck = 0
    for name in experiments:
        try:
            growth = growth_ahead(context, name)
        except ChainError as error:
            print(f"{context.job}/{name} cannot go on: {error}")
            stuck += 1
            continue
        if growth:
            print(f"{context.job}/{name}: new from the next untrained day on: {growth.in_words}")
    return stuck
