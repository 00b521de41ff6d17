from __future__ import annotations

import math

import pytest
from pydantic import Field, ValidationError

from models.options import Days, ModelOptions, Option, Widths, meant, read_options, told_options

WIDTHS = "whole numbers of at least 1 and of at most 65536"


class Inner(ModelOptions):
    heads: int = Field(2, ge=1, le=8, description="of the attention")


class Options(ModelOptions):
    units: Widths = Field((4,), description="widths")
    deep: Widths = Field((4,), min_length=1, description="widths of at least one layer")
    share: float = Field(0.5, gt=0, lt=1, description="a share")
    days: Days = Field(0, description="a number of days")
    name: str = Field("a", description="a name")
    limit: int | None = Field(None, description="a limit")
    attention: Inner = Field(Inner(), description="options of their own")


def test_what_is_left_out_has_its_default() -> None:
    assert read_options(Options, "model 'm'", {}) == Options(units=(4,), share=0.5, attention=Inner(heads=2))


def test_lists_become_tuples_and_options_nest() -> None:
    options = read_options(
        Options, "model 'm'", {"units": [3, 2], "days": "all", "share": 0.25, "attention": {"heads": 3}}
    )
    assert (options.units, options.days, options.share, options.attention.heads) == ((3, 2), "all", 0.25, 3)


def test_the_widest_layer_and_no_layer_are_allowed() -> None:
    assert read_options(Options, "model 'm'", {"units": [1, 65_536]}).units == (1, 65_536)
    assert read_options(Options, "model 'm'", {"units": []}).units == ()


def test_options_are_not_changed_later() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_options(Options, "model 'm'", {}).name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"units": [4, True]}, f"model 'm', option 'units': [4, True] is not a list of {WIDTHS}"),
        ({"units": "4"}, f"model 'm', option 'units': '4' is not a list of {WIDTHS}"),
        ({"units": [65_537]}, f"model 'm', option 'units': [65537] is not a list of {WIDTHS}"),
        ({"units": [10**23, 8]}, f"model 'm', option 'units': [{10**23}, 8] is not a list of {WIDTHS}"),
        ({"units": [8, None]}, f"model 'm', option 'units': [8, null] is not a list of {WIDTHS}"),
        ({"units": None}, f"model 'm', option 'units': null is not a list of {WIDTHS}"),
        ({"deep": []}, f"model 'm', option 'deep': [] is not a list of one or more {WIDTHS}"),
        ({"share": 1}, "model 'm', option 'share': 1 is not a number above 0 and below 1"),
        ({"share": math.nan}, "model 'm', option 'share': nan is not a number above 0 and below 1"),
        ({"share": "0.5"}, "model 'm', option 'share': '0.5' is not a number above 0 and below 1"),
        ({"days": 1.0}, "model 'm', option 'days': 1.0 is not a whole number of at least 0, or 'all'"),
        ({"name": 1}, "model 'm', option 'name': 1 is not text"),
        ({"limit": "1"}, "model 'm', option 'limit': '1' is not a whole number, or null"),
        ({"attention": 1}, "model 'm', option 'attention': 1 is not a mapping of the options heads"),
        (
            {"attention": {"heads": 9}},
            "model 'm', option 'attention.heads': 9 is not a whole number of at least 1 and of at most 8",
        ),
        (
            {"attention": {"head": 1}},
            "model 'm', option 'attention' has no option 'head' (is 'heads' meant?); its options: heads",
        ),
        (
            {"naem": "b", "name": 1},
            "model 'm', option 'name': 1 is not text; "
            "model 'm' has no option 'naem' (is 'name' meant?); "
            "its options: units, deep, share, days, name, limit, attention",
        ),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011 - the whole of the message is compared
        read_options(Options, "model 'm'", given)
    assert str(told.value) == message


def test_every_option_is_told_those_within_another_by_both_names() -> None:
    told = told_options(Options)
    assert [each.name for each in told] == ["units", "deep", "share", "days", "name", "limit", "attention.heads"]
    assert told[0] == Option("units", f"a list of {WIDTHS}", "[4]", "widths")
    assert told[5] == Option("limit", "a whole number, or null", "null", "a limit")
    heads = "a whole number of at least 1 and of at most 8"
    assert told[6] == Option("attention.heads", heads, "2", "of the attention")


def test_a_name_that_is_none_is_told_which_one_is_nearly_it() -> None:
    assert meant("bacth", ["batch", "dim"]) == " (is 'batch' meant?)"
    assert meant("nothing", ["batch", "dim"]) == ""
