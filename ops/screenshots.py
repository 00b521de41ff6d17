"""Pictures of the page for the documentation: ``python -m ops.screenshots [FOLDER] [--name NAME] [--job JOB]``.

Needs an Airflow that is up (``make demo``) and Chromium.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ops.browser import browser, log_in
from ops.deployment import PROJECT, USER, Deployment, airflow_homes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LARGEST = 200_000
_ANYWHERE = """path => document.querySelectorAll("code").forEach(
    each => { each.textContent = each.textContent.replace(path, "~/dayspring"); })"""
"""Commands as they would be anywhere: the page names the folder of this machine."""


@dataclass(frozen=True)
class Picture:
    """One picture: where to look, in which theme of the UI, how wide and high.

    Attributes:
        path: below Airflow's address; ``{job}`` is replaced.
        section: what to scroll to.
    """

    name: str
    path: str
    theme: str = "light"
    width: int = 1400
    height: int = 860
    section: str | None = None


PICTURES = (
    Picture("all-jobs", "/plugin/dayspring"),
    Picture("job", "/dags/{job}_daily/plugin/chains", height=1060),
    Picture("job-dark", "/dags/{job}_daily/plugin/chains", theme="dark", height=1060),
    Picture("curves", "/dayspring/?job={job}", section="#curves", height=900),
    Picture("releases", "/dayspring/?job={job}", section="#releases", height=700),
    Picture("phone", "/dayspring/?job={job}", width=400, height=800),
    Picture("phone-dark", "/dayspring/?job={job}", theme="dark", width=400, height=800),
    Picture("report", "/dayspring/report/{job}/{day}", height=1000),
    Picture("report-phone", "/dayspring/report/{job}/{day}", theme="dark", width=400, height=800),
)


def take(folder: Path, deployment: Deployment, job: str) -> list[Path]:
    """Write every picture; their paths.

    Raises:
        SystemExit: a picture is larger than a repository should hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as started:
        paths = [_take(started, each, folder, deployment, job) for each in PICTURES]
    for path in paths:
        size = path.stat().st_size
        print(f"{path}  {size / 1000:.0f} kB")
        if size > LARGEST:
            raise SystemExit(f"{path}: {size} bytes, more than {LARGEST}; make the picture smaller")
    return paths


def _take(started: Browser, picture: Picture, folder: Path, deployment: Deployment, job: str) -> Path:
    context = started.new_context(viewport={"width": picture.width, "height": picture.height})
    context.add_init_script(f"localStorage.setItem('theme', '{picture.theme}')")
    log_in(context, deployment.url, USER, deployment.password)
    page = context.new_page()
    day = _newest_report(page, deployment.url, job) if "{day}" in picture.path else ""
    page.goto(deployment.url + picture.path.format(job=job, day=day))
    if not picture.path.startswith("/dayspring"):
        page.frame_locator("iframe").locator("#page section").first.wait_for(timeout=60_000)
    if picture.section is not None:
        page.locator(picture.section).evaluate("node => node.scrollIntoView()")
    page.wait_for_timeout(500)
    for frame in page.frames:
        frame.evaluate(_ANYWHERE, str(PROJECT))
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def _newest_report(page: Page, url: str, job: str) -> str:
    page.goto(f"{url}/dayspring/?job={job}")
    return page.locator("#reports a").first.inner_text()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT / "docs" / "screenshots")
    parser.add_argument("--name", default="demo", help="folder of the Airflow under .airflow (default: demo)")
    parser.add_argument("--job", default="homework")
    chosen = parser.parse_args(arguments)
    home = airflow_homes() / chosen.name
    if not (home / "deployment.json").is_file():
        raise SystemExit(f"{home}: no Airflow was started there; run `make demo` first, or name another by --name")
    take(chosen.folder, Deployment.load(home), chosen.job)
    return 0


if __name__ == "__main__":
    sys.exit(main())
