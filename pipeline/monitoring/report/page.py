"""The page of a day, and the CSV of all measures."""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.commands import shown
from pipeline.config.measures import columns
from pipeline.days import Day
from pipeline.evaluation.homework import GROUPS
from pipeline.evaluation.measures_by_day import measured_days
from pipeline.job import JobContext
from pipeline.monitoring.report.collect import collect
from pipeline.monitoring.report.comparison import compared, drawn
from pipeline.monitoring.report.curves import bars
from pipeline.storage.artifacts.readable import Readable
from pipeline.storage.files import write_atomic


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=lambda value: shown(value) if type(value) is str else value,
    )  # fmt: skip
    environment.globals.update(number=_number, bars=bars, group_names=GROUPS, in_order=_in_order)
    return environment.get_template("page.html")


def _in_order(groups: dict[str, Any]) -> list[tuple[str, Any]]:
    """Groups in the order in which they are shown everywhere."""
    return [(name, groups[name]) for name in [*GROUPS, *sorted(set(groups) - set(GROUPS))] if name in groups]


def _number(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def render(content: dict[str, Any]) -> str:
    """The page as one self-contained HTML document."""
    return _template().render(content)


def write_csv(context: JobContext) -> Path:
    """Write ``reports/<job>/measures.csv`` under the root: one row per tested day and experiment."""
    shown = columns(context.config.known_measures)
    text = io.StringIO()
    writer = csv.DictWriter(text, ["day", "experiment", "checkpoint", "rows", *shown], lineterminator="\n")
    writer.writeheader()
    writer.writerows(tested.row(shown) for tested in measured_days(context, Readable()))
    path = reports_folder(context) / "measures.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.getvalue().encode())
    return path


def reports_folder(context: JobContext) -> Path:
    return context.root / "reports" / context.config.job


def write_report(context: JobContext, day: Day) -> Path:
    """Write ``reports/<job>/<day>.html`` and ``measures.csv``; returns the page's path. Skipped days get one too."""
    write_csv(context)
    folder = reports_folder(context)
    path = folder / f"{day}.html"
    content = {**collect(context, day), "comparison": drawn(compared(context, day, folder))}
    write_atomic(path, render(content).encode())
    return path
