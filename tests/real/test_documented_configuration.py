"""Configuration that the documentation shows, against the schemas of the tools that read it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

_DOCS = Path(__file__).parents[2] / "docs"
_SNIPPET = re.compile(r"<!-- schema: (?P<schema>\S+) -->\n```(?P<language>\w+)\n(?P<text>.*?)```\n", re.DOTALL)
_SNIPPETS = [
    (page.name, found["schema"], found["language"], found["text"])
    for page in sorted(_DOCS.glob("**/*.md"))
    for found in _SNIPPET.finditer(page.read_text())
]
_STEPS = re.search(r"```yaml\n(steps:\n.*?)```", (_DOCS.parent / "README.md").read_text(), re.DOTALL)
assert _STEPS is not None
_JOB = "on: push\npermissions: {}\njobs:\n  check:\n    runs-on: ubuntu-24.04\n    permissions: {contents: read}\n"
_SNIPPETS.append(("README.md", "vendor.github-workflows", "yaml", f"{_JOB}{indent(_STEPS[1], '    ')}"))
"""The steps of the README, in a job."""
_WITHOUT_BUILTIN = frozenset({"vendor.pre-commit"})


@pytest.mark.parametrize(("page", "schema", "language", "text"), _SNIPPETS)
def test_a_snippet_passes_the_schema_of_its_tool(
    tmp_path: Path, page: str, schema: str, language: str, text: str
) -> None:
    path = tmp_path / f"{Path(page).stem}.{language}"
    path.write_text(text)
    if schema in _WITHOUT_BUILTIN:
        command = [sys.executable, "-m", "pre_commit", "validate-config", str(path)]
    else:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("page", "text"), [(page, text) for page, schema, _, text in _SNIPPETS if schema == "vendor.github-workflows"]
)
def test_a_workflow_has_no_finding_of_an_auditor(tmp_path: Path, page: str, text: str) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    commit = "0" * 40
    (folder / f"{Path(page).stem}.yml").write_text(text.replace("@COMMIT", f"@{commit}"))
    zizmor = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", str(tmp_path)]
    done = subprocess.run(zizmor, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_snippets() -> None:
    assert {schema for _, schema, _, _ in _SNIPPETS} >= {
        "vendor.azure-pipelines",
        "vendor.dependabot",
        "vendor.github-workflows",
        "vendor.gitlab-ci",
        "vendor.pre-commit",
        "vendor.renovate",
    }
