"""An engine of the small school, and a day of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.engine.engine import Engine, configure
from models.schema import DayArrays, FeatureSchema
from tests.unit.models.school import SIZES, make_day, school_schema

# The threads of the jobs' settings, whichever test starts TensorFlow: a process has one number for good.
configure(2)


@pytest.fixture
def schema() -> FeatureSchema:
    return school_schema()


@pytest.fixture
def day(schema: FeatureSchema) -> DayArrays:
    return make_day(schema)


@pytest.fixture
def make_engine(schema: FeatureSchema) -> Callable[..., Engine]:
    """An engine with fresh weights; graph mode, which starts faster than XLA."""

    def make(model: str = "pooled", options: dict[str, object] | None = None, **settings: Any) -> Engine:
        settings = {"dims": {**dict.fromkeys(SIZES, 8), "style": 4}, "loss": "softmax", "compile": "graph"} | settings
        engine = Engine(schema, model, {"units": [16, 8], **(options or {})}, **settings)
        engine.fresh(SIZES)
        return engine

    return make
