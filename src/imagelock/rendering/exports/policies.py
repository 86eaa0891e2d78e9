"""Policies that builders enforce: which sources may enter a build, and what a tag becomes.

BuildKit and buildah share the file's name and shape and little else. In BuildKit the last matching ALLOW or DENY wins,
a CONVERT starts the walk anew, and the key is ``match_type``; in buildah the first matching rule wins and the key is
``matchType``. Each silently ignores the other's key, so neither file serves the other builder.

https://github.com/moby/buildkit/blob/master/sourcepolicy/pb/policy.proto
https://github.com/containers/buildah/blob/main/docs/buildah-build.1.md
https://docs.docker.com/build/policies/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from imagelock.model.digest import Digest
from imagelock.model.reference import DEFAULT_TAG
from imagelock.rendering.exports.images import RegistryImage

_IMAGE = "docker-image://"
_LAYOUT = "oci-layout://"
_EVERYTHING = "*"
_Rule = dict[str, object]


def buildkit_policy(images: tuple[RegistryImage, ...], *, allow: Iterable[str] = (), pin_only: bool = False) -> str:
    """Return a source policy as JSON. ``allow`` names further schemes, such as ``git``.

    A tag becomes the digest of the image's index, never of one platform: BuildKit would build that platform's files
    for any other one, with exit code 0.
    """
    rules = _pinning_rules(images) if pin_only else _strict_rules(images, allow)
    return _dump({"version": 1, "rules": list(rules)})


def _strict_rules(images: tuple[RegistryImage, ...], allow: Iterable[str]) -> Iterator[_Rule]:
    """Deny all, then allow local files, the named schemes, and the locked images by digest.

    Docker's engine 26 resolves a tag before it converts it: it asks for leave to read the tag, and takes the image's
    configuration from there. The tag is allowed for that reason, and no rule converts ``REPOSITORY:TAG@OTHER``. If the
    tag has moved, that engine then comes with the new digest and is refused. With such a rule it would build the
    locked layers with the environment, the entry point and the ONBUILD triggers of the new image (measured, 26.1.5).
    """
    yield _buildkit_rule("DENY", _EVERYTHING)
    yield _buildkit_rule("ALLOW", "local://*")
    for scheme in allow:
        yield _buildkit_rule("ALLOW", f"{scheme}://*")
    allowed: set[Digest] = set()
    for image in images:
        if image.tag is not None:
            yield _buildkit_rule("ALLOW", _IMAGE + image.canonical_name, "EXACT")
            yield _convert_tag(image)
        if image.digest not in allowed:
            # A named context may hold the image in a mirror's OCI layout.
            yield _buildkit_rule("ALLOW", f"{_LAYOUT}*@{image.digest}")
        for digest in image.digests:
            if digest not in allowed:
                yield _buildkit_rule("ALLOW", f"{_IMAGE}*@{digest}")
        allowed.update(image.digests)


def _pinning_rules(images: tuple[RegistryImage, ...]) -> Iterator[_Rule]:
    """Convert each tag, and each digest beside it: Docker's engine 26 asks with the digest that the tag has now."""
    for image in images:
        if image.tag is not None:
            yield _convert_tag(image)
            other_digests = _buildkit_rule("CONVERT", f"{_IMAGE}{image.canonical_name}@*")
            yield other_digests | {"updates": {"identifier": _IMAGE + image.pinned_name}}


def _convert_tag(image: RegistryImage) -> _Rule:
    rule = _buildkit_rule("CONVERT", _IMAGE + image.canonical_name, "EXACT")
    return rule | {"updates": {"identifier": _IMAGE + image.pinned_name}}


def _buildkit_rule(action: str, identifier: str, match_type: str = "WILDCARD") -> _Rule:
    return {"action": action, "selector": {"identifier": identifier, "match_type": match_type}}


def buildah_policy(images: tuple[RegistryImage, ...], *, pin_only: bool = False) -> str:
    """Return a policy for ``buildah build --source-policy-file``: tags are converted, other images denied."""
    rules = list(_buildah_conversions(images))
    if not pin_only:
        digests = dict.fromkeys(digest for image in images for digest in image.digests)
        rules += [_buildah_rule("ALLOW", f"{_IMAGE}*@{digest}", "WILDCARD") for digest in digests]
        rules.append(_buildah_rule("DENY", f"{_IMAGE}*", "WILDCARD"))
    return _dump({"rules": rules})


def _buildah_conversions(images: Iterable[RegistryImage]) -> Iterator[_Rule]:
    for image in images:
        if image.tag is None:
            continue
        target = {"identifier": f"{_IMAGE}{image.repository}@{image.digest}"}
        names = [image.canonical_name]
        if image.tag == DEFAULT_TAG:
            # buildah looks `FROM alpine` up without `:latest`, and `FROM alpine:latest` with it.
            names.append(str(image.repository))
        yield from (_buildah_rule("CONVERT", _IMAGE + name, "EXACT") | {"updates": target} for name in names)


def _buildah_rule(action: str, identifier: str, match_type: str) -> _Rule:
    return {"action": action, "selector": {"identifier": identifier, "matchType": match_type}}


def _dump(policy: dict[str, object]) -> str:
    return json.dumps(policy, indent=2) + "\n"


_REGO = """\
# Generated by `imagelock export rego`: it allows the images of images.lock, and local files.
package docker

locked := {{
{locked}}}

default allow := false

allow if input.local
{others}
allow if input.image.checksum in locked[input.image.fullRepo]

deny_msg contains msg if {{
	input.image
	not allow
	not locked[input.image.fullRepo]
	msg := sprintf("%s is not in images.lock", [input.image.ref])
}}

deny_msg contains msg if {{
	input.image
	not allow
	locked[input.image.fullRepo]
	msg := sprintf("images.lock has another digest for %s", [input.image.ref])
}}

deny_msg contains msg if {{
	not input.image
	not allow
	msg := "only local files and the images of images.lock may enter this build"
}}

decision := {{"allow": allow, "deny_msg": deny_msg}}
"""
_REGO_SOURCES = {
    "git": "input.git",
    "http": 'input.http.schema == "http"',
    "https": 'input.http.schema == "https"',
}


def rego_policy(images: tuple[RegistryImage, ...], *, allow: Iterable[str] = ()) -> str:
    """Return a policy for ``docker buildx build --policy``: it checks what a build resolved, and converts nothing."""
    digests: dict[str, list[Digest]] = {}
    for image in images:
        digests.setdefault(str(image.repository), []).extend(image.digests)
    locked = "".join(_rego_set(repository, found) for repository, found in sorted(digests.items()))
    others = "".join(f"\nallow if {_REGO_SOURCES[scheme]}\n" for scheme in allow)
    return _REGO.format(locked=locked, others=others)


def _rego_set(repository: str, digests: Iterable[Digest]) -> str:
    lines = "".join(f"\t\t{json.dumps(str(digest))},\n" for digest in dict.fromkeys(digests))
    return f"\t{json.dumps(repository)}: {{\n{lines}\t}},\n"
