"""``init`` writes a job that the settings' own reader takes, and writes over nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.config.load import load_job

ROWS = "日期,用户,商品,点击\n2024-03-01,a,1,0\n2024-03-02,b,2,1\n"


def test_a_folder_of_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "曝光.csv").write_text(ROWS, encoding="utf-8")
    words = ["init", "--job", "shop", "--from", str(tmp_path / "exports"), "--conf", str(tmp_path / "conf")]
    assert main([*words, "--dags", str(tmp_path / "dags"), "--timezone", "UTC"]) == 0
    config = load_job("shop", tmp_path / "conf")
    assert (config.kind, config.tables["rows"].source) == ("impressions", "曝光")
    assert (tmp_path / "dags" / "shop_daily.py").is_file()
    said = capsys.readouterr().out
    assert f"DAYSPRING_SHOP_URL=files:{tmp_path / 'exports'}" in said
    assert "-m pipeline config check --job shop" in said
    assert main(words) == 2
    assert "is there already; remove it" in capsys.readouterr().err


def test_a_database_gets_queries_where_those_of_ones_own_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSPRING_SQL", str(tmp_path / "sql"))
    with sqlite3.connect(tmp_path / "x.db") as base:
        base.execute("CREATE TABLE shows (day TEXT, user TEXT, item INTEGER, click INTEGER)")
        base.execute("INSERT INTO shows VALUES ('2024-03-01', 'a', 1, 0), ('2024-03-01', 'b', 2, 1)")
    base.close()
    words = ["init", "--from", f"sqlite:///{tmp_path / 'x.db'}", "--conf", str(tmp_path)]
    assert main([*words, "--job", "one"]) == 0
    assert (tmp_path / "sql" / "shows.sql").read_text() == "SELECT * FROM shows WHERE day = :day\n"
    assert main([*words, "--job", "two"]) == 0, "the query says the same"
    (tmp_path / "sql" / "shows.sql").write_text("SELECT 1")
    assert main([*words, "--job", "three"]) == 2
    assert not (tmp_path / "three.yaml").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--job", "shop", "--from", "hbase://h/"], "has to be written by hand"),
        (["--job", "shop", "--from", "files:nowhere"], "no such folder"),
        (["--job", "shop", "--from", "no/where"], "--from no/where: no such folder"),
        (["--job", "shop", "--from", __file__], "test_init.py: is a file; give the folder that it lies in"),
        (["--job", "shop", "--from", "postgresql://me:secret@h/db"], "//***@h/db: tables can be listed"),
        (["--job", "shop", "--from", "mysql://me:secret@h/db"], "me:***@h/db: tables can be listed"),
        (["--job", "shop", "--from", "mysql+pymysql://me:secret@h:port/db"], "cannot be read as sqlite:///FILE or my"),
        (["--job", "shop", "--from", "files:x", "--timezone", "Nowhere"], "--timezone: "),
    ],
)
def test_what_is_wrong_is_told(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *words]) != 0
    said = capsys.readouterr().err
    assert told in said
    assert "secret" not in said


def test_a_job_that_cannot_be_called_so_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "shows.csv").write_text(ROWS, encoding="utf-8")
    words = ["init", "--from", str(tmp_path / "exports"), "--conf", str(tmp_path / "conf"), "--job"]
    for name in ("Shop", "../shop"):
        assert main([*words, name]) == 2
        assert "job" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["exports"]
