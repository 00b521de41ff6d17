"""Data that is too old is told."""

from __future__ import annotations

import json

import numpy as np

from pipeline.storage.artifacts.artifact import Ref
from tests.tiny import LAST, Place


def test_freshness(trained: Place) -> None:
    ran = trained.run("freshness", "--job", "ads")
    assert ran.code == 1
    assert f"TOO OLD the newest extracted day is {LAST}" in ran.out
    assert np.isfinite(json.loads(trained.run("freshness", "--job", "ads", "--json").out)["expected"])
    assert trained.store.current(Ref("extract", "ads", LAST)) is not None
