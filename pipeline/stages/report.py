"""The day's report: one page, and the job's CSV of measures."""

from __future__ import annotations

from pathlib import Path

from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.durable import write_atomic
from pipeline.report.collect import collect
from pipeline.report.page import render, reports_folder, write_csv


def run(context: JobContext, day: Day) -> Path:
    """Write ``reports/<job>/<day>.html`` and ``measures.csv``; returns the page's path. Skipped days get one too."""
    write_csv(context)
    path = reports_folder(context) / f"{day}.html"
    write_atomic(path, render(collect(context, day)).encode())
    return path
