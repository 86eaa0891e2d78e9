"""Checkouts as an attacker would make them, by name; each may use every way that a file system and git offer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.support.git import Repository
from tests.support.project import Project

_HOOKS = ("post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-commit", "post-checkout")


@dataclass(frozen=True, slots=True)
class Attack:
    """A project to be made hostile, a folder outside that must not change, and where programs leave a mark."""

    project: Project
    outside: Path
    marks: Path

    def program(self, name: str) -> str:
        """A command that leaves a mark, for a shell."""
        return f"touch {self.marks}/{name}; false"

    def render(self, outputs: Mapping[str, str]) -> None:
        """Declare outputs with their templates."""
        lines = "".join(f'"{output}" = "{template}"\n' for output, template in outputs.items())
        self._edit("[render]\n", f"[render]\n{lines}")

    def pin(self, *patterns: str) -> None:
        """Declare files to be pinned, besides the two of the scene."""
        self._edit("files = [", f"files = [{''.join(f'{json.dumps(pattern)}, ' for pattern in patterns)}")

    def append(self, tables: str) -> None:
        """Add tables to images.toml that it does not have yet."""
        self.project.write("images.toml", f"{self.project.read('images.toml')}{tables}")

    def _edit(self, old: str, new: str) -> None:
        text = self.project.read("images.toml")
        assert text.count(old) == 1
        self.project.write("images.toml", text.replace(old, new))

    def commit(self) -> None:
        Repository(self.project.folder).start()

    def configure_git(self, text: str) -> None:
        self.commit()
        with (self.project.folder / ".git" / "config").open("a") as file:
            file.write(text)


def _embedded_repository(attack: Attack) -> None:
    for name in ("objects/info", "objects/pack", "refs"):
        attack.project.write(f"deploy/{name}/.keep", "")
    attack.project.write("deploy/HEAD", "ref: refs/heads/main\n")
    attack.project.write(
        "deploy/config",
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f'\tfsmonitor = "{attack.program("embedded")}"\n',
    )
    attack.project.write("deploy/app.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: golang:1.22\n")
    attack.pin("deploy/*.yaml")
    attack.commit()


def _git_configuration(attack: Attack) -> None:
    hooks = attack.project.folder / "hooks"
    hooks.mkdir()
    for name in _HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\n{attack.program(f'hook-{name}')}\n")
        (hooks / name).chmod(0o755)
    attack.project.write(".gitattributes", "* diff=x filter=x merge=x\n")
    program = attack.program
    attack.configure_git(
        f'[core]\n\tfsmonitor = "{program("fsmonitor")}"\n\thooksPath = {hooks}\n\tpager = "{program("pager")}"\n'
        f'\tsshCommand = "{program("ssh")}"\n\teditor = "{program("editor")}"\n\tgitProxy = "{program("proxy")}"\n'
        f'\taskPass = "{program("askpass")}"\n\talternateRefsCommand = "{program("alternate")}"\n'
        f'[diff]\n\texternal = "{program("external")}"\n'
        f'[diff "x"]\n\ttextconv = "{program("textconv")}"\n\tcommand = "{program("diff")}"\n'
        f'[filter "x"]\n\tclean = "{program("clean")}"\n\tsmudge = "{program("smudge")}"\n'
        f'\tprocess = "{program("process")}"\n'
        f'[alias]\n\tls-files = "!{program("alias")}"\n\tcat-file = "!{program("alias")}"\n'
        f'[credential]\n\thelper = "!{program("helper")}"\n[gpg]\n\tprogram = "{program("gpg")}"\n'
        "[submodule]\n\trecurse = true\n[core]\n\tuntrackedCache = true\n"
    )
    for name in _HOOKS:
        (attack.project.folder / ".git" / "hooks" / name).write_text(f"#!/bin/sh\n{attack.program(f'own-{name}')}\n")
        (attack.project.folder / ".git" / "hooks" / name).chmod(0o755)


def _git_elsewhere(attack: Attack) -> None:
    attack.configure_git("[core]\n\tworktree = /etc\n[include]\n\tpath = /dev/zero\n")


def _partial_clone(attack: Attack) -> None:
    attack.commit()
    blob = subprocess.run(
        ["git", "rev-parse", "HEAD:images.lock"], cwd=attack.project.folder, capture_output=True, check=True, text=True
    ).stdout.strip()
    (attack.project.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    helper = attack.project.write("helper", f"#!/bin/sh\n{attack.program('lazy')}\n")
    helper.chmod(0o755)
    with (attack.project.folder / ".git" / "config").open("a") as file:
        file.write(
            "[extensions]\n\tpartialClone = origin\n"
            f'[remote "origin"]\n\tpromisor = true\n\turl = ext::{helper}\n[protocol "ext"]\n\tallow = always\n'
        )


def _git_file(attack: Attack) -> None:
    """A `.git` file that leads to a folder of the checkout, as `--separate-git-dir` makes it."""
    attack.configure_git(f'[core]\n\tfsmonitor = "{attack.program("separate")}"\n')
    (attack.project.folder / ".git").rename(attack.project.folder / "meta")
    attack.project.write(".git", "gitdir: meta\n")
    attack.render({"meta/hooks/pre-commit": "Dockerfile.in"})


def _programs_of_the_checkout(attack: Attack) -> None:
    for name in ("git", "docker-credential-x", "bin/git", "python3", "sh"):
        attack.project.write(name, f"#!/bin/sh\n{attack.program('path')}\n").chmod(0o755)
    for name in ("click", "httpx", "tomlkit", "yaml", "json", "imagelock", "sitecustomize", "usercustomize"):
        attack.project.write(f"{name}.py", f"import os\nos.system({attack.program(name)!r})\n")
    attack.project.write(".docker/config.json", '{"credsStore": "x"}')
    attack.commit()


def _links(attack: Attack) -> None:
    folder, outside = attack.project.folder, attack.outside
    for name, target in {
        "link": outside,
        "root": Path("/"),
        "self": Path("self"),
        "nowhere": outside / "new",
        "git-link": folder / ".git",
        "compose.yaml": outside / "file",
        "two.yaml": Path("three.yaml"),
        "three.yaml": Path("two.yaml"),
        "lock-link": Path("images.lock"),
        "toml-link": Path("images.toml"),
    }.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    attack.pin("link/**", "root/etc/*.yaml", "self", "two.yaml", "git-link/*")
    attack.commit()


def _outputs(*outputs: str) -> Callable[[Attack], None]:
    def make(attack: Attack) -> None:
        (attack.project.folder / "link").symlink_to(attack.outside)
        (attack.project.folder / "nowhere").symlink_to(attack.outside / "new")
        (attack.project.folder / "lock-link").symlink_to("images.lock")
        attack.commit()
        attack.render({output.replace("@outside", str(attack.outside)): "Dockerfile.in" for output in outputs})

    return make


def _templates(attack: Attack) -> None:
    attack.commit()
    names = (f"{attack.outside}/file", "../outside/file", "/etc/passwd", "/dev/zero", "/dev/stdin", ".git/config")
    attack.render({f"output{number}": name for number, name in enumerate(names)})


def _exports(attack: Attack) -> None:
    attack.commit()
    attack.append(f'[export]\n"../new" = "env"\n"{attack.outside}/new" = "json"\n".git/config" = "env"\n')


def _patterns(*patterns: str) -> Callable[[Attack], None]:
    def make(attack: Attack) -> None:
        (attack.project.folder / "link").symlink_to(attack.outside)
        (attack.project.folder / "root").symlink_to("/")
        attack.commit()
        attack.pin(*patterns)

    return make


def _devices(attack: Attack) -> None:
    for name in ("fifo", "Dockerfile.fifo", "compose.yml", "sub/.gitignore"):
        path = attack.project.folder / name
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path)
    (attack.project.folder / "zero.yaml").symlink_to("/dev/zero")
    attack.render({"fifo": "Dockerfile.in"})
    attack.pin("compose.yml", "Dockerfile.fifo", "zero.yaml")


def _layouts(attack: Attack) -> None:
    attack.commit()
    os.mkfifo(attack.project.folder / "fifo")
    for name, target in {"zero": "/dev/zero", "pipe": "../fifo", "dir": "/"}.items():
        folder = attack.project.folder / name
        folder.mkdir()
        (folder / "index.json").symlink_to(target)
    images = "".join(f'{name} = "oci:./{name}:x"\n' for name in ("zero", "pipe", "dir", "missing"))
    attack.project.write("images.toml", f"[images]\n{images}")


def _journal(attack: Attack) -> None:
    attack.commit()
    attack.project.write(".victim.1.imagelock-tmp", "evil")
    attack.project.write(
        ".images.imagelock-journal",
        '{"version": 1, "files": [{"path": "../outside/file", "temporary": ".victim.1.imagelock-tmp", '
        '"before": null, "after": "0"}]}',
    )


def _names(attack: Attack) -> None:
    names = (
        "::error::x",
        "##[error]x",
        "a\n::warning::b",
        "\x1b[2J",
        "-rf",
        "--output=x",
        "\u202etxt",
        "%0A::error::x",
    )
    for name in names:
        attack.project.write(f"{name}/Dockerfile", "FROM golang:1.22\nFROM redis:7\n")
        attack.project.write(f"{name}.yaml", "image: golang:1.22\n")
    attack.project.write(os.fsdecode(b"\xff.yaml"), "image: golang:1.22\n")
    attack.pin("**")
    attack.commit()


def _texts(attack: Attack) -> None:
    attack.render({"a\\nb": "x", "a\\u0000b": "y\\u0000", "\\u001b[2J": "z"})
    attack.pin("\0", "x\ny")
    attack.append('[external]\nfiles = ["\\u0000**"]\n[registries."example.com"]\nca-file = "\\u0000"\n')


HOSTILE: Mapping[str, Callable[[Attack], None]] = MappingProxyType(
    {
        "an embedded repository": _embedded_repository,
        "a configuration of git": _git_configuration,
        "a work tree elsewhere": _git_elsewhere,
        "a partial clone": _partial_clone,
        "a .git file": _git_file,
        "programs and modules": _programs_of_the_checkout,
        "links": _links,
        "outputs in .git": _outputs(".git/hooks/pre-commit", ".GIT/config", "sub/.git/config"),
        "outputs above": _outputs("../new", "sub/../../new"),
        "absolute outputs": _outputs("@outside/new", "/etc/imagelock-was-here"),
        "outputs through links": _outputs("link/new", "nowhere", "lock-link"),
        "templates": _templates,
        "exports": _exports,
        "patterns that lead out": _patterns("../**/*.yaml", "link/**", "root/etc/*.yaml", ".git/**"),
        "patterns of all kinds": _patterns("**/../../**", "[!/]*/*", "{a,b}", "**/**/**/**/x"),
        "devices": _devices,
        "layouts": _layouts,
        "a journal": _journal,
        "names": _names,
        "texts": _texts,
    }
)
