"""An engine of the small school, and a day of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from models import registry
from models.engine.engine import Engine, configure
from models.schema import DayArrays, FeatureSchema
from models.tasks import Task
from tests.unit.models import linear_and_wide
from tests.unit.models.school import SIZES, make_day, school_schema

# The threads of the jobs' settings, whichever test starts TensorFlow: a process has one number for good.
configure(2)


@pytest.fixture
def schema() -> FeatureSchema:
    return school_schema()


@pytest.fixture
def day(schema: FeatureSchema) -> DayArrays:
    return make_day(schema)


@pytest.fixture(scope="session")
def idle_engines() -> dict[str, list[Engine]]:
    """By model and settings, engines that no test holds: their steps are compiled already."""
    return {}


@pytest.fixture
def make_engine(
    schema: FeatureSchema, idle_engines: dict[str, list[Engine]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Engine]]:
    """An engine with fresh weights; graph mode, which starts faster than XLA.

    What one test has compiled the next one of the same model and settings takes over, however many models there are.
    """
    # For this test alone: whoever lists the models must not meet it.
    monkeypatch.setitem(registry._MODELS, linear_and_wide.NAME, linear_and_wide.LinearAndWide)
    taken: list[tuple[str, Engine]] = []

    def make(model: str = "pooled", options: dict[str, object] | None = None, **settings: Any) -> Engine:
        dims = {**dict.fromkeys(SIZES, 8), "style": 4}
        settings = {"dims": dims, "tasks": (Task(loss="softmax"),), "compile": "graph"} | settings
        options = {"units": [16, 8], **(options or {})}
        kind = f"{model} {id(registry._class(model))} {sorted(options.items())} {sorted(settings.items())}"
        idle = idle_engines.setdefault(kind, [])
        engine = idle.pop() if idle else Engine(schema, model, options, **settings)
        engine.fresh(SIZES)
        taken.append((kind, engine))
        return engine

    yield make
    for kind, engine in taken:
        idle_engines[kind].append(engine)
