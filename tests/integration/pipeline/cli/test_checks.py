"""`doctor`: what is in order, and what is not."""

from __future__ import annotations

from pipeline.storage.redis.embedded import stop
from tests.tiny import Place


def test_doctor_finds_all_in_order(served: Place) -> None:
    ran = served.good("doctor")
    assert all(line.startswith("ok ") for line in ran.out.splitlines()), ran.out
    assert f"parquet:{served.ads} answers" in ran.out


def test_doctor_names_what_is_wrong(place: Place) -> None:
    place.database.unlink()
    ran = place.run("doctor", "--job", "homework")
    stop(place.root)
    assert ran.code == 1
    bad = [line for line in ran.out.splitlines() if line.startswith("BAD ")]
    assert len(bad) == 1
    assert f"{place.database}: no such file" in bad[0]
