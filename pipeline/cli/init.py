"""``init``: a job over tables that nobody has described yet, proposed and written down."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import Commands
from pipeline.config.load import conf_folder, parse_job
from pipeline.days import ZONE, checked_zone
from pipeline.errors import UsageError
from pipeline.sources.statements import queries_folder
from pipeline.storage.urls import mask_url

if TYPE_CHECKING:
    from pipeline.proposal.roles import Roles

_URL = re.compile(r"[a-z][a-z0-9+]*:")


def register(commands: Commands) -> None:
    parser = commands.add(
        "init", _init, "Look at tables and write a job over them: YAML, queries, DAG.",
        "init --job shop --from files:exports",
    )  # fmt: skip
    parser.add_argument("--job", required=True, help="its name: lower-case letters, digits and _")
    parser.add_argument(
        "--from", dest="url", required=True, metavar="FOLDER|URL",
        help="a folder, files:FOLDER, parquet:FOLDER, sqlite:///FILE, mysql+pymysql://…",
    )  # fmt: skip
    parser.add_argument("--table", metavar="T", help="the rows to learn from (default: found by a day and a label)")
    for role in ("day", "label", "user", "item"):
        none = "; none: rows that belong to nobody" if role in ("user", "item") else ""
        parser.add_argument(f"--{role}", metavar="COLUMN", help=f"its {role} (default: by name and values{none})")
    parser.add_argument("--timezone", default=ZONE, help=f"of its days (default: {ZONE})")
    parser.add_argument("--conf", type=Path, help="folder of the YAML (default: DAYSPRING_CONF)")
    parser.add_argument("--dags", type=Path, help="folder of its DAG file, and of maintenance.py (default: none)")


def _init(options: argparse.Namespace) -> int:
    from pipeline.proposal.look import look
    from pipeline.proposal.roles import roles
    from pipeline.proposal.written import dag_of, maintenance_of, queries_of, yaml_of

    try:
        zone = checked_zone(options.timezone)
    except ValueError as error:
        raise UsageError(f"--timezone: {error}") from None
    url = _url(options.url)
    asked = {name: getattr(options, name) for name in ("table", "day", "label", "user", "item")}
    found = roles(look(url), asked)
    path = (options.conf or conf_folder()) / f"{options.job}.yaml"
    files = {path: yaml_of(options.job, mask_url(url), zone, found)}
    if not url.startswith(("files:", "parquet:")):
        dialect = url.partition(":")[0].partition("+")[0]
        for name, text in queries_of(found, dialect).items():
            files[queries_folder() / f"{name}.sql"] = text
    if options.dags is not None:
        files[options.dags / f"{options.job}_daily.py"] = dag_of(options.job)
        if not (options.dags / "maintenance.py").exists():
            files[options.dags / "maintenance.py"] = maintenance_of()
    parse_job(files[path], path)
    _write(files, path)
    _say(options.job, url, found, list(files))
    return 0


def _url(given: str) -> str:
    """A folder of files is one that holds some; of Parquet in folders it is ``parquet:``."""
    folder = Path(given)
    if not folder.is_dir():
        if not _URL.match(given):
            fault = "is a file; give the folder that it lies in" if folder.is_file() else "no such folder"
            raise UsageError(f"--from {given}: {fault}")
        return given
    from pipeline.sources.table_file import kinds

    flat = any(kinds(each) for each in folder.iterdir() if each.is_file())
    text = any(kinds(each) and each.suffix != ".parquet" for each in folder.rglob("*") if each.is_file())
    return f"{'files' if flat or text else 'parquet'}:{folder.absolute()}"


def _write(files: dict[Path, str], settings: Path) -> None:
    """Queries that are there already stand where they say the same; nothing of anybody's is written over."""
    for path, text in files.items():
        if path.exists() and (path == settings or path.read_text(encoding="utf-8") != text):
            raise UsageError(f"{path}: is there already; remove it, or give another --job, --conf or DAYSPRING_SQL")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _say(job: str, url: str, found: Roles, files: list[Path]) -> None:
    for path in files:
        print(f"wrote {path}")
    if found.kind == "rows":
        lacking = " and ".join(role for role in ("user", "item") if getattr(found, role) is None)
        print(
            f"\nNo column was taken for the {lacking} of a row: it learns from rows by themselves, without histories. "
            f"If there is one, remove what was written and name it: --{lacking.split()[-1]} COLUMN"
        )
    if found.others:
        print(f"\nNot used: {', '.join(found.others)}.")
    print(f"\nA job of `kind: {found.kind}`. Look the YAML through (its first lines say for what), then:")
    print(f"  export DAYSPRING_CONF={files[0].parent} DAYSPRING_{job.upper()}_URL={mask_url(url)}")
    print(f"  python -m pipeline config check --job {job}")
    print("  python -m pipeline doctor")
    print(f"  python -m pipeline backfill --job {job} --from DAY --to DAY")
