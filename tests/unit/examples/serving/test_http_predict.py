"""Several who ask at once: one makes a release ready, and nobody is answered with none."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from examples.serving import http_predict
from examples.serving.http_predict import Service


def test_a_release_is_made_ready_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    twice, found = threading.Event(), []
    others = [threading.Thread(target=lambda: found.append(service.release())) for _ in range(3)]

    def served(*_: object) -> Any:
        made.append(SimpleNamespace(found=SimpleNamespace(pointer="r1"), model="model"))
        if len(made) > 1:
            twice.set()
        else:
            for each in others:
                each.start()
            twice.wait(0.5)
        return made[-1]

    here: Any = SimpleNamespace(config=SimpleNamespace(release=SimpleNamespace(namespace="n")), root=None, job="ads")
    monkeypatch.setattr(http_predict, "guard_kind", lambda config: None)
    monkeypatch.setattr(http_predict, "connect", lambda root: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(http_predict, "ReleaseReader", lambda *_: SimpleNamespace(pointer="r1"))
    monkeypatch.setattr(http_predict, "OpenRelease", SimpleNamespace(served=served))
    service = Service(here)
    assert service.release() is made[0]
    for each in others:
        each.join()
    service.close()
    assert (len(made), found) == (1, made * 3)
