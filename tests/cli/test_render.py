from __future__ import annotations

import stat

import pytest

from tests.support.project import IMAGES, TEMPLATE, Outcome, Project


def _done(stderr: str) -> Outcome:
    return Outcome(0, "", stderr)


def _rendered(workshop: Project) -> str:
    go, node = workshop.images["golang:1.22"].digest, workshop.images["node:20"].digest
    return TEMPLATE.replace("{{images.go}}", f"golang:1.22@{go}").replace("{{ images.node.pinned }}", f"node@{node}")


@pytest.fixture
def fresh(workshop: Project) -> Project:
    """Locked, not rendered."""
    assert workshop.run("lock").exit_code == 0
    return workshop


def test_every_template_is_rendered_once(fresh: Project) -> None:
    assert fresh.run("render") == _done("Rendered 1 of 1 file\nWrote Dockerfile\n")
    assert fresh.read("Dockerfile") == _rendered(fresh)
    before = (fresh.folder / "Dockerfile").stat()
    assert fresh.run("render") == _done("1 file already rendered\n")
    assert (fresh.folder / "Dockerfile").stat() == before


def test_an_output_gets_its_templates_permissions(fresh: Project) -> None:
    (fresh.folder / "Dockerfile.in").chmod(0o755)
    fresh.run("render")
    assert stat.S_IMODE((fresh.folder / "Dockerfile").stat().st_mode) == 0o755


def test_named_outputs_are_rendered_alone(fresh: Project) -> None:
    fresh.write("images.toml", f'{IMAGES}"deploy/app.yaml" = "Dockerfile.in"\n"x" = "Dockerfile.in"\n')
    assert fresh.run("render", "./x", "deploy/../x", str(fresh.folder / "deploy" / "app.yaml")) == _done(
        "Rendered 2 of 2 files\nWrote x\nWrote deploy/app.yaml\n"
    )
    assert not (fresh.folder / "Dockerfile").exists()


