"""Finding the published data sets, and keeping data sets apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops import samples
from ops.samples import KUAIRAND_FILES, RETAIL_FILES, find, real, school
from ops.services.stack import Stack


def test_data_is_found_at_any_usual_depth(tmp_path: Path) -> None:
    deep = tmp_path / "KuaiRand-Pure" / "data"
    deep.mkdir(parents=True)
    (deep / KUAIRAND_FILES[1]).touch()
    (tmp_path / "online_retail_II.xlsx").touch()
    assert find(tmp_path, KUAIRAND_FILES) == deep
    assert find(tmp_path, RETAIL_FILES) == tmp_path


def test_packed_data_are_found_too(tmp_path: Path) -> None:
    (tmp_path / f"{KUAIRAND_FILES[1]}.gz").touch()
    (tmp_path / "online_retail_II.csv.zip").touch()
    assert find(tmp_path, KUAIRAND_FILES) == find(tmp_path, RETAIL_FILES) == tmp_path


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_what_is_missing_is_named_with_where_to_get_it(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"DATA=.*kuairand\.com"):
        find(tmp_path / folder, KUAIRAND_FILES)


def test_data_sets_do_not_share_a_root(tmp_path: Path) -> None:
    samples = (school(), real(tmp_path, full=True))
    for name in ("DAYSPRING_ROOT", "DAYSPRING_HOMEWORK_URL", "DAYSPRING_ADS_URL", "DAYSPRING_RELEASE_URL"):
        assert len({sample.settings[name] for sample in samples}) == 2


def test_the_schedule_ends_with_the_last_day_of_either_job(tmp_path: Path) -> None:
    assert school().settings["DAYSPRING_SCHEDULE_END"] == "2024-03-10"
    assert real(tmp_path, full=True).settings["DAYSPRING_SCHEDULE_END"] == "2022-05-04"


def test_the_full_demo_covers_saturdays(tmp_path: Path) -> None:
    homework, ads = real(tmp_path, full=True).ranges
    assert len(homework.days) >= 21
    assert {"2011-03-05", "2011-03-12", "2011-03-19"} <= set(homework.days)
    assert (ads.days[0], ads.days[-1]) == ("2022-04-25", "2022-05-04")


def test_only_urls_differ_between_the_profiles(stack: Stack) -> None:
    embedded, served = samples.school().settings, samples.school(stack).settings
    differing = {name for name in embedded.keys() | served.keys() if embedded.get(name) != served.get(name)}
    assert {name for name in differing if not name.startswith(("AWS_", "SPARK_"))} == {
        "DAYSPRING_ROOT",
        "DAYSPRING_SPARK_MASTER",
        "DAYSPRING_HOMEWORK_URL",
        "DAYSPRING_ADS_URL",
        "DAYSPRING_REDIS_URL",
        "DAYSPRING_RELEASE_URL",
    }


def test_data_sets_are_kept_apart_on_the_servers(stack: Stack, tmp_path: Path) -> None:
    school, real = samples.school(stack).settings, samples.real(tmp_path, full=False, stack=stack).settings
    for name in ("DAYSPRING_HOMEWORK_URL", "DAYSPRING_ADS_URL", "DAYSPRING_REDIS_URL", "DAYSPRING_RELEASE_URL"):
        assert school[name] != real[name]
    assert school == samples.school(stack).settings


def test_the_pipeline_may_only_read_the_database(stack: Stack) -> None:
    assert "//reader:" in samples.school(stack).settings["DAYSPRING_HOMEWORK_URL"]
