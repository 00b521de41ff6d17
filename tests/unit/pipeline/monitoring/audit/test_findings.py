"""What an audit found: only damage is damage."""

from __future__ import annotations

from pipeline.monitoring.audit.findings import Audit, Finding


def test_a_note_is_no_damage() -> None:
    audit = Audit()
    audit.add("one", "is torn", "mend it")
    audit.add("two", "was left", "sweep it", "note")
    assert audit.damaged == [Finding("one", "is torn", "mend it", "damaged")]
    assert len(audit.findings) == 2
