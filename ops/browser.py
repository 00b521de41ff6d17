"""A headless Chromium, logged in to an Airflow of this machine: for screenshots and for the tests of the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str | None:
    """The path of an installed Chromium; ``None`` if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def lacking() -> str | None:
    """What is missing for a browser, and how to get it; ``None`` if nothing is."""
    if chromium() is None:
        return f"no {' or '.join(NAMES)} on PATH; install it: apt-get install chromium (or run ops/services/install.sh)"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "the package playwright is missing; run `make dev`"
    return None


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser, closed at the end of the block.

    Raises:
        SystemExit: there is none; says how to get it.
    """
    missing = lacking()
    if missing is not None:
        raise SystemExit(f"browser: {missing}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(_QUIET))
        try:
            yield started
        finally:
            started.close()


def log_in(context: BrowserContext, url: str, user: str, password: str) -> None:
    """Log in by Airflow's form, as a person does."""
    page = context.new_page()
    page.goto(f"{url}/auth/login", wait_until="domcontentloaded")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/auth/login" not in address, timeout=60_000)
    page.close()
