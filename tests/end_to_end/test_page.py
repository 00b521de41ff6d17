"""The page in a real browser, from a real api-server with its login: a trained school and a month of manifests."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from benchmarks.school_year import write_year
from ops import processes
from ops.browser import browser, lacking, log_in
from ops.deployment import PROJECT, USER, Deployment
from ops.rest import Api
from pipeline.days import Day
from pipeline.storage.redis.embedded import stop
from tests.absent import absent
from tests.tiny import DAYS, LAST, OUTAGE, Place, copy_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CALENDAR, CHART = "#calendar", "#chart"
EXPERIMENTS = 3
MONTH = 30


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    missing = lacking()
    if missing is not None:
        absent(missing)


@pytest.fixture(scope="module")
def place(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """`ads` trained and released; `homework` as manifests, one of them damaged; `fresh` without a day."""
    place = copy_of(trained, tmp_path_factory.mktemp("page"), root=True)
    for stage in ("release", "publish", "report"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    write_year(place.root, first=Day.of(2024, 1, 1), days=MONTH, experiments=EXPERIMENTS)
    homework = place.settings("homework")
    names = [f"experiment_{number}" for number in range(1, EXPERIMENTS + 1)]
    homework["experiments"] = dict.fromkeys(names, homework["experiments"]["pooled"])
    homework["release"]["champion"] = names[0]
    place.configure("homework", homework)
    (place.root / "test/homework/experiment_1/day=2024-01-10/gen=0001/manifest.json").write_text("{", encoding="utf-8")
    fresh = (place.folder / "conf" / "ads.yaml").read_text(encoding="utf-8")
    place.configure("fresh", fresh.replace("job: ads", "job: fresh"))
    yield place
    stop(place.root)


@pytest.fixture(scope="module")
def server(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An api-server without a scheduler: runs are asked for and stay queued."""
    deployment = Deployment(tmp_path_factory.mktemp("airflow") / "page")
    deployment.prepare({"DAYSPRING_ROOT": str(place.root), "DAYSPRING_CONF": str(place.folder / "conf")})
    env = deployment.environment()
    program = str(Path(sys.executable).parent / "airflow")
    for arguments in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run([program, *arguments], env=env, cwd=PROJECT, check=True, capture_output=True, timeout=180)
    deployment.logs.mkdir(parents=True, exist_ok=True)
    processes.start([program, "api-server"], env, "api-server", deployment.logs)
    try:
        deadline = time.monotonic() + 180
        while not answers(f"{deployment.url}/api/v2/version"):
            assert processes.pid_of("api-server", deployment.logs), (deployment.logs / "api-server.log").read_text()
            assert time.monotonic() < deadline, "the api-server does not answer"
            time.sleep(0.5)
        Api(deployment).post("/dags/ads_daily/dagRuns", {"logical_date": f"{LAST}T00:00:00Z"})
        yield deployment
    finally:
        processes.end(deployment.mark, deployment.logs)
        shutil.rmtree(deployment.home)


