"""Kustomizations: the ``images`` field, whose parts are values of their own.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelock.documents.references import ReferenceKind
from imagelock.documents.targets import Found
from imagelock.documents.yaml.nodes import Mapping, Node
from imagelock.documents.yaml.parts import SplitImage


def find_in_kustomization(document: Node) -> Iterator[Found]:
    """Find the entries that say which tag or digest to use; others only rename."""
    if not isinstance(document, Mapping):
        return
    for entry in document.find_sequence("images").items:
        if not isinstance(entry, Mapping):
            continue
        name = entry.find_scalar("newName") or entry.find_scalar("name")
        if name is not None:
            parts = SplitImage(
                name.value, tag=entry.find_scalar("newTag"), digest=entry.find_scalar("digest"), tag_takes_digest=True
            )
            yield from parts.find(ReferenceKind.IMAGE)
