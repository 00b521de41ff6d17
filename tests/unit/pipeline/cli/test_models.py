"""`models` prints what the code has; the table in the docs is that."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout

import pytest

from models.options import Option
from models.registry import Card
from pipeline.cli.main import main
from pipeline.cli.models import collect
from tests.tiny import PROJECT


def printed(*arguments: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(["models", *arguments]) == 0
    return out.getvalue()


def zoo() -> dict[str, Card]:
    """Without those that other tests make."""
    files = {path.stem for path in (PROJECT / "models" / "zoo").glob("*.py")}
    return {name: card for name, card in collect()["models"].items() if name in files}


def rows() -> list[str]:
    """The table of docs/experiments.md: one row an option, with the models that have it alike. To write it anew:

    python -c "from tests.unit.pipeline.cli.test_models import rows; print(*rows(), sep='\\n')"
    """
    having: dict[Option, list[str]] = {}
    for name, card in zoo().items():
        for option in card.options:
            having.setdefault(option, []).append(name)
    every = sorted(name for name, card in zoo().items() if card.trainer == "keras")
    return [
        f"| `{each.name}: {each.default}` | {'every net' if names == every else ', '.join(names)} "
        f"| {each.allowed} | {each.what} |"
        for each, names in having.items()
    ]


def test_every_model_says_what_it_is_and_what_each_of_its_options_does() -> None:
    text = printed()
    for name, card in zoo().items():
        assert f"{name} ({card.family}): {card.summary}\n  needs {card.needs}; " in text
        assert card.family != "other", name
        assert all(each.what and each.allowed for each in card.options), name
    assert "Zhou et al., Deep Interest Network" in text
    assert "encoder din\n" in text
    assert "optimisers of dense weights\n  adam: rate -, beta_1 0.9, beta_2 0.999" in text


def test_one_model_in_json_has_types_defaults_and_descriptions() -> None:
    found = json.loads(printed("din", "--json"))
    assert found.keys() == {"models", "encoders"}
    card = found["models"]["din"]
    assert (card["family"], card["trainer"], card["losses"]) == ("sequence", "keras", ["binary", "softmax"])
    assert {each["name"]: each for each in card["options"]}["dropout"] == {
        "name": "dropout", "allowed": "a number of at least 0 and below 1", "default": "0.0",
        "what": "share of a hidden layer's values that a training step leaves out",
    }  # fmt: skip


def test_a_model_that_is_none_is_answered_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "dnc"]) == 2
    assert "there is no model 'dnc' (is 'dcn' meant?); models and encoders: " in capsys.readouterr().err
    assert main(["models", "perceptron"]) == 2
    assert "there is no model 'perceptron'; models and encoders: " in capsys.readouterr().err


def test_the_docs_have_a_line_for_each_option_as_it_is() -> None:
    text = (PROJECT / "docs" / "experiments.md").read_text(encoding="utf-8")
    table = text.partition("## Models\n")[2].partition("\n## ")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows()