def answers(url: str) -> bool:
    try:
        return status(url) == 200
    except urllib.error.URLError:
        return False


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def login(chromium: Browser, server: Deployment) -> Any:
    """The cookies of one who logged in by the form."""
    context = chromium.new_context()
    log_in(context, server.url, USER, server.password)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def context(chromium: Browser, login: Any, server: Deployment) -> Iterator[BrowserContext]:
    """A window of a test's own, which must not have asked another machine, nor have logged an error."""
    context = chromium.new_context(storage_state=login, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    outside: list[str] = []
    errors: list[str] = []
    own = (f"{server.url}/", "data:", f"blob:{server.url}/")
    context.on("request", lambda request: None if request.url.startswith(own) else outside.append(request.url))
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert outside == []
    assert errors == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def shown(page: Page, server: Deployment, query: str) -> Page:
    page.goto(f"{server.url}/dayspring/{query}")
    page.locator("html[data-drawn]").wait_for(state="attached")
    return page


def cells(calendar: Locator, state: str) -> int:
    return calendar.locator(f"rect.day[data-state='{state}']").count()


@pytest.mark.parametrize("path", ["/dayspring/", "/dayspring/?job=ads", f"/dayspring/report/ads/{LAST}"])
def test_without_a_login_there_is_nothing_to_see(server: Deployment, path: str) -> None:
    assert status(server.url + path) == 401


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_the_navigation_leads_to_all_jobs(page: Page, server: Deployment) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Dayspring").click()
    frame = frame_of(page)
    frame.locator("section h2 a").first.wait_for()
    assert sorted(frame.locator("section h2 a").all_inner_texts()) == ["ads", "fresh", "homework"]
    frame.locator("section h2 a", has_text="ads").click()
    frame.locator(CALENDAR).wait_for()
    assert frame.locator("h1").inner_text() == "ads"


def test_the_tab_of_a_dag_shows_its_job_and_its_links_lead_into_airflow(page: Page, server: Deployment) -> None:
    page.goto(f"{server.url}/dags/ads_daily/plugin/chains")
    frame = frame_of(page)
    frame.locator(CALENDAR).wait_for()
    assert frame.locator("h1").inner_text() == "ads"
    frame.locator(f"rect.day[data-n='{LAST - DAYS[0]}']").first.click()
    frame.get_by_role("link", name="task log").click()
    page.wait_for_url(re.compile(r"/dags/ads_daily/runs/[^/]+/tasks/train_pooled"))


def test_the_tab_is_there(page: Page, server: Deployment) -> None:
    page.goto(f"{server.url}/dags/ads_daily")
    page.get_by_role("link", name="Chains and measures").click()
    frame_of(page).locator(CALENDAR).wait_for()


def test_calendar_and_curves_of_the_trained_school(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=ads")
    calendars = page.locator(".calendar")
    assert calendars.locator("h3").all_inner_texts() == ["pooled", "din champion"]
    for number in range(2):
        assert cells(calendars.nth(number), "t") == 3
        assert cells(calendars.nth(number), "s") == 1
    curves = page.locator(f"{CHART} path.curve")
    assert curves.evaluate_all("paths => paths.map(path => path.dataset.name)") == ["pooled", "din"]
    assert page.locator(f"{CHART} rect.band title").text_content().startswith(f"{OUTAGE} skipped: no rows")  # type: ignore[union-attr]
    assert page.locator(f"{CHART} path.mark").count() == 1
    assert "Served\ndin" in page.locator(".tile").first.inner_text()
    assert page.locator("#verdicts tbody tr").count() == 2
    assert page.locator("#damaged").count() == 0


def drawn(curves: Locator, count: int) -> None:
    """Waits for the curves: a chart is drawn once the browser has laid it out, not in the click itself."""
    from playwright.sync_api import expect

    expect(curves).to_have_count(count)


def test_any_measure_and_any_experiment_can_be_chosen(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=homework")
    curve = page.locator(f"{CHART} path.curve").first
    drawn(page.locator(f"{CHART} path.curve"), EXPERIMENTS)
    before = curve.get_attribute("d")
    page.locator("#measure").select_option("log_loss")
    drawn(page.locator(f"{CHART} path.curve"), EXPERIMENTS)
    assert curve.get_attribute("d") != before
    assert page.locator("#groups h2").inner_text() == "Groups apart: log_loss"
    assert page.locator("#groups h3").all_inner_texts() == ["new teachers", "new classes", "all others"]
    drawn(page.locator("#groups path.curve"), 3 * EXPERIMENTS)
    page.locator(".legend button").nth(1).click()
    drawn(page.locator(f"{CHART} path.curve"), EXPERIMENTS - 1)
    names = page.locator(f"{CHART} path.curve").evaluate_all("paths => paths.map(path => path.dataset.name)")
    assert names == ["experiment_1", "experiment_3"]
    page.locator("#range").select_option("28")
    assert cells(page.locator(".calendar").first, "t") == 28


def test_values_are_read_by_pointer_and_by_keyboard(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=homework")
    chart = page.locator(f"{CHART} svg")
    readout = page.locator("#curves .readout")
    chart.hover(position={"x": 60, "y": 100})
    assert "Mon 2024-01-01" in readout.inner_text()
    chart.focus()
    page.keyboard.press("End")
    assert "Tue 2024-01-30" in readout.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "Mon 2024-01-29" in readout.inner_text()
    assert re.search(r"experiment_2\s+0\.\d{4}", readout.inner_text())


def test_days_are_reached_by_keyboard(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=homework")
    assert page.locator("rect.day[tabindex='0']").count() == EXPERIMENTS
    page.locator(".calendar").first.locator("rect.day[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert "experiment_1, Mon 2024-01-22: trained" in page.locator(".detail").inner_text()


def test_a_command_is_copied(page: Page, context: BrowserContext, server: Deployment, place: Place) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown(page, server, "?job=fresh")
    section = page.locator("#empty")
    assert "No day has been trained yet" in section.inner_text()
    section.get_by_role("button").first.click()
    section.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"DAYSPRING_ROOT={place.root} " in copied
    assert copied.endswith("python -m pipeline backfill --job fresh --from YYYY-MM-DD --to YYYY-MM-DD")


def test_damaged_artefacts_are_named(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=homework")
    assert "test/homework/experiment_1/day=2024-01-10" in page.locator("#damaged").inner_text()
    assert "1 artefact is damaged" in page.locator("#attention").inner_text()


def test_the_report_of_a_day(page: Page, server: Deployment) -> None:
    shown(page, server, "?job=ads")
    page.locator("#reports a").first.click()
    page.get_by_role("heading", name=f"ads · {LAST}").wait_for()
    assert page.get_by_role("heading", name="Calibration of the tested predictions").count() == 1
    assert page.locator("svg[role=img]").count() > 4
    page.get_by_role("link", name="← ads").click()
    page.locator(CALENDAR).wait_for()


@pytest.mark.parametrize("path", ["", "?job=ads", "?job=homework", "?job=fresh", f"report/ads/{LAST}"])
def test_a_phone_never_scrolls_sideways(page: Page, server: Deployment, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{server.url}/dayspring/{path}")
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_it_is_as_dark_as_the_ui(page: Page, server: Deployment) -> None:
    page.goto(f"{server.url}/dags/ads_daily/plugin/chains")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    body = frame_of(page).locator("body")
    frame_of(page).locator(CALENDAR).wait_for()
    dark = body.evaluate("node => getComputedStyle(node).backgroundColor")
    page.evaluate("document.documentElement.className = 'light'")
    frame_of(page).locator("html[data-theme='light']").wait_for(state="attached")
    light = body.evaluate("node => getComputedStyle(node).backgroundColor")
    assert brightness(dark) < 80 < 200 < brightness(light)


def brightness(colour: str) -> float:
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_settings_that_break_are_told_and_hide_nothing(page: Page, server: Deployment, place: Place) -> None:
    path = place.folder / "conf" / "ads.yaml"
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(yaml.safe_dump(whole | {"kind": "guesses"}), encoding="utf-8")
        shown(page, server, "?job=ads")
        assert "kind" in page.locator("#attention").inner_text()
        assert cells(page.locator(".calendar").first, "t") == 3
    finally:
        path.write_text(text, encoding="utf-8")
