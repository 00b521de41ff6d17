"""The YAML of the job `ads`."""

import pytest

from tests.unit.pipeline.config.edited import ROOT


@pytest.fixture
def ads() -> str:
    return (ROOT / "conf" / "ads.yaml").read_text(encoding="utf-8")
