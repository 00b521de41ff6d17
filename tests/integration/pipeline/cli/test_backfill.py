"""`backfill` of a chain: repeated, in part, over holes and taints, beside another trainer."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.storage.locks import held
from tests.tiny import FIRST, LAST, OUTAGE, PROJECT, SECOND, Place

ALL = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")


def _generations(place: Place) -> dict[str, float]:
    """Every committed manifest with the time of its making."""
    return {str(path): path.stat().st_mtime for path in place.root.rglob("manifest.json")}


def _equal(place: Place, other: Place) -> bool:
    return place.run("compare-chains", place.root, other.root, "--job", "ads").code == 0


def test_a_repeated_backfill_trains_and_writes_nothing(chain: Place) -> None:
    before = _generations(chain)
    ran = chain.good(*ALL)
    assert _generations(chain) == before
    assert ran.err.count("already trained") == 6
    assert " trained," not in ran.err.replace("already trained", "")


def test_experiments_one_after_the_other_end_as_they_do_together(begun: Place, trained: Place) -> None:
    last_days = ("backfill", "--job", "ads", "--from", OUTAGE, "--to", LAST)
    ran = begun.good(*last_days, "--experiment", "pooled")
    assert f"{LAST}: nothing is released: the champion 'din' is not among the experiments of this run" in ran.err
    assert not (begun.root / "release").exists()
    begun.good(*last_days, "--experiment", "din", "--publish", "none")
    assert _equal(begun, trained)


def test_a_hole_is_named_with_the_command_that_fills_it(begun: Place) -> None:
    ran = begun.run("run", "--job", "ads", "--day", LAST)
    assert ran.code == 3
    assert f"day {OUTAGE} has no checkpoint and no skip marker" in ran.message
    command = ran.message.partition("python -m pipeline ")[2].strip("`")
    assert command == f"backfill --job ads --from {OUTAGE} --to {LAST}"
    early = begun.run("run", "--job", "ads", "--day", FIRST.previous())
    assert early.code == 3
    assert f"{FIRST.previous()} is before the chain's start {FIRST}" in early.message
    alone = begun.run("stage", "update_id_maps", "--job", "ads", "--day", LAST)
    assert alone.code == 3
    assert f"day {OUTAGE} is neither mapped nor skipped" in alone.message
    assert f"{OUTAGE}  extract                   run: not done yet" in begun.good(*command.split(), "--dry-run").out


def test_a_tainted_day_and_what_follows_are_made_whole_by_the_command_of_status(chain: Place, trained: Place) -> None:
    chain.good("taint", "--job", "ads", "--experiment", "din", "--day", SECOND, "--reason", "half of the log")
    status = chain.good("status", "--job", "ads", "--experiment", "din").out
    assert re.search(rf"{SECOND}  tainted .*\(tainted by hand: half of the log\)", status)
    assert re.search(rf"{LAST}  tainted ", status)
    assert re.search(rf"{FIRST}  trained ", status)
    command = re.search(r"the shortest re-chain: cd .*bin/python -m pipeline (.*)", status)
    assert command is not None
    assert command[1] == f"backfill --job ads --experiment din --from {SECOND} --to {LAST}"
    chain.good(*command[1].split(), "--publish", "none")
    assert "tainted" not in chain.good("status", "--job", "ads").out
    assert chain.artifact("checkpoint", SECOND, "din").generation == 2
    assert chain.artifact("checkpoint", FIRST, "din").generation == 1
    assert chain.artifact("checkpoint", SECOND, "pooled").generation == 1
    assert _equal(chain, trained)


def test_a_day_read_again_with_other_rows_taints_what_was_trained_after_it(chain: Place, trained: Place) -> None:
    chain.show(SECOND, chain.shows(SECOND).slice(0, 150))
    chain.good("backfill", "--job", "ads", "--from", SECOND, "--to", SECOND, "--publish", "none", "--reprocess")
    status = chain.good("status", "--job", "ads").out
    assert len(re.findall(rf"{LAST}  tainted ", status)) == 2
    assert not re.search(rf"{SECOND}  tainted ", status)
    chain.good("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--publish", "none")
    assert "tainted" not in chain.good("status", "--job", "ads").out
    assert not _equal(chain, trained)


def test_a_pruned_parent_is_trained_again_from_the_nearest_one_kept(chain: Place, trained: Place) -> None:
    for experiment in ("pooled", "din"):
        for day in (FIRST, SECOND):
            chain.store.prune(chain.artifact("checkpoint", day, experiment))
    chain.good(*ALL)
    assert chain.artifact("checkpoint", FIRST, "din").manifest.pruned
    chain.good("taint", "--job", "ads", "--day", LAST, "--reason", "to be trained again")
    chain.good("backfill", "--job", "ads", "--from", LAST, "--to", LAST, "--publish", "none")
    assert chain.artifact("checkpoint", LAST, "din").generation == 2
    assert not chain.artifact("checkpoint", SECOND, "din").manifest.pruned
    assert _equal(chain, trained)
    assert "tainted" not in chain.good("status", "--job", "ads").out


def test_prune_by_hand_keeps_what_is_needed_and_tells_what_went(chain: Place, trained: Place) -> None:
    settings = chain.settings("ads")
    settings["release"] |= {"keep_checkpoints": 1, "keep_models": 1}
    chain.configure("ads", settings)
    ran = chain.good("prune", "--job", "ads")
    assert re.match(r"\d+ payloads pruned, \d+\.\d MB freed", ran.out)
    assert not chain.artifact("checkpoint", LAST, "din").manifest.pruned
    assert chain.good("prune", "--job", "ads").out.startswith("0 payloads pruned")
    assert _equal(chain, trained)
    chain.good(*ALL)


def test_a_second_trainer_waits_and_then_names_the_first(begun: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.run("run", "--job", "ads", "--day", OUTAGE)
    monkeypatch.setattr("pipeline.training.chain.LOCK_SECONDS", 0.2)
    lock = begun.store.lock_path("ads", "train.din")
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(lock)], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        ran = begun.run("run", "--job", "ads", "--day", LAST, "--experiment", "din")
    finally:
        holder.communicate("go\n")
    assert ran.code == 1
    assert f"experiment 'din' of job 'ads' is locked by process {holder.pid} on host " in ran.message
    assert "waited 0.2 s" in ran.message
    with held(lock, timeout=0, what="the lock of one that ended"):
        pass


_HOLD = """
import sys
from pathlib import Path
from pipeline.storage.locks import held
with held(Path(sys.argv[1]), timeout=0, what="test"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_the_chain_begins_where_it_is_told_to(place: Place) -> None:
    settings = place.settings("ads")
    settings["start"] = str(SECOND)
    place.configure("ads", settings)
    ran = place.run("run", "--job", "ads", "--day", FIRST)
    assert ran.code == 3
    assert f"{FIRST} is before the chain's start {SECOND}" in ran.message
    later = place.run("run", "--job", "ads", "--day", LAST)
    assert later.code == 3
    assert f"backfill --job ads --from {SECOND} --to {LAST}" in later.message
    assert not Path(place.root / "idmaps").exists()
