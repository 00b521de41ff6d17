from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.config.json_schema import job_schema

PROJECT = Path(__file__).resolve().parents[4]
SHIPPED = sorted([*(PROJECT / "conf").rglob("*.yaml"), *(PROJECT / "examples" / "conf").rglob("*.yaml")])


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = job_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def as_json(value: Any) -> Any:
    """YAML reads dates, and names that are numbers, as what they are."""
    if isinstance(value, dict):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return str(value) if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_yaml_that_is_shipped_is_good(path: Path, validator: Any) -> None:
    found = as_json(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert [f"{'.'.join(map(str, each.path))}: {each.message}" for each in validator.iter_errors(found)] == []


def test_what_is_misspelt_or_missing_is_found(validator: Any) -> None:
    found = as_json(yaml.safe_load((PROJECT / "conf" / "ads.yaml").read_text(encoding="utf-8")))
    found["tables"]["impressions"]["columns"]["user_id"]["typ"] = "int"
    del found["release"]
    told = " ".join(each.message for each in validator.iter_errors(found))
    assert "'typ' was unexpected" in told
    assert "'release' is a required property" in told
    assert list(validator.iter_errors({"extends": "ads.yaml"})) == []
