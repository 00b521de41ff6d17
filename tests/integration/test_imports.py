"""What importing our code does besides."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.tiny import PROJECT

pytestmark = pytest.mark.slow

IMPORTING = """
import importlib, json, pkgutil, sys

ASKING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
          "urllib.Request", "http.client.connect")
asked = []
sys.addaudithook(lambda event, told: asked.append(event) if event in ASKING else None)
names = []
for package in ("pipeline", "models", "ops", "examples"):
    found = importlib.import_module(package)
    names += [each.name for each in pkgutil.walk_packages(found.__path__, package + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
imported = [len(names), sorted(set(asked))]
importlib.import_module("socket").getaddrinfo("127.0.0.1", 1)
print(json.dumps([*imported, asked[-1]]))
"""


def test_nothing_is_asked_of_the_network_by_importing_every_module_of_ours() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORTING], cwd=PROJECT, capture_output=True, text=True, check=True)
    modules, asked, last = json.loads(ran.stdout.splitlines()[-1])
    assert modules > 400
    assert asked == []
    assert last == "socket.getaddrinfo", "the hook would have told of it"
