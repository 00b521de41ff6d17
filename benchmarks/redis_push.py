"""Pushing a release into a Redis server: how fast, and how little its readers notice.

    python -m benchmarks.redis_push [--fields 1000000] [--rounds 5] [--seconds 4]

Unpaced: fields a second of a whole push, reading back included. Paced: the latency of a reader in a process of its own
(the pointer, then forty fields of two parts, as a request reads them), at rest and while a release is pushed at the
default pace, in interleaved rounds. Needs ``redis-server`` (Debian: ``apt-get install redis-server``); it is started on
a free port of 127.0.0.1 and stopped again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ops.services.redis import RedisServer
from pipeline.config.experiment import Release
from pipeline.days import Day
from pipeline.release.contents.parts import Part, encoded
from pipeline.release.publish.redis_generations import Generations, Keys
from pipeline.release.publish.release_files import Pointer
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.redis.connection import connect

KEYS = Keys("benchmark", "ads")
PARTS = ("histories", "counters.user")
ASKED = 20


def parts(fields: int) -> list[Part]:
    """Two parts with values as short histories are."""
    half = fields // len(PARTS)
    days = list(range(19_000, 19_004))
    return [
        Part(name, {str(i * 7919): encoded({"days": days, "x": [[i], [2, 3]]}) for i in range(half)}) for name in PARTS
    ]


def pointer_of(release: str, shards: dict[str, int]) -> Pointer:
    return Pointer(release, "ads", Day.of(2024, 3, 1), "din", "none", 1, shards)


def read(url: str, half: int, orders: Any, answers: Any) -> None:
    """Reads for so many seconds whenever it is told to; milliseconds of each read."""
    client = connect(Path(), url)
    rng = np.random.default_rng(1)
    while (seconds := orders.get()) is not None:
        took = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            names = [str(i * 7919) for i in rng.integers(0, half, ASKED).tolist()]
            began = time.perf_counter()
            found = ReleaseReader(client, KEYS).fetch(dict.fromkeys(PARTS, names))
            took.append((time.perf_counter() - began) * 1e3)
            if len(found[PARTS[0]]) != len(set(names)):
                raise SystemExit("a field is missing")
            time.sleep(0.001)
        answers.put(took)
    client.close()


def unpaced(url: str, content: Sequence[Part], rounds: int) -> float:
    client = connect(Path(), url)
    count = sum(len(part.fields) for part in content)
    speeds = []
    for _ in range(rounds):
        client.flushdb()
        began = time.perf_counter()
        Generations(client, KEYS).push("fast", content)
        speeds.append(count / (time.perf_counter() - began))
    client.flushdb()
    client.close()
    return statistics.median(speeds)


def paced(url: str, fields: int, seconds: float, rounds: int) -> None:
    pace = Release(champion="").push_fields_per_second
    assert pace is not None
    client = connect(Path(), url)
    served, pushed = parts(fields), parts(int(pace * seconds))
    generations = Generations(client, KEYS)
    generations.switch(pointer_of("served", generations.push("served", served)))
    spawn = multiprocessing.get_context("spawn")
    orders, answers = spawn.Queue(), spawn.Queue()
    reader = spawn.Process(target=read, args=(url, fields // len(PARTS), orders, answers))
    reader.start()
    orders.put(1.0)  # warms up
    answers.get(timeout=120)
    rest, during, speeds = [], [], []
    for number in range(rounds):
        orders.put(seconds)
        rest.append(np.percentile(answers.get(timeout=120), [50, 99]))
        began = time.perf_counter()
        orders.put(seconds)
        Generations(client, KEYS, pace).push(f"paced{number}", pushed)
        speeds.append(sum(len(part.fields) for part in pushed) / (time.perf_counter() - began))
        during.append(np.percentile(answers.get(timeout=120), [50, 99]))
        client.delete(*KEYS.all(f"paced{number}", {part.name: len(part.shards()) for part in pushed}))
    orders.put(None)
    reader.join(30)
    client.close()
    at_rest, pushing = np.median(rest, axis=0), np.median(during, axis=0)
    ratio = statistics.median(float(b[1] / a[1]) for a, b in zip(rest, during, strict=True))
    print(f"at the default pace ({pace:,} fields/s): {statistics.median(speeds):,.0f} fields/s, reading back included")
    print(f"a reader at rest:       median {at_rest[0]:.2f} ms, p99 {at_rest[1]:.2f} ms")
    print(f"while a push goes on:   median {pushing[0]:.2f} ms, p99 {pushing[1]:.2f} ms; p99 ratio {ratio:.2f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each paced round")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="dayspring-redis-") as folder,
        RedisServer(Path(folder) / "redis") as server,
    ):
        speed = unpaced(server.url, parts(options.fields), options.rounds)
        print(f"unpaced: {options.fields:,} fields, {speed:,.0f} fields/s (median of {options.rounds})")
        paced(server.url, 200_000, options.seconds, options.rounds)


if __name__ == "__main__":
    main()
