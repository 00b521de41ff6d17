from __future__ import annotations

import numpy as np

from pipeline.training.progress import EVERY, Progress


def test_a_line_every_few_seconds_of_what_came_since_the_one_before() -> None:
    now, said = [100.0], list[str]()
    progress = Progress("rows", 2, 3, batches=10, batch_size=1000, clock=lambda: now[0], say=said.append)
    losses = [np.array([loss, 9.0], np.float32) for loss in (0.5, 0.3, 0.1, 0.2)]
    now[0] += EVERY - 1
    progress(losses[:1])
    assert said == []
    now[0] += 1
    progress(losses[:2])
    now[0] += 2 * EVERY
    progress(losses)
    assert said == [
        "training on rows, epoch 2 of 3: 2,000 of some 10,000 rows, loss 0.4000, 400 rows/s",
        "training on rows, epoch 2 of 3: 4,000 of some 10,000 rows, loss 0.1500, 200 rows/s",
    ]


def test_one_epoch_is_not_counted() -> None:
    now, said = [0.0], list[str]()
    progress = Progress("rows", 1, 1, batches=1, batch_size=8, clock=lambda: now[0], say=said.append)
    now[0] = 8.0
    progress([np.array([0.25], np.float32)])
    assert said == ["training on rows: 8 of some 8 rows, loss 0.2500, 1 rows/s"]