def test_outputs_are_named_as_seen_from_the_working_directory(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.write("sub/x", "")
    monkeypatch.chdir(fresh.folder / "sub")
    assert fresh.run("render", "../Dockerfile") == _done("Rendered 1 of 1 file\nWrote ../Dockerfile\n")
    assert fresh.run("render", "Dockerfile") == Outcome(
        2,
        "",
        "error: ../images.toml renders no `Dockerfile`; did you mean `../Dockerfile`?\n  it renders: ../Dockerfile\n",
    )


def test_a_project_without_templates_says_what_to_write(fresh: Project) -> None:
    fresh.write("images.toml", IMAGES.partition("[render]")[0])
    assert fresh.run("render") == Outcome(
        2,
        "",
        "error: images.toml names no file to render\n"
        '\nhint: add `[render]` and a line such as `"Dockerfile" = "Dockerfile.in"` to it, or `[pin]` and '
        '`files = ["Dockerfile"]`\n',
    )


def test_a_stale_lock_is_refused(fresh: Project) -> None:
    fresh.write("images.toml", IMAGES.replace("node:20", "node:22"))
    assert fresh.run("render") == Outcome(
        2,
        "",
        "error: images.lock does not match images.toml\n"
        "  node: images.toml now has tag `node:22`; tag `node:20` is locked\n"
        "\nhint: run `imagelock lock`\n",
    )
    assert not (fresh.folder / "Dockerfile").exists()


def test_all_problems_of_all_templates_are_told_and_nothing_is_written(fresh: Project) -> None:
    fresh.write("images.toml", f'{IMAGES}"a" = "missing.in"\n"b" = "b.in"\n')
    fresh.write("b.in", "FROM {{images.gol}}\n\u00fc {{images.node.tga}}\n")
    assert fresh.run("render") == Outcome(
        2,
        "",
        "error: cannot render; no file was written\n"
        "  images.toml:9: the template `missing.in` does not exist\n"
        "  b.in:1:6: unknown image `gol`; did you mean `go`?\n"
        "  b.in:2:3: unknown field `tga` of the image `node`; did you mean `tag`?\n"
        "\nhint: write missing.in, or take its line out of [render]\n",
    )
    assert not (fresh.folder / "Dockerfile").exists()


def test_what_can_not_be_written_leaves_all_as_it_was(fresh: Project) -> None:
    fresh.write("images.toml", f'{IMAGES}"Dockerfile.in/x" = "Dockerfile.in"\n')
    assert fresh.run("render") == Outcome(2, "", "error: cannot write Dockerfile.in/x\n  File exists\n")
    assert sorted(path.name for path in fresh.folder.iterdir()) == [
        ".git",
        "Dockerfile.in",
        "images.lock",
        "images.toml",
        "vendor",
    ]


def test_the_digest_of_one_platform_is_noted(fresh: Project) -> None:
    fresh.write("Dockerfile.in", "FROM {{images.go.platforms.linux/amd64}}\n")
    note = (
        "note: Dockerfile has the digest of one platform (go.platforms.linux/amd64);"
        " builders on other platforms can't use it\n"
    )
    assert fresh.run("render") == _done(f"Rendered 1 of 1 file\nWrote Dockerfile\n{note}")


def test_check_asks_and_writes_nothing(fresh: Project) -> None:
    stale = Outcome(
        1,
        "",
        "error: 1 file of 1 not rendered from the current lock\n  Dockerfile\n\nhint: run `imagelock render`\n",
    )
    assert fresh.run("render", "--check") == stale
    assert not (fresh.folder / "Dockerfile").exists()
    fresh.run("render")
    assert fresh.run("render", "--check") == _done("1 file rendered from the current lock\n")
    fresh.write("Dockerfile", _rendered(fresh) + "\n")
    assert fresh.run("render", "--check") == stale


def test_diff_shows_what_would_change(fresh: Project) -> None:
    fresh.run("render")
    assert fresh.run("render", "--diff") == _done("")
    new = _rendered(fresh)
    old = new.replace(f"FROM golang:1.22@{fresh.images['golang:1.22'].digest}\r\n", "FROM golang:1.22\rx\r\n")
    fresh.write("Dockerfile", old)
    assert fresh.run("render", "--diff", "--check") == Outcome(
        1,
        "--- Dockerfile\n+++ Dockerfile (rendered)\n@@ -1,3 +1,3 @@\n"
        "-FROM golang:1.22\rx\r\n"
        f"+FROM golang:1.22@{fresh.images['golang:1.22'].digest}\r\n"
        " RUN go build # {{ .Id }} ${{ matrix.x }}\r\n"
        f" FROM node@{fresh.images['node:20'].digest}\n\\ No newline at end of file\n",
        "error: 1 file of 1 not rendered from the current lock\n  Dockerfile\n\nhint: run `imagelock render`\n",
    )
    assert fresh.read("Dockerfile") == old


def test_diff_shows_a_new_file_whole(fresh: Project) -> None:
    fresh.write("Dockerfile.in", "FROM {{images.go.tag}}\n")
    assert fresh.run("render", "--diff") == Outcome(
        0, "--- Dockerfile\n+++ Dockerfile (rendered)\n@@ -0,0 +1 @@\n+FROM 1.22\n", ""
    )


def test_a_template_without_placeholder_is_told_by_render_and_check(fresh: Project) -> None:
    fresh.write("images.toml", f'{IMAGES}"plain" = "plain.in"\n')
    fresh.write("plain.in", "FROM {{image.go}}\n")
    text = "plain.in has no placeholder such as `{{images.go}}`; plain.in:1:6: `{{image.go}}` is not one\n"
    assert fresh.run("render").stderr.splitlines(keepends=True)[-1] == f"warning: {text}"
    assert fresh.run("render", "--check").stderr.splitlines(keepends=True)[0] == f"warning: {text}"
    assert fresh.run("check").stderr.splitlines(keepends=True)[0] == f"note: {text}"


def test_text_that_another_tool_reads_is_escaped(fresh: Project) -> None:
    fresh.write("Dockerfile.in", "FROM {{images.go.tag}}\nRUN echo '{{images.length}}'\n")
    assert fresh.run("render") == Outcome(
        2,
        "",
        "error: cannot render; no file was written\n"
        "  Dockerfile.in:2:11: unknown image `length`\n"
        "\nhint: write `\\{{images.NAME}}` for a text that another tool reads\n",
    )
    fresh.write("Dockerfile.in", "FROM {{images.go.tag}}\nRUN echo '\\{{images.length}}'\n")
    assert fresh.run("render").exit_code == 0
    assert fresh.read("Dockerfile") == "FROM 1.22\nRUN echo '{{images.length}}'\n"
