"""An embedded Airflow: its folder, its secrets and the environment that its processes run in."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import socket
import sys
import uuid
import zlib
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FIRST_PORT = 8091
USER = "admin"
# Every process started for a deployment carries this variable, and so do the processes that those start.
MARK = "DAYSPRING_DEPLOYMENT"
BROKER = "DAYSPRING_BROKER_URL"
"""Of the Redis by which tasks reach Celery's workers; without it the scheduler starts them itself."""
SETTINGS = (
    "DAYSPRING_ROOT",
    "DAYSPRING_CONF",
    "DAYSPRING_SQL",
    "DAYSPRING_DAGS",
    "DAYSPRING_MODELS",
    "DAYSPRING_HOMEWORK_URL",
    "DAYSPRING_ADS_URL",
    "DAYSPRING_REDIS_URL",
    "DAYSPRING_RELEASE_URL",
    "DAYSPRING_SCHEDULE_END",
    "DAYSPRING_PYTHON",
    "DAYSPRING_SPARK_MASTER",
    "SPARK_CONF_DIR",
    BROKER,
    # Of the S3 server behind DAYSPRING_RELEASE_URL.
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_CA_BUNDLE",
)
# Airflow's connections to the same stores (see plugins/dayspring/hooks.py).
CONNECTIONS = "AIRFLOW_CONN_DAYSPRING_"


def airflow_homes() -> Path:
    """The folder under which deployments live: ``DAYSPRING_AIRFLOW_HOME``, else ``.airflow`` of the project."""
    return Path(os.environ.get("DAYSPRING_AIRFLOW_HOME") or PROJECT / ".airflow").absolute()


@dataclass
class Deployment:
    """What is remembered of an embedded Airflow between `up` and `down`, kept in ``deployment.json`` of its home."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    mark: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def logs(self) -> Path:
        return self.home / "components"

    @classmethod
    def load(cls, home: Path) -> Deployment:
        """The deployment in ``home``, or a fresh one where there is none."""
        path = home / "deployment.json"
        if not path.is_file():
            return cls(home)
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            return cls(home, saved["settings"], saved["port"], saved["mark"])
        except (ValueError, KeyError) as error:
            raise SystemExit(f"{path}: damaged ({error!r}); run `make down`, remove the file and start again") from None

    def save(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        content = {"settings": self.settings, "port": self.port, "mark": self.mark}
        write_private(self.home / "deployment.json", json.dumps(content, indent=1))

    def prepare(self, settings: dict[str, str]) -> None:
        """Takes the settings that its processes will see, a free port (the last one if it is free) and a mark."""
        self.settings = settings
        self.port = free_port(self.port or _usual_port(self.home))
        self.mark = self.mark or uuid.uuid4().hex
        self.save()

    def secrets(self) -> dict[str, str]:
        """Keys and the login's password, made once and readable by their owner only."""
        path = self.home / "secrets.json"
        if not path.is_file():
            write_private(
                path,
                json.dumps({
                    "jwt": secrets.token_urlsafe(64),
                    "session": secrets.token_urlsafe(32),
                    "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                    "password": secrets.token_urlsafe(9),
                }),
            )  # fmt: skip
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept

    @property
    def password(self) -> str:
        return self.secrets()["password"]

    def environment(self) -> dict[str, str]:
        """The environment of every component; settings of another Airflow in the caller's own are left out."""
        kept = self.secrets()
        passwords = self.home / "passwords.json"
        if not passwords.is_file():
            write_private(passwords, json.dumps({USER: kept["password"]}))
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AIRFLOW_") and name not in SETTINGS and name != "PYTHONDONTWRITEBYTECODE"
        }
        env |= {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": self.settings.get("DAYSPRING_DAGS") or str(PROJECT / "dags"),
            # Else a file in which the word "airflow" does not occur is passed over, and nothing says so.
            "AIRFLOW__CORE__DAG_DISCOVERY_SAFE_MODE": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": kept["fernet"],
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": kept["session"],
            "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt"],
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            # A line of ten short tasks: a second's sleep between two of them would be most of its time.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
            # Tasks of a scheduler that was killed are taken up by the next one, not after five minutes only.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
            # A task whose end is missed is looked at again only after this: seconds that a skipped task holds its slot.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            MARK: self.mark,
        }
        env.setdefault("DAYSPRING_PYTHON", self.settings.get("DAYSPRING_PYTHON", sys.executable))
        return env | self._by_broker() | self.settings

    def _by_broker(self) -> dict[str, str]:
        broker = self.settings.get(BROKER)
        if not broker:
            return {}
        return {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": broker,
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "4",
        }


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, replacing it in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    staging.replace(path)


def _usual_port(home: Path) -> int:
    """8091 for the project's own; others, such as those of tests, start at the same time and must not race for one."""
    own = home.parent == PROJECT / ".airflow"
    return FIRST_PORT if own else FIRST_PORT + 1 + zlib.crc32(str(home).encode()) % 2000


def free_port(first: int) -> int:
    """The first port from ``first`` on that nothing listens to on 127.0.0.1."""
    for port in range(first, first + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port between {first} and {first + 199} on 127.0.0.1")


def current_file() -> Path:
    """Where the demo leaves the settings of the data set that it ran on, for shells and for ``make status``."""
    return PROJECT / ".dayspring" / "current.env"


def remember(settings: dict[str, str]) -> None:
    """Writes the settings as lines that a shell can read; passwords may be among them."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    write_private(current_file(), "\n".join(lines) + "\n")


def remembered() -> dict[str, str]:
    """The settings of the last demo; empty if there was none."""
    if not current_file().is_file():
        return {}
    words = shlex.split(current_file().read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words if "=" in word)


def settings_from_environment() -> dict[str, str]:
    """The ``DAYSPRING_*`` settings of the caller, for an Airflow that works with the caller's own stores."""
    found = {
        name: value
        for name, value in os.environ.items()
        if value and (name in SETTINGS or name.startswith(CONNECTIONS))
    }
    # What is set for other programs too, such as AWS_CA_BUNDLE, names no store.
    return found if any(name.startswith(("DAYSPRING_", CONNECTIONS)) for name in found) else {}
