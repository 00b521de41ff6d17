"""What is proposed is a job: it is read by the settings' own reader, and its plan has a source for every feature."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import parse_job
from pipeline.config.tables import TextFiles
from pipeline.features.plan.plan import Plan
from pipeline.proposal.look import Looked
from pipeline.proposal.roles import roles
from pipeline.proposal.written import dag_of, maintenance_of, queries_of, yaml_of
from tests.unit.pipeline.proposal.tables import GOODS, SHOWS

PROJECT = Path(__file__).resolve().parents[4]
ASKED = dict.fromkeys(("table", "day", "label", "user", "item"))
LOANS = Looked(
    "loans",
    {
        "applied at": ["2024-03-01 10:00:00", "2024-03-02 11:00:00"], "Label": ["x", "y"], "day": ["Mon", "Tue"],
        "tags": ["1,2", "3"], "income": [1.5, 2.5], "target": [0, 1],
    },
    form=TextFiles(delimiter=";"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("tables", "kind", "features"),
    [
        ((SHOWS, GOODS), "impressions", {"user", "item", "kind", "clicked", "item_rate", "user_kind_rate"}),
        ((SHOWS,), "impressions", {"user", "item", "clicked", "user_count"}),
        ((LOANS,), "rows", {"tags", "income"}),
        ((Looked("t", {"click": [0, 1], "x": ["a", "b"]}, by_folder=True),), "rows", {"x"}),
    ],
)
def test_it_is_a_job(tables: tuple[Looked, ...], kind: str, features: set[str]) -> None:
    config = parse_job(yaml_of("shop", "files:x", "UTC", roles(tables, ASKED)), Path("shop.yaml"))
    Plan(config)
    assert (config.kind, config.timezone, config.tables["rows"].day) == (kind, "UTC", "day")
    assert features <= set(config.features)


def test_names_that_a_job_cannot_have_are_others_with_their_source() -> None:
    config = parse_job(yaml_of("loans", "files:x", "UTC", roles([LOANS], ASKED)), Path("loans.yaml"))
    columns = config.tables["rows"].columns
    assert {name: column.source for name, column in columns.items()} == {
        "day": "applied at", "label_2": "Label", "day_3": "day", "tags": None, "income": None, "label": "target",
    }  # fmt: skip
    assert config.tables["rows"].text == TextFiles(delimiter=";")


def test_a_database_has_a_query_for_each_table() -> None:
    dated = Looked("shows", {**SHOWS.columns}, types={"日期": "DATETIME"})
    queries = queries_of(roles([dated, GOODS], ASKED), "mysql")
    assert queries["shows"] == "SELECT * FROM shows WHERE 日期 >= :day AND 日期 < :day + INTERVAL 1 DAY\n"
    assert queries["goods"] == "SELECT * FROM goods\n"
    assert queries_of(roles([SHOWS], ASKED), "sqlite")["shows"] == "SELECT * FROM shows WHERE 日期 = :day\n"
    loans = Looked("loans", {**LOANS.columns, "at": ["2024-03-01 10:00:00"] * 2, "day": ["x", "y"]})
    asked = ASKED | {"day": "at"}
    assert queries_of(roles([loans], asked), "sqlite")["loans"] == "SELECT * FROM loans WHERE date(at) = :day\n"


def test_the_dag_of_the_job_says_airflow() -> None:
    text = dag_of("shop")
    assert 'daily_dag("shop"' in text
    assert "airflow" in text.lower(), "Airflow passes over files without its name"
    compile(text, "shop_daily.py", "exec")


def test_the_dag_that_looks_after_all_is_the_project_s() -> None:
    assert maintenance_of() == (PROJECT / "dags" / "maintenance.py").read_text(encoding="utf-8")


def test_columns_without_a_plain_name_are_told_apart_by_table() -> None:
    shows = Looked("shows", {**SHOWS.columns, "场景": ["a", "b", "a"]})
    goods = Looked("goods", {**GOODS.columns, "产地": ["p", "q", "p"]})
    config = parse_job(yaml_of("shop", "files:x", "UTC", roles([shows, goods], ASKED)), Path("shop.yaml"))
    named = {column.source: name for table in config.tables.values() for name, column in table.columns.items()}
    assert (named["场景"], named["产地"]) == (f"column_{len(shows.columns)}", f"item_column_{len(goods.columns)}")
    assert config.features[f"user_{named['产地']}_rate"].counter.key == ("user", named["产地"])
