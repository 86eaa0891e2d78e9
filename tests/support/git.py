"""A git repository that knows nothing of the user's settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "tests",
    "GIT_AUTHOR_EMAIL": "tests@localhost",
    "GIT_COMMITTER_NAME": "tests",
    "GIT_COMMITTER_EMAIL": "tests@localhost",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A working tree whose first branch is ``main``."""

    folder: Path

    def start(self) -> None:
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def start_empty(self) -> None:
        """Begin a repository with a first commit that has no files."""
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("commit", "--quiet", "--allow-empty", "--message=tests")

    def commit(self, message: str = "tests") -> None:
        """Commit everything that is there."""
        self._git("add", "--all")
        self._git("commit", "--quiet", f"--message={message}")

    def check_out_only(self, *folders: str) -> None:
        """Make a sparse checkout of some folders and of the files at the root."""
        self._git("sparse-checkout", "set", "--cone", *folders)

    def branch_off(self, name: str, *, start: str) -> None:
        self._git("switch", "--quiet", "--create", name, start)

    def switch(self, name: str) -> None:
        self._git("switch", "--quiet", name)

    def amend(self) -> None:
        """Replace the last commit by one with everything as it is now."""
        self._git("commit", "--quiet", "--all", "--amend", "--no-edit")

    def merge(self, *names: str) -> tuple[str, ...]:
        """Merge, and return the files that are left with conflict markers; without any, the merge is committed."""
        self._git("merge", "--quiet", "--no-edit", *names, may_fail=True)
        return tuple(self._git("diff", "--name-only", "--diff-filter=U").splitlines())

    def start_merge(self, name: str, *options: str) -> None:
        """Merge without committing, whether or not there are conflicts."""
        self._git("merge", "--quiet", "--no-ff", "--no-commit", *options, name, may_fail=True)

    def start_squash(self, name: str) -> None:
        """Merge without committing, and without a trace of the other branch."""
        self._git("merge", "--quiet", "--squash", name, may_fail=True)

    @contextmanager
    def merging_by_union(self, name: str) -> Iterator[None]:
        """Let git take the lines of both sides of a file where they conflict."""
        attributes = self.folder / ".git" / "info" / "attributes"
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text(f"{name} merge=union\n")
        yield
        attributes.unlink()

    def rebase(self, onto: str) -> bool:
        """Begin to rebase the current branch; return whether that went to its end."""
        self._git("rebase", "--quiet", onto, may_fail=True)
        return not self._is_at_work("rebase-merge")

    def cherry_pick(self, name: str) -> bool:
        """Begin to pick the last commit of a branch; return whether that went to its end."""
        self._git("cherry-pick", "--allow-empty", "--keep-redundant-commits", name, may_fail=True)
        return not self._is_at_work("CHERRY_PICK_HEAD")

    def go_on(self, kind: str) -> bool:
        """Continue a rebase or a cherry-pick with everything as it is now; return whether it went to its end."""
        self._git("add", "--all")
        if self._git("status", "--porcelain") or kind == "cherry-pick":
            self._git("commit", "--quiet", "--allow-empty", "--message=resolved")
        if kind == "rebase":
            self._git("-c", "core.editor=true", "rebase", "--continue", may_fail=True)
        return not self._is_at_work("rebase-merge" if kind == "rebase" else "CHERRY_PICK_HEAD")

    def _is_at_work(self, name: str) -> bool:
        return (self.folder / ".git" / name).exists()

    def finish_merge(self) -> None:
        """Commit everything as it is now."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message=merge")

    def take_from(self, revision: str, name: str) -> None:
        """Take a file as a commit has it."""
        self._git("checkout", "--quiet", revision, "--", name)

    def take_ours(self, name: str) -> None:
        """Resolve a file in favor of our side."""
        self._git("checkout", "--quiet", "HEAD", "--", name)

    def is_changed(self) -> bool:
        return bool(self._git("status", "--porcelain"))

    def show(self, revision: str, name: str) -> str:
        """Read a file at a revision; empty where it does not exist there."""
        return self._git("show", f"{revision}:{name}", may_fail=True)

    def _git(self, *arguments: str, may_fail: bool = False) -> str:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=os.environ | _SETTINGS,
            text=True,
        )
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout
