"""The JSON schema of a job's YAML, for editors: made from the settings' classes, so it says what they say."""

from __future__ import annotations

from typing import Any

from pipeline.config.extends import EXTENDS
from pipeline.config.job import JobConfig

_OF_FILES: dict[str, Any] = {
    EXTENDS: {
        "description": "The YAML that this one is on top of, from its folder.",
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"file": {"type": "string"}, "without": {"type": "array", "items": {"type": "string"}}},
                "required": ["file"],
                "additionalProperties": False,
            },
        ],
    },
    "grids": {
        "description": "Experiments by every combination of values; docs/experiments.md.",
        "type": "object",
        "additionalProperties": {"type": "object"},
    },
}
"""What a file may say that is no setting of a job any more once it is read."""


def job_schema() -> dict[str, Any]:
    """Draft 2020-12. What a file that extends another leaves out is the other's, so nothing is required of it."""
    whole = JobConfig.model_json_schema()
    parts = whole.pop("$defs")
    whole["properties"] |= _OF_FILES
    whole["patternProperties"] = {"^x-": {"description": "YAML to be merged elsewhere in the file."}}
    whole["required"].remove("experiments")
    whole["anyOf"] = [{"required": ["experiments"]}, {"required": ["grids"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A job of Dayspring",
        "if": {"required": [EXTENDS]},
        "then": {"$ref": "#/$defs/Extending"},
        "else": {"$ref": "#/$defs/Whole"},
        "$defs": {
            **parts,
            **{f"{_PART}{name}": _loose(part) for name, part in parts.items()},
            "Whole": whole,
            "Extending": {name: each for name, each in _loose(whole).items() if name != "anyOf"},
        },
    }


_PART = "Some"
"""What a section is called of which a file may say some settings only."""


def _loose(part: Any) -> Any:
    """The same where nothing is required."""
    if isinstance(part, list):
        return [_loose(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: each.replace("#/$defs/", f"#/$defs/{_PART}") if name == "$ref" else _loose(each)
        for name, each in part.items()
        if not (name == "required" and isinstance(each, list))
    }
