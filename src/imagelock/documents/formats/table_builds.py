"""What builds and runs containers on one machine: Dockerfiles, compose, bake, dev containers, units, playbooks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelock.documents.formats.compose import find_in_compose
from imagelock.documents.formats.embedded import find_in_embedded_dockerfile
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.helm_values import find_in_values, find_in_values_text
from imagelock.documents.formats.place_rules import Inside, Text
from imagelock.documents.formats.scalars import found_image, may_be_reference
from imagelock.documents.formats.split import SplitImage
from imagelock.documents.references import Found, ReferenceKind, TagUse
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar, ScalarStyle
from imagelock.documents.syntax.reader import Syntax

_DOCKER_IMAGE = "docker-image://"
_UNIT_SUFFIXES = (".image", ".build")
_LOCAL_TRANSPORTS = ("oci:", "dir:", "docker-archive:", "oci-archive:", "containers-storage:", "sif:", "docker-daemon:")
_ANSIBLE_CONTAINERS = (
    "{docker_container,community.docker.docker_container,docker_swarm_service,community.docker.docker_swarm_service,"
    "podman_container,containers.podman.podman_container}"
)
_NAMES_IMAGE = re.compile(r"image|repository", re.IGNORECASE)
_KUBERNETES_RESOURCES = "/^kubernetes_(pod|deployment|daemon_?set|stateful_?set|job|cron_?job)(_v1)?$/"


def _find_in_heredoc(node: Node) -> Iterator[Found]:
    if isinstance(node, Scalar):
        yield from find_in_embedded_dockerfile(node)


def _is_no_unit(text: str) -> bool:
    """Return whether a text is a reference, not the name of another unit or of an image already on the machine."""
    return not text.endswith(_UNIT_SUFFIXES) and not text.startswith(_LOCAL_TRANSPORTS)


def _is_no_resource(text: str) -> bool:
    """Return whether a text is an image, not an expression that names what another resource pulls or builds."""
    return not text.startswith(("docker_image.", "docker_registry_image.", "data.", "resource.", "module."))


def _find_hook_image(node: Node) -> Iterator[Found]:
    """Find the image of ``entry: [OPTIONS] IMAGE [ARGUMENTS]``: https://pre-commit.com/#docker_image."""
    entry = node.find_scalar("entry") if isinstance(node, Mapping) else None
    language = node.find_scalar("language") if isinstance(node, Mapping) else None
    if entry is None or language is None or language.value != "docker_image":
        return
    if not entry.is_plain:
        yield found_image(ReferenceKind.IMAGE, entry)
        return
    words = entry.value.split()
    image = _first_operand(words)
    if image is not None:
        start = entry.value.index(image, sum(map(len, words[: words.index(image)])))
        source = entry.source.cut(start, start + len(image))
        yield found_image(ReferenceKind.IMAGE, Scalar(image, source, entry.style))


def _first_operand(words: list[str]) -> str | None:
    """Find the first word that is neither an option of ``docker run`` nor an option's value."""
    is_value = False
    for word in words:
        if is_value or word.startswith("-"):
            is_value = not is_value and word.startswith("-") and "=" not in word and word not in _FLAGS
            continue
        return word
    return None


def _find_pulled_image(task: Node) -> Iterator[Found]:
    """Find the image that Ansible's ``docker_image`` pulls: it also builds, loads and pushes."""
    source, name = (task.find_scalar(key) for key in ("source", "name")) if isinstance(task, Mapping) else (None, None)
    if isinstance(task, Mapping) and source and name and source.value == "pull" and may_be_reference(name):
        yield SplitImage(name, tag=task.find_scalar("tag"), is_of_chart=False).find(ReferenceKind.IMAGE)


_FLAGS = frozenset(
    {"--init", "--privileged", "--read-only", "--rm", "--tty", "-t", "--interactive", "-i", "-it", "-ti"}
)

DOCKERFILE = Format(
    name="dockerfile",
    title="Dockerfile",
    syntax=Syntax.DOCKERFILE,
    files=("Dockerfile*", "Containerfile*", "*[._-]Dockerfile", "*[._-]Containerfile"),
    content="`FROM` or `ARG` first, where more than `Dockerfile` is in the name",
    places=("`FROM`", "`COPY --from`", "`RUN --mount=…,from=`", "`# syntax=`", "those behind `ONBUILD`"),
)

COMPOSE = Format(
    name="compose",
    title="compose file",
    syntax=Syntax.YAML,
    files=(
        "compose.y{a,}ml",
        "compose[._-]*.y{a,}ml",
        "docker-compose*.y{a,}ml",
        "*.compose.y{a,}ml",
        "podman-compose*.y{a,}ml",
    ),
    content="`services:` with `image`, `build` or `extends` below",
    find=find_in_compose,
    places=("`image` of services that are not built", "image volumes", "`additional_contexts`", "`dockerfile_inline`"),
)

