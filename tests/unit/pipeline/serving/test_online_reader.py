"""Who asks while another release is being made ready is answered by the one before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier, BrokenBarrierError, Event
from typing import Any

import numpy as np
import pytest

from pipeline.config.impressions import RecalledFrom
from pipeline.days import Day
from pipeline.release.publish.redis_generations import Keys
from pipeline.serving import online_reader
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.ready_release import Scored
from pipeline.serving.request import Request


@dataclass
class Service:
    """What is served, and what becomes of the releases that are made ready; the model of one is loaded when it may be.

    Attributes:
        served: the release that the pointer names.
        asked: (release, request) in the order of answers.
        recalled: the same of those that asked for the nearest items, and for how many.
        candidates: where releases have them from.
        between: what happens while a request is answered.
    """

    served: str = "r1"
    may_load: Event = field(default_factory=Event)
    loading: Event = field(default_factory=Event)
    asked: list[tuple[str, Request]] = field(default_factory=list)
    recalled: list[tuple[str, Request, int]] = field(default_factory=list)
    candidates: RecalledFrom | None = None
    between: Callable[[], None] = lambda: None

    def reader(self, client: Any, keys: Any, text: str | None = None) -> Any:
        service = self

        class Reader:
            newest = service.served

        Reader.text = text or service.served  # type: ignore[attr-defined]
        return Reader()

    def ready(self, reader: Any, models: Any, loaded: Any) -> Any:
        service, text = self, reader.text
        if text != "r1":
            service.loading.set()
            assert service.may_load.wait(30)

        class Ready:
            candidates = service.candidates

            def score(self, reader: Any, request: Request) -> Scored:
                service.asked.append((text, request))
                service.between()
                return Scored(text, ["a"], np.zeros(1, np.float32), np.zeros(1, np.float32))

            def recall(self, reader: Any, request: Request, many: int) -> Scored:
                service.recalled.append((text, request, many))
                service.between()
                return Scored(text, ["a"], np.zeros(1, np.float32), np.zeros(1, np.float32))

        Ready.text = text  # type: ignore[attr-defined]
        return Ready()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    monkeypatch.setattr(online_reader, "ReleaseReader", made.reader)
    monkeypatch.setattr(online_reader, "ReadyRelease", made.ready)
    return made


class Client:
    def close(self) -> None: ...


def test_the_first_request_after_a_switch_does_not_wait_for_the_new_model(service: Service) -> None:
    first, second, third = (Request((owner,), day=Day.of(2024, 3, 4)) for owner in (1, 2, 3))
    client: Any = Client()
    with OnlineReader(client, Any, Any) as reader:  # type: ignore[arg-type]
        assert reader.score(first).release_id == "r1"
        service.served = "r2"
        # Its model is not there before it may be loaded: a request that waited for it would never be answered.
        assert reader.score(second).release_id == "r1"
        assert service.loading.wait(30)
        assert reader.score(third).release_id == "r1"
        service.may_load.set()
        while (scored := reader.score(first)).release_id == "r1":
            pass
    assert scored.release_id == "r2"
    told = [request for release, request in service.asked if release == "r2"]
    assert told[0].owner in ((1,), (2,), (3,)), "it answered a request of before, ahead of the first that was asked"
    assert told[0].day is None
    assert told[1] is first


def test_a_release_recalls_before_it_answers_where_it_was_asked_to(service: Service) -> None:
    request = Request((1,), day=Day.of(2024, 3, 4))
    client: Any = Client()
    with OnlineReader(client, Any, Any) as reader:  # type: ignore[arg-type]
        reader.recall(request, 7)
        service.served = "r2"
        service.may_load.set()
        while reader.recall(request, 7).release_id == "r1":
            pass
    tried, asked = (each for each in service.recalled if each[0] == "r2")
    assert tried == ("r2", Request((1,)), 7)
    assert asked[1] is request
    assert service.asked == [], "nobody was asked for scores"


RECALL = RecalledFrom.model_validate({"from": "recall", "job": "recall", "top": 7})


class Folder:
    def of(self, job: str) -> Folder:
        return self


def test_the_next_release_is_tried_with_what_another_job_recalled(service: Service) -> None:
    service.candidates, models, client = RECALL, Folder(), Client()
    with OnlineReader(client, Keys("test", "ads"), models) as reader:  # type: ignore[arg-type]
        reader.score(Request((1,)))
        service.served = "r2"
        service.may_load.set()
        while reader.score(Request((1,))).release_id == "r1":
            pass
    tried = next(request for release, request in service.asked if release == "r2")
    assert tried == Request((1,), items=("a",))
    assert {many for _, _, many in service.recalled} == {7}


def test_threads_that_share_a_reader_are_answered_one_at_a_time(service: Service) -> None:
    """Two requests that were answered at once would meet at the barrier; what releases share is for one of them."""
    meeting, met = Barrier(2), []

    def between() -> None:
        try:
            meeting.wait(0.2)
        except BrokenBarrierError:
            return
        met.append("met")

    service.candidates, service.between, models, client = RECALL, between, Folder(), Client()
    with OnlineReader(client, Keys("test", "ads"), models) as reader, ThreadPoolExecutor(2) as threads:  # type: ignore[arg-type]
        answers = list(threads.map(lambda owner: reader.score(Request((owner,))).release_id, range(4)))
        assert len(reader._others) == 1
    assert (answers, met) == (["r1"] * 4, [])
    assert len(service.asked) == len(service.recalled) == 4
