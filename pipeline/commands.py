"""Commands as they work when pasted: messages name them as `python -m pipeline …`, whoever shows one completes it here.

What is kept (notes of failures, manifests) stays as it was written, so that it holds on every machine.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pipeline.storage.urls import mask_url

PROJECT = Path(__file__).resolve().parents[1]
REMEMBERED = Path(".dayspring") / "current.env"
"""Below the folder in which a command is run: settings for those that are given none."""
VARIABLE = "DAYSPRING_COMMAND"
"""Where commands are not typed on this machine, as in a container: what to write for `python -m pipeline`."""

Shown = TypeVar("Shown")

_BARE = re.compile(r"(?<![\w/.-])python -m pipeline(?= )")
_SETTING = re.compile(r"DAYSPRING_(?:ROOT|CONF|SCHEDULE_END|(?!ALERT_)[A-Z0-9_]+_URL)")
_FOLDERS = ("DAYSPRING_ROOT", "DAYSPRING_CONF")
_FILE_URL = re.compile(r"(file:|parquet:|sqlite:///)(?!/)(.+)")
_OF_S3 = (
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
)  # fmt: skip
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def shown(value: Shown, environment: Mapping[str, str] | None = None) -> Shown:
    """A text, or whatever lists and dicts hold of texts, with every command as it works when pasted.

    Args:
        environment: whose settings the commands take (default: this process's).
    """
    return _replaced(value, beginning(environment))


def beginning(environment: Mapping[str, str] | None = None) -> str:
    """What stands for `python -m pipeline`: the project's folder, all settings or none, the interpreter.

    None are needed where a command takes the same ones up by itself (``REMEMBERED``). Never a part of them: that
    would turn off the others. Of a setting that holds a secret the shell must have the value, and says so if not.
    """
    given = os.environ if environment is None else environment
    if given.get(VARIABLE):
        return given[VARIABLE]
    python = Path(given.get("DAYSPRING_PYTHON") or sys.executable)
    named = python.relative_to(PROJECT) if python.is_relative_to(PROJECT) else python
    words = [f"{name}={_written(name, value)} " for name, value in _needed(given).items()]
    return f"cd {shlex.quote(str(PROJECT))} && {''.join(words)}{shlex.quote(str(named))} -m pipeline"


def remembered(file: Path) -> dict[str, str]:
    """The settings in a file of lines that a shell can read; empty if there is none."""
    if not file.is_file():
        return {}
    words = shlex.split(file.read_text(encoding="utf-8"), comments=True)
    pairs = (word.partition("=") for word in words)
    return {name: value for name, is_setting, value in pairs if is_setting and name.startswith(("DAYSPRING_", "AWS_"))}


def _needed(given: Mapping[str, str]) -> dict[str, str]:
    here, kept = Path.cwd(), _settings(remembered(PROJECT / REMEMBERED))
    settings = _settings(given)
    if settings == kept and (settings or here == PROJECT):
        return {}
    return {"DAYSPRING_ROOT": str(here / ".dayspring"), **settings}


def _settings(given: Mapping[str, str]) -> dict[str, str]:
    found = {name: _absolute(name, given[name]) for name in sorted(given) if _SETTING.fullmatch(name) and given[name]}
    if found.get("DAYSPRING_RELEASE_URL", "").startswith("s3:"):
        found |= {name: given[name] for name in _OF_S3 if given.get(name)}
    return found


def _absolute(name: str, value: str) -> str:
    """Paths as they are meant from any folder."""
    if name in _FOLDERS:
        return str(Path(value).absolute())
    relative = _FILE_URL.fullmatch(value)
    if relative is None:
        return value
    scheme, path = relative.groups()
    return f"{scheme}{Path(path).absolute()}"


def _written(name: str, value: str) -> str:
    if name in _SECRETS or mask_url(value) != value:
        return f"${{{name}:?set it first, it holds a secret}}"
    return shlex.quote(value)


def _replaced(value: Any, begins: str) -> Any:
    if isinstance(value, str):
        return _BARE.sub(lambda _: begins, value)
    if isinstance(value, dict):
        return {name: _replaced(each, begins) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(each, begins) for each in value]
    return value
