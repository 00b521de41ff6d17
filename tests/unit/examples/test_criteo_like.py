"""Generated rows in Criteo's layout: the same from the same seed, with effects that can be found in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples import criteo_like
from examples.criteo_like import IDS, NUMBERS, SCHEMA, World, main
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.metrics import auc

DAY = Day.of(2024, 1, 1)


def rows(world: World, day: Day = DAY, number: int = 3000) -> pa.Table:
    return pa.concat_tables(world.day(day, number))


def test_a_day_hangs_on_the_seed_and_itself_alone() -> None:
    world = World(seed=3)
    rows(world, DAY.next())
    assert rows(world).equals(rows(World(seed=3)))
    assert not rows(world).equals(rows(World(seed=4)))
    assert rows(world).schema.equals(SCHEMA)
    assert rows(world)["line"].to_pylist() == list(range(3000))


def test_a_long_day_is_made_in_pieces_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criteo_like, "_CHUNK", 1000)
    pieces = list(World().day(DAY, 2500))
    assert [piece.num_rows for piece in pieces] == [1000, 1000, 500]
    assert pieces[0]["c3"].to_pylist()[:500] != pieces[1]["c3"].to_pylist()[:500]


def test_cells_are_missing_and_ids_are_new_every_day() -> None:
    one, two = rows(World()), rows(World(), DAY.next())
    shares = {name: one[name].null_count / one.num_rows for name in (*NUMBERS, *IDS)}
    assert shares["i12"] == pytest.approx(0.76, abs=0.03)
    assert shares["c22"] == pytest.approx(0.76, abs=0.03)
    assert shares["i2"] == shares["c1"] == 0
    assert 0.2 < np.mean(one["label"].to_numpy()) < 0.4
    assert {len(text) for text in one["c3"].drop_null().to_pylist()} == {8}
    rare = {text for text in two["c3"].to_pylist() if text} - {text for text in one["c3"].to_pylist() if text}
    assert len(rare) > 100
    # A short column has no more ids than it ever had.
    assert set(one["c9"].to_pylist()) == set(two["c9"].to_pylist())


@pytest.mark.parametrize(("effects", "columns"), [({"pairs"}, ("c2", "c9")), ({"triples"}, ("c6", "c9", "c17"))])
def test_an_effect_of_several_columns_is_in_none_of_them_alone(effects: set[str], columns: tuple[str, ...]) -> None:
    """What the rows of each value, or of each combination of values, have in common: learnt on some, told of others."""
    frames = [rows(World(effects=frozenset(effects)), day, 40_000).to_pandas() for day in (DAY, DAY.next())]

    def told(by: list[str]) -> float:
        rate = frames[0].groupby(by)["label"].mean().rename("rate")
        joined = frames[1].join(rate, on=by).fillna({"rate": frames[0]["label"].mean()})
        found = auc(joined["label"].to_numpy(), joined["rate"].to_numpy())
        assert found is not None
        return found

    together = told(list(columns))
    assert together > 0.53
    assert all(told([column]) < together - 0.02 for column in columns)


def test_a_folder_and_a_database_hold_the_same_rows(tmp_path: Path) -> None:
    words = ["--from", "2024-01-01", "--days", "2", "--rows-per-day", "30", "--seed", "5"]
    assert main([*words, "--target", f"parquet:{tmp_path}"]) == 0
    assert main([*words, "--target", f"sqlite:///{tmp_path / 'rows.db'}"]) == 0
    there = tmp_path / "criteo" / "day=2024-01-02"
    assert (there / "_SUCCESS").is_file()
    stored = pq.read_table(there / "part-0000.parquet", partitioning=None).to_pylist()
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        names = ", ".join(SCHEMA.names)
        found = connection.execute(f"SELECT {names} FROM criteo WHERE day = '2024-01-02' ORDER BY line").fetchall()
        assert connection.execute("SELECT COUNT(*) FROM day_ready").fetchone() == (2,)
    assert [dict(zip(SCHEMA.names, row, strict=True)) for row in found] == stored


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "hbase://h:1/"], "these rows go to parquet:FOLDER or to a database"),
        (["--target", "parquet:x", "--days", "0"], "--days 0: at least 1"),
        (["--target", "parquet:x", "--effects", "linear", "cubes"], "--effects cubes: no such effect; one of linear"),
    ],
)
def test_wrong_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == UsageError.exit_code
    assert said in capsys.readouterr().err
