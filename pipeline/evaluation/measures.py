"""Which measures a kind of request has."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.requests import Kind
from pipeline.evaluation.homework import HomeworkMeasures
from pipeline.evaluation.impressions import ImpressionMeasures
from pipeline.evaluation.labelled import LabelledMeasures
from pipeline.evaluation.measured import Measured

MEASURED: Mapping[Kind, type[Measured]] = {
    "ranking": HomeworkMeasures, "impressions": ImpressionMeasures, "rows": LabelledMeasures,
}  # fmt: skip
