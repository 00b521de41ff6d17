"""A job's YAML with some settings changed, and what is said of it."""

from pathlib import Path

import pytest
import yaml

from pipeline.config.load import parse_job
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[4]


def edited(text: str, **changes: object) -> str:
    data = yaml.safe_load(text)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for part in parents:
            place = place[part]
        place[last] = value
    return yaml.safe_dump(data, sort_keys=False)


def error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_job(text, Path("conf/ads.yaml"))
    assert caught.value.exit_code == 2
    return str(caught.value)
