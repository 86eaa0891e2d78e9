"""The two composite actions, their steps run in bash as GitHub's runner runs them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.composite_action import ActionRun, run_action
from tests.support.git import Repository
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project

_CHECKOUT = Path(__file__).parents[2]
_IMAGES = """\
[images]
go = "oci:./vendor:golang:1.22"

[pin]
files = ["Dockerfile"]
"""


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's temporary folder; the first action that runs installs imagelock in it."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def sample(tmp_path: Path) -> Project:
    """A repository with everything locked, pinned and committed."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder=folder)
    project.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", note="old"))
    project.write("images.toml", _IMAGES)
    project.write("Dockerfile", "FROM golang:1.22\n")
    assert project.run("lock").exit_code == 0
    assert project.run("render", "--pin", "Dockerfile").exit_code == 0
    Repository(folder).start()
    return project


def _run(name: str, project: Project, runner: Path, **inputs: str) -> ActionRun:
    return run_action(
        _CHECKOUT / name,
        inputs={key.replace("_", "-"): value for key, value in inputs.items()},
        checkout=project.folder,
        scratch=runner,
        environment=project.process_environment(),
    )


def test_a_repository_in_order_passes(sample: Project, runner: Path) -> None:
    run = _run("action.yml", sample, runner)
    assert (run.exit_code, run.outputs) == (0, {"exit-code": "0"})
    assert run.summary == "imagelock: 1 image locked, 1 file pinned: all up to date\n"
    assert "::" not in run.log


def test_problems_fail_with_annotations_a_summary_and_sarif(sample: Project, runner: Path) -> None:
    sample.write("Dockerfile", "FROM golang:1.22\n" * 12)
    run = _run("action.yml", sample, runner, sarif="found.sarif")
    assert (run.exit_code, run.outputs) == (1, {"exit-code": "1", "sarif": "found.sarif"})
    annotations = re.findall(r"^::error file=Dockerfile,line=(\d+),col=6::", run.log, re.MULTILINE)
    assert annotations == [str(number) for number in range(1, 13)]
    assert run.log.count("::notice::12 problems in all") == 1
    assert run.log.count("error: 12 references not as locked") == 1
    assert run.summary.startswith("imagelock: 12 problems\n\n| problem | where | what |\n")
    assert run.summary.count("\n| error | `Dockerfile:") == 12
    log = json.loads(sample.read("found.sarif"))
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["no-digest"] * 12


def test_a_check_that_cannot_be_made_is_told_apart(sample: Project, runner: Path) -> None:
    sample.write("images.toml", "[images\n")
    run = _run("action.yml", sample, runner)
    assert (run.exit_code, run.outputs, run.summary) == (2, {"exit-code": "2"}, "")


def test_arguments_are_words_not_scripts(sample: Project, runner: Path) -> None:
    run = _run("action.yml", sample, runner, args="--all $(touch hacked) ; touch hacked")
    assert run.exit_code == 2
    assert not (sample.folder / "hacked").exists()


def test_an_update_that_changes_nothing_proposes_nothing(sample: Project, runner: Path) -> None:
    run = _run("update/action.yml", sample, runner)
    assert (run.exit_code, run.outputs, run.summary) == (0, {"exit-code": "0", "changed": "false"}, "")


def test_what_earlier_steps_left_is_no_update(sample: Project, runner: Path) -> None:
    sample.write("report.txt", "from a step before\n")
    sample.write("images.toml", f"# edited\n{_IMAGES}")
    run = _run("update/action.yml", sample, runner)
    assert (run.exit_code, run.outputs, run.summary) == (0, {"exit-code": "0", "changed": "false"}, "")
    sample.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", note="new"))
    assert _run("update/action.yml", sample, runner).outputs["changed"] == "true"


@pytest.mark.parametrize(
    "images",
    [
        _IMAGES,
        'pin.files = ["Dockerfile"]\nimages.go = "oci:./vendor:golang:1.22"\n',
        'pin = {files = ["Dockerfile"]}\nimages.go = "oci:./vendor:golang:1.22"\n',
    ],
)
def test_an_update_changes_the_files_and_writes_the_text_of_a_pull_request(
    sample: Project, runner: Path, images: str
) -> None:
    sample.write("images.toml", images)
    new = sample.push("golang:1.22", multi_platform_image("linux/amd64", "linux/arm64", note="new"))
    run = _run("update/action.yml", sample, runner)
    body = runner / "imagelock-update.md"
    assert (run.exit_code, run.outputs) == (0, {"exit-code": "0", "changed": "true", "body": str(body)})
    assert sample.read("Dockerfile") == f"FROM golang:1.22@{new.digest}\n"
    assert body.read_text() == run.summary
    assert "golang:1.22" in run.summary
    assert sample.run("check").exit_code == 0


def test_an_image_that_is_gone_fails_the_update(sample: Project, runner: Path) -> None:
    sample.images.clear()
    sample.push("other:1", multi_platform_image("linux/amd64", note="other"))
    run = _run("update/action.yml", sample, runner)
    assert (run.exit_code, run.outputs) == (2, {"exit-code": "2", "changed": "false"})


def test_a_registry_that_does_not_answer_is_no_failure(sample: Project, runner: Path) -> None:
    sample.write("images.toml", _IMAGES.replace("oci:./vendor:golang:1.22", "127.0.0.1:1/golang:1.22"))
    run = _run("update/action.yml", sample, runner)
    assert (run.exit_code, run.outputs) == (0, {"exit-code": "3", "changed": "false"})
    assert "::warning::a registry did not answer" in run.log


def test_every_dependency_is_installed_by_hash_in_a_version_that_is_admitted() -> None:
    text = (_CHECKOUT / "action/requirements.txt").read_text()
    entries = re.findall(
        r"^([\w.-]+)==([^\s;]+)((?:.*\\\n)(?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.MULTILINE
    )
    assert len(entries) == len(re.findall("==", text)), "an entry without a hash"
    pinned = {canonicalize_name(name): version for name, version, _ in entries}
    project = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text())["project"]
    dependencies = map(Requirement, project["dependencies"])
    for dependency in (each for each in dependencies if each.marker is None or each.marker.evaluate()):
        assert dependency.specifier.contains(pinned[canonicalize_name(dependency.name)])
