"""The lessons lived in memory."""

from __future__ import annotations

import pytest

from tests.unit.pipeline.features.school import School


@pytest.fixture
def school() -> School:
    return School()