BAKE = Format(
    name="bake",
    title="bake file",
    syntax=Syntax.HCL,
    files=("docker-bake{,[._-]*}.hcl", "{bake,*[._-]bake}.hcl", "docker-bake{,[._-]*}.json", "*.bake.json"),
    images=(
        Text("target.*.contexts.*", prefix=_DOCKER_IMAGE, kind=ReferenceKind.BUILD_CONTEXT),
        Text("variable.*.default", prefix=_DOCKER_IMAGE, kind=ReferenceKind.BUILD_CONTEXT),
        Text("target.*.matrix.**", prefix=_DOCKER_IMAGE, kind=ReferenceKind.BUILD_CONTEXT),
        Inside("target.*.dockerfile-inline", _find_in_heredoc),
    ),
)

DEVCONTAINER = Format(
    name="devcontainer",
    title="dev container file",
    syntax=Syntax.JSON,
    files=("devcontainer.json", ".devcontainer.json"),
    images=(Text("image", tag_use=TagUse.DROPPED),),
    never=("build", "features"),
)

QUADLET = Format(
    name="quadlet",
    title="Quadlet unit",
    syntax=Syntax.INI,
    files=("*.container", "*.volume", "*.image", "*.{container,volume,image}.d/*.conf"),
    images=(
        Text("{Container,Volume,Image}.Image", prefix="docker://", tag_use=TagUse.DROPPED),
        Text("{Container,Volume,Image}.Image", accepts=_is_no_unit),
    ),
)

DOTENV = Format(
    name="env",
    title="file of variables",
    syntax=Syntax.DOTENV,
    files=(".env", "*.env", ".env.*"),
    images=(Text("/_IMAGE$/", is_sure=False, accepts=lambda text: ":" in text or "@" in text),),
)

ANSIBLE = Format(
    name="ansible",
    title="Ansible file",
    syntax=Syntax.YAML,
    files=("{tasks,handlers,playbooks}/**/*.y{a,}ml", "site.y{a,}ml", "playbook*.y{a,}ml"),
    content="a list that begins with `hosts:`",
    images=(
        Text(f"**.{_ANSIBLE_CONTAINERS}.image", tag_use=TagUse.DROPPED),
        Text(
            "**.{docker_image_pull,community.docker.docker_image_pull,podman_image,containers.podman.podman_image}.name",
            tag_beside=("tag",),
            output_beside=("path", "build", "push"),
        ),
        Inside("**.{docker_image,community.docker.docker_image}", _find_pulled_image),
    ),
)

PRE_COMMIT = Format(
    name="pre-commit",
    title="pre-commit file",
    syntax=Syntax.YAML,
    files=(".pre-commit-config.y{a,}ml", ".pre-commit-hooks.y{a,}ml"),
    images=(Inside("repos[].hooks[]", _find_hook_image), Inside("[]", _find_hook_image)),
    places=("the image in `entry` of `docker_image` hooks",),
)

NOMAD = Format(
    name="nomad",
    title="Nomad job",
    syntax=Syntax.HCL,
    files=("*.nomad", "*.nomad.hcl"),
    images=(
        Text("job.**.task.**.config.image", prefix="docker://", tag_use=TagUse.DROPPED),
        Text("job.**.task.**.config.image", tag_use=TagUse.DROPPED),
    ),
)


def _find_in_written_values(node: Node) -> Iterator[Found]:
    """Find images in the values of a chart: an object for ``yamlencode``, or a heredoc, in which directives may be."""
    if isinstance(node, Mapping):
        yield from find_in_values(node)
    elif isinstance(node, Scalar) and node.style is ScalarStyle.HEREDOC and _NAMES_IMAGE.search(node.value):
        yield from find_in_values_text(node)


TERRAFORM = Format(
    name="terraform",
    title="Terraform file",
    syntax=Syntax.HCL,
    files=("*.tf", "*.tofu"),
    images=(
        Text("resource.docker_image.**.name", accepts=_is_no_resource, output_beside=("build",)),
        Text("resource.docker_container.**.image", accepts=_is_no_resource),
        Text("resource.docker_service.**.container_spec.**.image", accepts=_is_no_resource),
        Text("data.docker_registry_image.**.name", accepts=_is_no_resource),
        Inside("resource.helm_release.**.values[]", _find_in_written_values),
        Text(f"resource.{_KUBERNETES_RESOURCES}.**.{{container,init_container}}.**.image", accepts=_is_no_resource),
    ),
    never=("resource.docker_image.**.build",),
)
