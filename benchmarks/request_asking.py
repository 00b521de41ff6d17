"""What asks the requests, in a process of whichever version's code: it keeps to what they have in common."""

_TIMED = """
inner, model, model_cpu = Model.score, [], []


def score(self, inputs):
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        return inner(self, inputs)
    finally:
        model.append(time.perf_counter() - wall)
        model_cpu.append(time.process_time() - cpu)


Model.score = score
whole, whole_cpu, candidates, answers = [], [], [], hashlib.blake2b()
with opened(Path(sys.argv[1]), sys.argv[2]) as answerer:
    for request in requests[::4]:
        answerer(request)
    model.clear(), model_cpu.clear()
    for request in requests:
        wall, cpu = time.perf_counter(), time.process_time()
        found = answerer(request)
        whole.append(time.perf_counter() - wall)
        whole_cpu.append(time.process_time() - cpu)
        candidates.append(len(found.keys))
        answers.update(json.dumps([found.keys, found.logits.tolist()]).encode())


def at(values, share):
    return 1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)]


print(json.dumps({
    "whole_p50": at(whole, 0.5), "whole_p99": at(whole, 0.99), "cpu_p50": at(whole_cpu, 0.5),
    "cpu_p99": at(whole_cpu, 0.99), "model_p50": at(model, 0.5), "model_p99": at(model, 0.99),
    "model_cpu_p50": at(model_cpu, 0.5), "candidates": statistics.median(candidates),
    "owners": len({str(each) for each in asked}), "answers": answers.hexdigest(),
}))
"""
READER = f"""
import hashlib, json, statistics, sys, time
from contextlib import contextmanager
from pathlib import Path

from pipeline.serving.loaded_model import LoadedModel as Model
from pipeline.serving.online_reader import OnlineReader
from pipeline.serving.request import Request

asked = json.loads(Path(sys.argv[3]).read_text())
requests = [Request(tuple(each["owner"]), tuple(each["chapters"]) if "chapters" in each else None) for each in asked]


@contextmanager
def opened(root, job):
    with OnlineReader.at(root, job) as reader:
        yield reader.score

{_TIMED}"""
CLIENT = f"""
import hashlib, json, statistics, sys, time
from contextlib import contextmanager
from pathlib import Path

from examples.serving.client import Client, Model
from examples.serving.released.ready import Question
from pipeline.storage.redis.connection import connect

asked = json.loads(Path(sys.argv[3]).read_text())
requests = [Question(each["owner"], each.get("chapters")) for each in asked]


@contextmanager
def opened(root, job):
    yield Client(connect(root), root / "published" / job / "models", f"dayspring:{{job}}").ask

{_TIMED}"""
