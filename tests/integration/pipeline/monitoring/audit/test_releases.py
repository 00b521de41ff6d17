"""Releases: whole on disk, in Redis and in the object store, or told where they are not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.redis.connection import connect
from pipeline.storage.redis.embedded import stop
from tests.integration.pipeline.monitoring.audit.audited import audited, findings
from tests.tiny import LAST, Place, copy_of


@pytest.fixture(scope="module")
def served(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = copy_of(trained, tmp_path_factory.mktemp("audited"), root=True)
    for stage in ("release", "publish"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    yield place
    stop(place.root)


def test_every_kind_that_a_line_writes_is_known_and_nothing_else_is_an_artefact(served: Place, lessons: Place) -> None:
    for place in (served, lessons):
        written = {path.relative_to(place.root).parts[0] for path in place.root.rglob("manifest.json")}
        assert written <= {*OF_DAYS, *OF_EXPERIMENTS}
    tables = served.root / "sources" / "ads"
    shutil.copytree(served.ads, tables)  # where `make demo` has them
    ran = audited(served)
    shutil.rmtree(tables.parent)
    assert (ran.code, "sources" in ran.out) == (0, False), ran.out


def test_releases_on_disk_in_redis_and_in_the_object_store(served: Place) -> None:
    assert audited(served).code == 0
    pointer = ReleaseFiles.of(served.root, "ads").served()
    assert pointer is not None
    model = served.root / "published" / "ads" / "models" / str(pointer.version) / "saved_model.pb"
    kept = model.read_bytes()
    model.write_bytes(kept[:-1])
    (found,) = findings(served)
    assert found["what"] == pointer.release_id
    assert f"the model {pointer.version} in {served.root / 'published'} is not whole" in found["problem"]
    model.write_bytes(kept)
    redis = connect(served.root)
    shard = next(key for key in redis.scan_iter(f"*{pointer.release_id}:meta:*"))
    redis.delete(shard)
    (found,) = findings(served)
    assert (found["what"], "Redis does not hold all of it" in found["problem"]) == (pointer.release_id, True)
    served.good(*found["remedy"].partition("python -m pipeline ")[2].split())
    assert audited(served).code == 0
    redis.delete("dayspring:ads:current")
    (found,) = findings(served)
    assert "Redis has lost its pointer" in found["problem"]
    served.good(*found["remedy"].partition("python -m pipeline ")[2].split())
    assert audited(served).code == 0
    record = served.root / "releases" / "ads" / "served.json"
    record.rename(record.with_name("gone"))
    (found,) = findings(served)
    assert f"is what Redis serves, and there is no record of it in {record.parent}" in found["problem"]
    record.with_name("gone").rename(record)


def test_a_rollbacks_model_that_is_not_whole_is_a_note_while_its_export_is_kept(served: Place) -> None:
    served.good("promote", "--job", "ads", "--experiment", "pooled")
    pointer = ReleaseFiles.of(served.root, "ads").served()
    assert pointer is not None
    assert pointer.previous is not None
    before = ReleaseFiles.of(served.root, "ads").published(pointer.previous)
    assert before is not None
    model = served.root / "published" / "ads" / "models" / str(before.pointer.version) / "saved_model.pb"
    model.unlink()
    ran = audited(served)
    assert ran.code == 0
    assert "what to do: a rollback uploads it again from disk" in ran.out
    served.good("rollback", "--job", "ads")
    assert "not whole" not in audited(served).out
