"""What YAML takes for something else than what was written is taken for what it is, or is an error: never changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from pipeline.config import yaml_loader
from pipeline.config.base import DayField, Strict
from pipeline.config.load import parse_job
from pipeline.config.scalars import declared
from pipeline.days import Day
from pipeline.errors import ConfigError

ADS = (Path(__file__).resolve().parents[4] / "conf" / "ads.yaml").read_text(encoding="utf-8")


def read(text: str, annotation: Any) -> Any:
    return declared(yaml_loader.read(text), annotation)


BOOLEANS = ["NO", "no", "No", "off", "OFF", "yes", "Yes", "on", "y", "N", "true", "False"]


@pytest.mark.parametrize("word", BOOLEANS)
def test_a_boolean_is_one_where_one_is_declared_and_nowhere_else(word: str) -> None:
    said = word.lower() in ("yes", "on", "y", "true")
    assert read(word, bool) is said
    assert read(word, bool | None) is said
    assert read(f"'{word}'", str) == word
    for text, annotation in [
        (word, str), (word, str | None), (f"[SE, {word}]", tuple[str, ...]), (word, Literal["off", "new"]),
        (f"[{word}]", tuple[int | float | str, ...] | None), (f"{{a: [{word}]}}", dict[str, tuple[str, ...]]),
        (word, Annotated[str, "a name"]), (f"[a, {word}]", tuple[str, str]), (f"{{k: {word}}}", dict[str, str]),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"{word} is read as {str(said).lower()} by YAML; write it in quotes"):
            read(text, annotation)
    for text, annotation in [(word, int), (f"[1, {word}]", tuple[float, ...]), (f"{{1: {word}}}", dict[int, float])]:
        with pytest.raises(ValueError, match="is a number, not true or false"):
            read(text, annotation)


@pytest.mark.parametrize("annotation", [dict[str, int], dict[int, float], dict[str, Any]])
def test_a_key_is_no_boolean(annotation: Any) -> None:
    for word, said in [("on", "true"), ("no", "false"), ("true", "true"), ("~", "nothing")]:
        with pytest.raises(ValueError, match=f"the key {word} is read as {said} by YAML; write it in quotes"):
            read(f"{{{word}: 1}}", annotation)


def test_where_anything_may_stand_only_what_all_readers_agree_on_is_true_or_false() -> None:
    assert read("{a: true, b: [False], c: {d: 1e-3}, e: ~}", dict[str, Any]) == {
        "a": True, "b": [False], "c": {"d": 0.001}, "e": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="c: d: off is read as false by YAML; write it in quotes"):
        read("{c: {d: off}}", dict[str, Any])


@pytest.mark.parametrize(
    ("text", "said"), [("12:30", "750"), ("190:20:30", "685230"), ("010", "8"), ("08", "8.0"), ("0o17", "15"),
                       ("1:30.5", "90.5"), ("-012", "-10")],
)  # fmt: skip
def test_a_number_that_readers_do_not_agree_on_is_neither_number_nor_text(text: str, said: str) -> None:
    for annotation, told in [(str, "write it in quotes"), (float, "write the number as"), (int | str, "in quotes")]:
        with pytest.raises(ValueError, match=f"{text} is read as {said} by YAML; .*{told}"):
            read(text, annotation)
    assert read(f"'{text}'", str) == text


@pytest.mark.parametrize(
    ("text", "number"), [("1_000", 1000), ("0x1F", 31), ("+12", 12), ("1e3", 1000.0), ("1e-3", 0.001), (".5", 0.5),
                         ("1.10", 1.1), ("100.", 100.0)],
)  # fmt: skip
def test_a_number_written_otherwise_is_one_where_one_is_declared_and_no_text(text: str, number: float) -> None:
    assert read(text, float | None) == number
    assert read(f"[{text}]", tuple[float, ...]) == [number]
    with pytest.raises(ValueError, match="in quotes"):
        read(text, str)
    with pytest.raises(ValueError, match="write it so if it is a number, else write it in quotes"):
        read(f"[a, {text}]", tuple[int | float | str, ...])
    assert read(f"[a, '{text}', {number}]", tuple[int | float | str, ...]) == ["a", text, number]


def test_a_date_is_a_day_where_one_is_declared_and_no_text() -> None:
    class Section(Strict):
        day: DayField
        days: tuple[DayField, ...] = ()

    read_in = Section.model_validate(yaml_loader.read("{day: 2024-02-29, days: ['2024-03-01', 2024-03-02]}"))
    assert (read_in.day, read_in.days) == (Day.of(2024, 2, 29), (Day.of(2024, 3, 1), Day.of(2024, 3, 2)))
    assert read("2024-02-29", DayField) == date(2024, 2, 29)
    with pytest.raises(ValueError, match="2024-02-29 is read as the date 2024-02-29 by YAML; write it in quotes"):
        read("[2024-02-29]", tuple[str, ...])
    for instant in ("2024-02-29 10:00:00", "2024-02-29T10:00:00+08:00"):
        with pytest.raises(ValueError, match="is an instant; write the day alone"):
            Section.model_validate(yaml_loader.read(f"{{day: {instant}}}"))
    with pytest.raises(ValueError, match="2024-02-30"):
        Section.model_validate(yaml_loader.read("{day: 2024-02-30}"))


@pytest.mark.parametrize("word", ["~", "null", "NULL"])
def test_nothing_is_no_text(word: str) -> None:
    assert read(word, str | None) is None
    assert read(word, int) is None
    assert read(word, dict[str, int]) is None
    with pytest.raises(ValueError, match=f"{word} is read as nothing by YAML; write it in quotes"):
        read(f"[{word}]", tuple[int | str, ...])


def test_text_and_plain_numbers_are_what_they_say() -> None:
    text = "[SE, 12, 0, -1, 0.5, '010', 04:00, 'no', =, northern, offset, 1.2.3, 2024/02/29, !!str NO]"
    assert read(text, tuple[int | float | str, ...]) == [
        "SE", 12, 0, -1, 0.5, "010", "04:00", "no", "=", "northern", "offset", "1.2.3", "2024/02/29", "NO",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("champion: din", "champion: no", "release.champion: no is read as false by YAML; write it in quotes"),
        ("champion: din", "champion: din\n  by: 12:30", "release.by: 12:30 is read as 750 by YAML; write it in quotes"),
        ("timezone: Asia/Shanghai", "timezone: 2024-01-01", "timezone: 2024-01-01 is read as the date 2024-01-01 by"),
        ("user: user_id", "user: on", "impressions.user: on is read as true by YAML; write it in quotes"),
        ("spaces:", "spaces:\n  off: int", "spaces: the key off is read as false by YAML; write it in quotes"),
    ],
)
def test_config_names_field_value_and_what_to_do(old: str, new: str, told: str) -> None:
    text = ADS if old in ADS else ADS + "\n"
    assert old in text, old
    changed = text.replace('\n  by: "04:00"', "") if "by:" in new else text
    with pytest.raises(ConfigError) as caught:
        parse_job(changed.replace(old, new, 1), Path("ads.yaml"))
    assert f"ads.yaml: {told}" in str(caught.value)


@pytest.mark.parametrize("word", ["yes", "on", "True", "y"])
def test_booleans_of_settings_are_read_as_ever(word: str) -> None:
    changed = ADS.replace("required: true", f"required: {word}", 1)
    assert changed != ADS
    assert parse_job(changed, Path("ads.yaml")) == parse_job(ADS, Path("ads.yaml"))
