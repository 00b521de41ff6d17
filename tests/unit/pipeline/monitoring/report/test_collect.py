from __future__ import annotations

from pipeline.ingest.records import ValidatedRecord
from pipeline.monitoring.report.collect import _volumes
from tests.unit.pipeline.small_job import ADS, LOG, config


def test_a_column_that_the_source_does_not_have_is_called_as_it_should_be_there() -> None:
    columns = {**LOG["columns"], "price": {"type": "float", "source": "Prce"}, "hour": {"type": "int"}}
    counts = {"read": 3, "quarantined": 0, "kept": 3, "missing_columns": ["price", "hour"]}
    said = ValidatedRecord.model_validate({"counts": {"log": counts, "left": counts}, "digests": {}})
    found = _volumes(config({"log": {**LOG, "columns": columns}, "ads": ADS}), said)
    assert [(each["table"], each["missing_columns"]) for each in found] == [
        ("log", ["Prce (`price`)", "hour"]), ("left", ["price", "hour"]),
    ]  # fmt: skip
