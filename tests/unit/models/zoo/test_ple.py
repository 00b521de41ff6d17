"""PLE: each level reads what the level below has made for its task, and of what is shared."""

from __future__ import annotations

from tests.unit.models.zoo.field_models import WHOLE, built, inputs


def test_a_level_reads_what_the_level_below_has_made_for_the_task() -> None:
    """Gates weigh what they see alike: an expert of the task's own and a shared one."""
    asked = inputs(user=[2.0], hour=[3.0], ad=[5.0], price=[1.0], clicks=[4.0, 6.0])
    model = built("ple", WHOLE, "one", "two", units=[], levels=2, experts=1, shared_experts=1, expert_units=[1])
    model(asked)
    first, second = model.levels
    for level in model.levels:
        for layer in level.layers:
            for weight in layer.weights:
                weight.assign(0 * weight)
    # Below: own experts give 2 and 6, the shared one 4; half of each: 3 and 5, and a third of all is shared: 4.
    for whose, value in (("one", 2.0), ("two", 6.0), ("", 4.0)):
        first.experts[whose][0].layers.bias.assign([value])
        # Above, every expert passes on what it reads.
        second.experts[whose][0].layers.kernel.assign([[1.0]])
    for tower in model.towers.values():
        tower.kernel.assign([[1.0]])
    found = model(asked).logits
    assert (found["one"].numpy().tolist(), found["two"].numpy().tolist()) == ([[3.5]], [[4.5]])
