"""The table of all formats. Where a path has the name of several, the first one counts."""

from __future__ import annotations

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.table_builds import (
    ANSIBLE,
    BAKE,
    COMPOSE,
    DEVCONTAINER,
    DOCKERFILE,
    DOTENV,
    NOMAD,
    PRE_COMMIT,
    QUADLET,
    TERRAFORM,
)
from imagelock.documents.formats.table_ci import (
    AZURE,
    BITBUCKET,
    BUILDKITE,
    CIRCLECI,
    CLOUD_BUILD,
    DRONE,
    GITHUB,
    GITLAB,
    WOODPECKER,
)
from imagelock.documents.formats.table_kubernetes import HELM_VALUES, HELMFILE, KUBERNETES, KUSTOMIZATION, SKAFFOLD
from imagelock.documents.syntax.reader import Syntax

FORMATS: tuple[Format, ...] = (
    GITHUB,
    WOODPECKER,
    DOCKERFILE,
    COMPOSE,
    KUSTOMIZATION,
    GITLAB,
    CIRCLECI,
    AZURE,
    BITBUCKET,
    DRONE,
    CLOUD_BUILD,
    BUILDKITE,
    HELMFILE,
    SKAFFOLD,
    HELM_VALUES,
    PRE_COMMIT,
    ANSIBLE,
    BAKE,
    DEVCONTAINER,
    QUADLET,
    NOMAD,
    TERRAFORM,
    DOTENV,
    KUBERNETES,
)

GENERIC: tuple[Format, ...] = (
    Format(name="yaml", title="YAML file", syntax=Syntax.YAML),
    Format(name="json", title="JSON file", syntax=Syntax.JSON),
    Format(name="hcl", title="HCL file", syntax=Syntax.HCL),
    Format(name="ini", title="INI file", syntax=Syntax.INI),
    Format(name="text", title="text file", syntax=Syntax.TEXT),
)
"""For files of which ``[paths]`` alone says where references are."""

__all__ = [
    "ANSIBLE",
    "AZURE",
    "BAKE",
    "BITBUCKET",
    "BUILDKITE",
    "BY_NAME",
    "CIRCLECI",
    "CLOUD_BUILD",
    "COMPOSE",
    "DEVCONTAINER",
    "DOCKERFILE",
    "DOTENV",
    "DRONE",
    "FORMATS",
    "GENERIC",
    "GITHUB",
    "GITLAB",
    "HELMFILE",
    "HELM_VALUES",
    "KUBERNETES",
    "KUSTOMIZATION",
    "NOMAD",
    "PRE_COMMIT",
    "QUADLET",
    "SKAFFOLD",
    "TERRAFORM",
    "WOODPECKER",
]

BY_NAME = {row.name: row for row in (*FORMATS, *GENERIC)}
