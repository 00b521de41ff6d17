"""The page as one HTML document: style, script and data inline, allowed by a nonce; nothing else may be loaded."""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("theme.js", "dom.js", "calendar.js", "curves.js", "sections.js", "main.js")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(STATIC), autoescape=True, undefined=StrictUndefined)


@cache
def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def policy(nonce: str, *, style: str) -> str:
    """A content security policy under which only what carries the nonce runs and nothing is fetched from elsewhere."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src {style}; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def page(title: str, data: dict[str, Any], **written: str) -> tuple[str, dict[str, str]]:
    """The document and its headers; ``written`` are further parts of the data, as JSON already."""
    parts = ",".join([as_json(data)[1:-1], *(f'"{name}":{part}' for name, part in written.items())])
    nonce = secrets.token_urlsafe(16)
    script = '(() => {\n"use strict";\nconst DATA = JSON.parse(document.getElementById("data").textContent);\n'
    script += "\n".join(_static(name) for name in SCRIPTS) + "\n})();"
    document = _environment().get_template("page.html").render(
        title=title, nonce=nonce, style=Markup(_static("page.css")), script=Markup(script), data=Markup(f"{{{parts}}}")
    )  # fmt: skip
    return document, {**HEADERS, "Content-Security-Policy": policy(nonce, style=f"'nonce-{nonce}'")}


def as_json(data: Any) -> str:
    """JSON that no text in it can end the script element of, nor keep from being sent."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # The name of a file may hold any byte, and a note half of a surrogate pair: neither is UTF-8.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def report(document: str, job: str, day: str) -> tuple[str, dict[str, str]]:
    """A day's report with a way back to the job, in the theme of the UI, and its headers."""
    nonce = secrets.token_urlsafe(16)
    back = f'<p><a href="../../?job={job}">← {job}</a></p><script nonce="{nonce}">{_static("theme.js")}</script>'
    head, tag, rest = document.partition("<body>")
    return f"{head}{tag}{back}{rest}", {
        **HEADERS, "Content-Security-Policy": policy(nonce, style="'unsafe-inline'"),
    }  # fmt: skip
