"""A backfill that is killed at random moments and started again ends as one that was not."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.tiny import FIRST, LAST, Place

BACKFILL = ("backfill", "--job", "ads", "--from", FIRST, "--to", LAST, "--publish", "none")
ARTEFACTS_OF_TWO_DAYS = 24
"""About as many as are committed before the last day."""


def _committed(place: Place) -> int:
    # Unlike a glob, a walk does not mind folders that are renamed meanwhile.
    return sum("manifest.json" in names and ".staging" not in where for where, _, names in os.walk(place.root))


@pytest.mark.slow
def test_killed_three_times_at_random_moments_it_ends_bit_equal(place: Place, trained: Place) -> None:
    draw = random.Random(20240226)
    moments = sorted(draw.sample(range(2, ARTEFACTS_OF_TWO_DAYS), 3))
    for number, moment in enumerate(moments):
        # Each process hashes text in another order.
        process = place.start(*BACKFILL, PYTHONHASHSEED=str(number))
        while process.poll() is None and _committed(place) < moment:
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, f"it ended before it had committed {moment} artefacts"
        assert place.run("compare-chains", place.root, trained.root, "--job", "ads").code == 1
    left = [path.name for path in place.root.rglob(".staging*")]
    ran = place.good(*BACKFILL)
    assert "Traceback" not in ran.err
    compared = place.run("compare-chains", place.root, trained.root, "--job", "ads")
    assert compared.out.startswith("equal: 6 trained days of 2 experiments"), (compared.out, moments, left)
    place.good("doctor", "--job", "ads")
    assert not list(place.root.rglob(".staging*"))
