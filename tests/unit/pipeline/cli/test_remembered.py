"""The demo's settings stand in where the environment says nothing, and never beside it."""

import os
from pathlib import Path

import pytest

from pipeline.cli.remembered import remember


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("DAYSPRING_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "current.env"
    path.write_text("# the demo\nDAYSPRING_ROOT='/somewhere/with space'\nDAYSPRING_ADS_URL=parquet:/ads\nPATH=/evil\n")
    # So that what the call sets is taken back after the test.
    for name in ("DAYSPRING_ROOT", "DAYSPRING_ADS_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return path


def test_taken_where_nothing_is_set(file: Path) -> None:
    remember(file)
    assert os.environ["DAYSPRING_ROOT"] == "/somewhere/with space"
    assert os.environ["DAYSPRING_ADS_URL"] == "parquet:/ads"
    assert os.environ["PATH"] != "/evil"


def test_left_alone_where_a_root_is_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_ROOT", "/mine")
    remember(file)
    assert os.environ["DAYSPRING_ROOT"] == "/mine"
    assert "DAYSPRING_ADS_URL" not in os.environ


def test_no_file_is_no_setting(tmp_path: Path, file: Path) -> None:
    remember(tmp_path / "none")
    assert "DAYSPRING_ROOT" not in os.environ


def test_the_keys_of_its_object_store_come_with_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them the commands on the page would not reach the store; those of the shell are of another."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the shell's")
    monkeypatch.setenv("AWS_PROFILE", "the shell's")
    file.write_text("export DAYSPRING_RELEASE_URL=s3://bucket/models\nexport AWS_SECRET_ACCESS_KEY='the demo'\n")
    monkeypatch.setenv("DAYSPRING_RELEASE_URL", "")
    monkeypatch.delenv("DAYSPRING_RELEASE_URL")
    remember(file)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "the demo"
    assert os.environ["AWS_PROFILE"] == "the shell's"
