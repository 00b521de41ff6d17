"""``audit``: what is whole is told to be whole, and every kind of damage is found, named and told what to do about."""

from __future__ import annotations

import json

from tests.integration.pipeline.monitoring.audit.audited import audited
from tests.tiny import Place


def test_a_whole_chain(trained: Place) -> None:
    before = sorted((path, path.stat().st_mtime) for path in trained.root.rglob("*"))
    ran = audited(trained)
    assert ran.code == 0, ran.out
    assert "nothing damaged" in ran.out
    assert sorted((path, path.stat().st_mtime) for path in trained.root.rglob("*")) == before
    found = json.loads(audited(trained, "--json").out)
    manifests = len(list(trained.root.rglob("manifest.json")))
    assert (found["artifacts"], found["damaged"], found["findings"]) == (manifests, 0, [])
    assert found["bytes"] > 100_000
    assert audited(trained, "--quick").code == 0


def test_a_whole_ranking_chain(lessons: Place) -> None:
    ran = lessons.run("audit", "--job", "homework")
    assert ran.code == 0, ran.out


def test_a_root_without_days_is_skipped(place: Place) -> None:
    for command in ("audit", "prune"):
        ran = place.run(command, "--job", "ads")
        assert (ran.code, "has no days" in ran.message) == (99, True)
    assert not place.root.exists()
