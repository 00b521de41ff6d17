"""The kinds of artefacts: named in one place, each of days or of experiments."""

import ast
from pathlib import Path

import pytest

from pipeline.storage.artifacts import kinds

NAMED = {value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)}
TAKE_A_KIND = {"Ref", "days", "experiments", "latest_before", "series", "current_of_days"}


def test_each_kind_is_of_days_or_of_experiments():
    assert sorted(kinds.OF_DAYS + kinds.OF_EXPERIMENTS) == sorted(NAMED)


def test_words_about_a_day_outlive_its_data():
    told = {"day", "accepted", "matured", "release", "publish"}
    assert set(kinds.MADE_OF_DATA) == NAMED - told


def bare(source: str) -> list[str]:
    """Kinds written out where a call takes one."""
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    return [
        argument.value
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", "")) in TAKE_A_KIND
        for argument in call.args[:2]
        if isinstance(argument, ast.Constant) and argument.value in NAMED
    ]


def test_bare_kinds_are_found():
    assert bare('store.days("maps", job); Ref("features", job, day); Ref(MAPS, job, day)') == ["maps", "features"]


@pytest.mark.parametrize("room", ["pipeline", "plugins", "ops"])
def test_nobody_else_writes_a_kind_out(room):
    found = {str(path): bare(path.read_text()) for path in Path(room).rglob("*.py")}
    assert found
    assert {path: named for path, named in found.items() if named} == {}
