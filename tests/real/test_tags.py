"""``imagelock tags``: what a range would take, asked of a real registry."""

from __future__ import annotations

import json

from tests.support.oci_images import multi_platform_image
from tests.support.project import Outcome, Project
from tests.support.remote_repository import RemoteRepository

_TAGS = "3.12.4-slim 3.12-slim 3.12.3-slim 3.13.0rc1-slim 3.13.0-slim 3.11.9-slim latest slim 20240612-slim 3.12.4"


def _fill(repository: RemoteRepository, tags: str = _TAGS) -> RemoteRepository:
    repository.upload_many(multi_platform_image("linux/amd64"), tags=tags.split())
    return repository


def test_tags_are_listed_in_version_order_without_a_project(project: Project, repository: RemoteRepository) -> None:
    _fill(repository)
    assert project.run("tags", str(repository)) == Outcome(
        0,
        "3.13.0-slim\n3.13.0rc1-slim\n3.12.4\n3.12.4-slim\n3.12.3-slim\n3.12-slim\n3.11.9-slim\n"
        "20240612-slim\nlatest\nslim\n",
        f"10 tags of {repository}\n",
    )


def test_a_range_shows_what_it_takes_and_why_not_the_others(project: Project, repository: RemoteRepository) -> None:
    _fill(repository)
    assert project.run("tags", str(repository), "--version", ">=3.12,<3.13", "--variant", "slim") == Outcome(
        0,
        "20240612-slim   20240612   is a serial number, not a version\n"
        "3.13.0-slim     3.13.0     is excluded by `<3.13`\n"
        "3.13.0rc1-slim  3.13.0rc1  is excluded by `<3.13` and is a pre-release\n"
        "3.12.4-slim     3.12.4     chosen\n"
        "3.12.3-slim     3.12.3     in the range\n"
        "3.12-slim       3.12       floats (3.12.4-slim is more exact)\n"
        "3.11.9-slim     3.11.9     is below `>=3.12`\n",
        "3.12.4-slim is what version `>=3.12,<3.13` as `{version}-slim` takes; 7 of 10 tags fit the pattern\n",
    )


def test_scripts_get_every_tag_with_its_reasons(project: Project, repository: RemoteRepository) -> None:
    _fill(repository, "1.1 1.0 latest")
    outcome = project.run("tags", str(repository), "--version", "<1.1", "--format", "json")
    assert json.loads(outcome.stdout) == {
        "schema": 1,
        "repository": str(repository),
        "range": {"version": "<1.1", "tag": "{version}"},
        "chosen": "1.0",
        "tags": [
            {"tag": "1.1", "version": "1.1", "reasons": ["is excluded by `<1.1`"]},
            {"tag": "1.0", "version": "1.0", "reasons": []},
            {"tag": "latest", "version": None, "reasons": ["does not fit `{version}`"]},
        ],
    }


def test_a_range_that_takes_nothing_shows_the_tags_and_fails(project: Project, repository: RemoteRepository) -> None:
    _fill(repository, "1.1 1.0 latest")
    assert project.run("tags", str(repository), "--version", ">=2,<3") == Outcome(
        2,
        "1.1  1.1  is below `>=2`\n1.0  1.0  is below `>=2`\n",
        f"error: no tag of {repository} is in `>=2,<3` (of 3 tags, 2 fit `{{version}}`)\n",
    )


def test_a_pattern_that_is_too_short_is_noted(project: Project, repository: RemoteRepository) -> None:
    _fill(repository, "21-jre 21.0.4_7-jre 21.0.5_11-jre 17.0.2_8-jre")
    assert project.run("tags", str(repository), "--variant", "jre").stderr == (
        "21-jre is what version `*` as `{version}-jre` takes; 1 of 4 tags fit the pattern\n"
        "note: most tags with that ending have more numbers, such as 21.0.5_11-jre: `{version}_{build}-jre` reads it\n"
    )


def test_a_wrong_range_is_told_by_its_option(project: Project) -> None:
    assert project.run("tags", "node", "--version", "20") == Outcome(
        2,
        "",
        "error: --version: `20` has no operator\n"
        "  `==20.*` any 20 release\n  `>=20`   20 or later\n  `==20`   exactly 20\n",
    )
    assert project.run("tags", "node", "--tag", "20") == Outcome(
        2, "", "error: --tag: `20` is not a pattern\n\nhint: write `{version}` in the place of the version\n"
    )
