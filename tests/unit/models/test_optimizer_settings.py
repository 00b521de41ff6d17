from __future__ import annotations

import re
from typing import Any

import pytest

from models.optimizer_settings import (
    AdagradOfTableSettings,
    AdamSettings,
    CatchUpAdamSettings,
    FtrlSettings,
    LazyAdamSettings,
    Optimizers,
    SgdSettings,
    read_optimizers,
)

TABLES, SHARE = "optimizer: `tables`: ", "a number of at least 0 and below 1"


def test_a_name_is_of_the_tables_and_all_else_has_adam() -> None:
    assert read_optimizers("lazy_adam") == Optimizers(LazyAdamSettings(), AdamSettings())
    assert read_optimizers({}) == read_optimizers("catch_up_adam") == Optimizers(CatchUpAdamSettings(), AdamSettings())


def test_each_place_has_its_own_and_the_first_name_that_fits_counts() -> None:
    found = read_optimizers(
        {
            "tables": {"type": "adagrad", "rate": 0.05, "decay_by_day": 0.9, "l2": 1e-6},
            "named": {"linear.ad": "lazy_adam", "linear.*": {"type": "ftrl", "l1": 1}},
            "dense": {"type": "sgd", "momentum": 0.9},
        }
    )
    assert found.of_table("ad") == AdagradOfTableSettings(rate=0.05, decay_by_day=0.9, l2=1e-6)
    assert found.of_table("linear.ad") == LazyAdamSettings()
    assert found.of_table("linear.user") == FtrlSettings(l1=1.0)
    assert found.dense == SgdSettings(momentum=0.9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("adam", "optimizer 'adam'; expected one of catch_up_adam, lazy_adam, dense_adam, adagrad, sgd, ftrl"),
        ({"dense": "lazy_adam"}, "optimizer: `dense` 'lazy_adam'; expected one of adam, adagrad, sgd"),
        ({"tables": {"rate": 0.1}}, "optimizer: `tables` without a `type`; expected one of catch_up_adam, "),
        ({"table": "sgd"}, "optimizer has no 'table' (is 'tables' meant?); it has tables, named, dense"),
        ({"type": "adagrad"}, "optimizer: `type` is of the optimiser of one place; write `tables: {type: …}`"),
        (["adagrad"], "optimizer: ['adagrad'] is neither the name of an optimiser of the tables nor a mapping of tab"),
        ({"named": "sgd"}, "optimizer: `named` is a mapping of tables' names, each to an optimiser"),
        (
            {"dense": {"type": "adam", "momentum": 0.9}},
            "optimizer: `dense`: adam has no option 'momentum'; its options: rate, beta_1, beta_2, epsilon",
        ),
        ({"dense": {"type": "adam", "l2": 0.1}}, "optimizer: `dense`: adam has no option 'l2'; its options: rate, "),
        (
            {"tables": {"type": "sgd", "rate": -0.1}},
            "optimizer: `tables`: sgd, option 'rate': -0.1 is not a number above 0, or null",
        ),
        (
            {"named": {"ad": {"type": "adagrad", "decay_by_day": 1.5}}},
            "optimizer: `named.ad`: adagrad, option 'decay_by_day': 1.5 is not a number above 0 and of at most 1",
        ),
        ({"tables": ["adagrad"]}, "optimizer: `tables` '['adagrad']'; expected one of catch_up_adam"),
        ({"dense": {"type": {"a": 1}}}, "optimizer: `dense` '{'a': 1}'; expected one of adam"),
        ({"tables": {"type": "ftrl", "l1": "0.1"}}, f"{TABLES}ftrl, option 'l1': '0.1' is not a number of at least 0"),
        (
            {"tables": {"type": "catch_up_adam", "beta_1": 0.999, "beta_2": 0.9}},
            "optimizer: `tables`: catch_up_adam needs beta_1 < sqrt(beta_2), got beta_1=0.999, beta_2=0.9",
        ),
        ({"tables": {"type": "lazy_adam", "beta_1": 1.0}}, f"{TABLES}lazy_adam, option 'beta_1': 1.0 is not {SHARE}"),
        ({"tables": {"type": "lazy_adam", "beta_2": -0.1}}, f"{TABLES}lazy_adam, option 'beta_2': -0.1 is not {SHARE}"),
        ({"tables": {"type": "lazy_adam", "epsilon": 0}}, f"{TABLES}lazy_adam, option 'epsilon': 0 is not a number ab"),
    ],
)  # fmt: skip
def test_wrong_uses_are_told_with_what_is_right(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        read_optimizers(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"named": {"*": "sgd", "ad": "adagrad"}}, "`named.ad` would have no effect: an earlier pattern fits"),
        ({"named": {"*": "sgd"}, "tables": "adagrad"}, "`tables` would have no effect: `named` fits every table"),
        ({"named": {"video": "sgd"}}, "`named`: no table is named 'video'; the model's: ad, user"),
    ],
)
def test_what_moves_no_table_is_told(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_optimizers(given).check_names(["ad", "user"])
    read_optimizers({"named": {"ad": "adagrad", "*": "sgd"}}).check_names(["ad", "user"])
