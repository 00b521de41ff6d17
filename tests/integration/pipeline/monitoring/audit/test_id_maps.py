"""A damaged id map is found, put back, and the lost day mapped again."""

from __future__ import annotations

from tests.integration.pipeline.monitoring.audit.audited import audited, findings, flip
from tests.tiny import LAST, SECOND, Place


def test_a_damaged_id_map_is_restored_and_the_lost_day_mapped_again(chain: Place, trained: Place) -> None:
    path = chain.root / "idmaps" / "ads" / "user.json"
    flip(path)
    (found,) = findings(chain)
    assert found["what"] == "id map 'user'"
    assert found["remedy"].endswith("bin/python -m pipeline restore-ids --job ads --space user")
    told = chain.good("restore-ids", "--job", "ads", "--space", "user").out
    assert f"as {SECOND} left it" in told
    assert f"stage update_id_maps --job ads --day {LAST} --reprocess" in told
    assert path.with_name("user.json.damaged").exists()
    (short,) = findings(chain)
    assert "it was put back to an older state" in short["problem"]
    chain.good("stage", "update_id_maps", "--job", "ads", "--day", LAST, "--reprocess")
    assert audited(chain).code == 0
    assert chain.good("compare-chains", chain.root, trained.root, "--job", "ads").out.startswith("equal: ")
    again = chain.run("restore-ids", "--job", "ads", "--space", "user")
    assert (again.code, "is whole, there is nothing to restore" in again.message) == (2, True)
    assert chain.run("restore-ids", "--job", "ads", "--space", "nobody").code == 2
