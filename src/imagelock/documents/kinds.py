"""The kinds of documents that can be read, and how to tell them from each other."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path, PurePath

from imagelock.documents.dockerfile.scan import scan_dockerfile
from imagelock.documents.formats.compose import find_in_compose
from imagelock.documents.formats.github import find_in_github, find_in_gitlab
from imagelock.documents.formats.helm_values import find_in_helm_values
from imagelock.documents.formats.table_kubernetes import find_in_kubernetes, find_in_kustomization
from imagelock.documents.references import Scan
from imagelock.documents.syntax.yaml import scan_yaml
from imagelock.errors import DocumentError

_DOCKERFILE = re.compile(r"(dockerfile|containerfile)(\..+)?|.+\.(dockerfile|containerfile)")
_NO_DOCKERFILE_SUFFIXES = frozenset(
    {".in", ".tmpl", ".tpl", ".template", ".j2", ".jinja", ".erb", ".m4", ".dockerignore", ".md", ".lock", ".orig"}
)
_COMPOSE = re.compile(r"(docker-)?compose([.-].*)?\.ya?ml")
_VALUES = re.compile(r"values([._-].*)?\.ya?ml|.*[._-]values\.ya?ml")
_SERVICES = re.compile(rb"^services:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*[ \t]+[\w\"'.-]+:", re.MULTILINE)
_API_VERSION = re.compile(rb"^[\"']?apiVersion[\"']?:", re.MULTILINE)


class DocumentKind(Enum):
    """What a document is; the value is how messages call it."""

    DOCKERFILE = "Dockerfile"
    COMPOSE = "compose file"
    KUBERNETES = "Kubernetes file"
    KUSTOMIZATION = "kustomization"
    HELM_VALUES = "Helm values"
    GITHUB = "GitHub Actions file"
    GITLAB = "GitLab CI file"


_YAML_FINDERS = {
    DocumentKind.COMPOSE: find_in_compose,
    DocumentKind.KUBERNETES: find_in_kubernetes,
    DocumentKind.KUSTOMIZATION: find_in_kustomization,
    DocumentKind.HELM_VALUES: find_in_helm_values,
    DocumentKind.GITHUB: find_in_github,
    DocumentKind.GITLAB: find_in_gitlab,
}


def find_references(content: bytes, kind: DocumentKind) -> Scan:
    """Find the image references of a document. No bytes make this raise anything."""
    if kind is DocumentKind.DOCKERFILE:
        return scan_dockerfile(content)
    return scan_yaml(content, _YAML_FINDERS[kind])


def detect_kind(path: PurePath, content: bytes) -> DocumentKind | None:
    """Tell the kind of a file by its name, or, for YAML of any name, by what it begins with; ``None``: not for us."""
    name = path.name.lower()
    if _DOCKERFILE.fullmatch(name) and path.suffix.lower() not in _NO_DOCKERFILE_SUFFIXES | {".yml", ".yaml"}:
        return DocumentKind.DOCKERFILE
    if path.suffix.lower() not in (".yml", ".yaml"):
        return None
    return _yaml_kind_of_name(path, name) or _yaml_kind_of_content(content)


def _yaml_kind_of_name(path: PurePath, name: str) -> DocumentKind | None:
    if name in ("kustomization.yaml", "kustomization.yml"):
        return DocumentKind.KUSTOMIZATION
    if name in ("action.yaml", "action.yml") or path.parts[-3:-1] == (".github", "workflows"):
        return DocumentKind.GITHUB
    if name.endswith((".gitlab-ci.yml", ".gitlab-ci.yaml")):
        return DocumentKind.GITLAB
    if _COMPOSE.fullmatch(name):
        return DocumentKind.COMPOSE
    if _VALUES.fullmatch(name):
        return DocumentKind.HELM_VALUES
    return None


def _yaml_kind_of_content(content: bytes) -> DocumentKind | None:
    if _API_VERSION.search(content):
        return DocumentKind.KUBERNETES
    return DocumentKind.COMPOSE if _SERVICES.search(content) else None


def kind_of_named(path: Path, content: bytes) -> DocumentKind:
    """Tell the kind of a file that somebody named."""
    kind = detect_kind(path.absolute(), content)
    if kind is None:
        raise DocumentError(
            f"cannot tell what kind of file {path} is",
            details=["references are found in Dockerfiles, compose, Kubernetes and CI files, and Helm values"],
            hint="for other files, use a template with {{images.NAME}}",
        )
    return kind
