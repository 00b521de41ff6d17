"""What a manifest says of its kind is read, not only its form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.monitoring.audit.artifacts import audit_artifacts
from pipeline.monitoring.audit.findings import Audit
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.said import said

DAY = Day.of(2024, 2, 29)


@pytest.mark.parametrize(
    ("kind", "experiment", "field", "value"),
    [("checkpoint", "din", "parent_day", 5), ("maps", None, "sizes", [3]), ("gate", "din", "verdict", None)],
)
def test_a_wrong_value_in_a_manifest_is_a_finding_by_file_field_and_value(
    tmp_path: Path, kind: str, experiment: str | None, field: str, value: object
) -> None:
    store = ArtifactStore(tmp_path)
    with store.draft(Ref(kind, "ads", DAY, experiment)) as draft:
        artifact = draft.commit(key="k", digest="d", inputs=[], extra=said(kind))
    sound = Audit()
    audit_artifacts(store, "ads", sound, payloads=False)
    assert sound.damaged == []
    manifest = artifact.path / "manifest.json"
    record = json.loads(manifest.read_bytes())
    record.pop("checksum", None)  # as somebody who edits it would
    record["extra"][field] = value
    manifest.write_text(json.dumps(record))
    audit = Audit()
    audit_artifacts(store, "ads", audit, payloads=False)
    assert [each.what for each in audit.damaged] == [artifact.id]
    assert f"{manifest}: the manifest's extra.{field}" in audit.damaged[0].problem
