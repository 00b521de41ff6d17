"""What stands in a report."""

from __future__ import annotations

from pipeline.monitoring.report import page


def test_commands_in_a_report_work_when_pasted_and_are_escaped() -> None:
    template = page._template().environment.from_string("<b>{{ why }}</b>{{ number(3) }}")
    text = template.render(why="see `python -m pipeline audit --job ads` <now>")
    assert text.startswith("<b>see `cd /")
    assert "&amp;&amp; " in text
    assert text.endswith("/python -m pipeline audit --job ads` &lt;now&gt;</b>3")
