from __future__ import annotations

from pathlib import Path

from pipeline.storage import code_version


def test_commit_is_read_from_git_without_git(tmp_path: Path) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert code_version._git_commit(git) is None
    (git / "packed-refs").write_text(f"# pack-refs\n{'f' * 40} refs/heads/other\n{commit} refs/heads/main\n")
    assert code_version._git_commit(git) == commit
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    assert code_version._git_commit(git) == "a" * 40
    (git / "HEAD").write_text(commit)
    assert code_version._git_commit(git) == commit
    assert code_version._git_commit(tmp_path / "none") is None


def test_commit_of_a_worktree(tmp_path: Path) -> None:
    main = tmp_path / "main" / ".git"
    private = main / "worktrees" / "side"
    private.mkdir(parents=True)
    (main / "refs" / "heads").mkdir(parents=True)
    (main / "refs" / "heads" / "side").write_text("b" * 40)
    (private / "HEAD").write_text("ref: refs/heads/side")
    (private / "commondir").write_text("../..")
    (tmp_path / "side").mkdir()
    (tmp_path / "side" / ".git").write_text(f"gitdir: {private}\n")
    assert code_version._git_commit(tmp_path / "side" / ".git") == "b" * 40
