from __future__ import annotations

import pytest
import tensorflow as tf

from models.outputs import Outputs, check_outputs
from models.tasks import Task

CLICK = {"click": tf.zeros((1, 1))}


def test_a_model_that_is_asked_answers_every_task_and_adds_no_loss() -> None:
    check_outputs("toy", Outputs(CLICK, {}, {}), [Task("click")])
    with pytest.raises(ValueError, match="model 'toy' gives no logits of the task view"):
        check_outputs("toy", Outputs(CLICK, {}, {}), [Task("click"), Task("view")])
    with pytest.raises(ValueError, match="model 'toy' gives the losses next_click where it is asked"):
        check_outputs("toy", Outputs(CLICK, {"next_click": tf.constant(1.0)}, {}), [Task("click")])
