from __future__ import annotations

from pathlib import Path

from ops.lengths import FUNCTION, MODULE, found, too_long

BODY = "    pass\n" * (FUNCTION - 1)


def test_what_is_one_line_too_long_is_found() -> None:
    fits = f"def fits():\n{BODY}"
    assert list(too_long(fits + "\n" * (MODULE - FUNCTION))) == []
    assert list(too_long(f"@decorated\n{fits}")) == ["fits has 61 lines, more than 60"]
    inner = f"class Holder:\n  async def inner():\n{BODY}    pass\n"
    assert list(too_long(inner)) == ["inner has 61 lines, more than 60"]
    assert list(too_long("x = 1\n" * (MODULE + 1))) == ["401 lines, more than 400"]


def test_every_folder_of_code_is_looked_at_and_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "models" / "zoo").mkdir(parents=True)
    (tmp_path / "models" / "zoo" / "wide.py").write_text(f"def wide():\n{BODY}    pass\n")
    (tmp_path / "elsewhere.py").write_text("x = 1\n" * (MODULE + 1))
    assert found(tmp_path) == ["models/zoo/wide.py: wide has 61 lines, more than 60"]
