"""CI files: what their runners start containers from."""

from __future__ import annotations

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.github import find_in_github
from imagelock.documents.formats.place_rules import Text
from imagelock.documents.references import TagNeeded, TagUse
from imagelock.documents.syntax.nodes import Mapping, Node
from imagelock.documents.syntax.reader import Syntax

_GITLAB_PROXIES = tuple(
    f"{variable}/"
    for name in ("CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX", "CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX")
    for variable in (f"${name}", f"${{{name}}}")
)
"""GitLab's proxy of Docker Hub: https://docs.gitlab.com/user/packages/dependency_proxy/."""
_GITLAB_SERVICE = TagNeeded(  # https://gitlab.com/gitlab-org/gitlab-runner/-/issues/31049
    "GitLab Runner can lose the digest of a service that has no tag", "write the tag, `:latest` if that is meant"
)
_CONDITION = r"/^\$\{\{/"
"""``${{ if … }}:`` and ``${{ each … }}:``, which Azure Pipelines replaces by what is below."""
_BUILDKITE_DOCKER = r"/(^|\/)docker(-buildkite-plugin(\.git)?)?(#|$)/"
_DRONE_WITHOUT_CONTAINERS = frozenset({"exec", "ssh", "macstadium", "digitalocean"})


def _is_no_alias(text: str) -> bool:
    """Return whether a text is a reference, not the name of a container in ``resources``, here or in another file."""
    return any(sign in text for sign in ":/@$")


def _has_containers(pipeline: Node) -> bool:
    kind = pipeline.find_scalar("type") if isinstance(pipeline, Mapping) else None
    return kind is None or kind.value not in _DRONE_WITHOUT_CONTAINERS


GITHUB = Format(
    name="github",
    title="GitHub Actions file",
    syntax=Syntax.YAML,
    files=(
        ".{github,gitea,forgejo}/workflows/*.y{a,}ml",
        "workflow-templates/*.y{a,}ml",
        "action.y{a,}ml",
    ),
    content="`on:`, `jobs:` and what jobs have, or `runs:` with `using:`",
    find=find_in_github,
    places=(
        "`container`",
        "`services`",
        "`docker://` actions",
        "`build-contexts`",
        "the matrix values of `${{ matrix.… }}`",
    ),
)

GITLAB = Format(
    name="gitlab",
    title="GitLab CI file",
    syntax=Syntax.YAML,
    files=("*.gitlab-ci.y{a,}ml", ".gitlab/ci/**/*.y{a,}ml", ".gitlab-ci/**/*.y{a,}ml"),
    content="included by another one with `local`, or `spec:` with `inputs` first",
    images=(
        *(Text(f"{job}image{name}", strips=_GITLAB_PROXIES) for job in ("", "*.") for name in ("", ".name")),
        *(
            Text(f"{job}services[]{name}", strips=_GITLAB_PROXIES, tag_use=_GITLAB_SERVICE)
            for job in ("", "*.")
            for name in ("", ".name")
        ),
    ),
    never=("variables", "include", "spec", "workflow", "stages", "cache"),
)

CIRCLECI = Format(
    name="circleci",
    title="CircleCI config",
    syntax=Syntax.YAML,
    files=(".circleci/**/*.y{a,}ml",),
    content="`version: 2` with `jobs`, `orbs` or `executors`, and `docker`",
    images=(
        Text("{jobs,executors}.*.docker[].image"),
        Text("orbs.*.{jobs,executors}.*.docker[].image"),
        Text("docker[].image"),
    ),
    never=("**.machine.image", "**.macos"),
)

AZURE = Format(
    name="azure",
    title="Azure Pipelines file",
    syntax=Syntax.YAML,
    files=("azure-pipelines*.y{a,}ml", ".azure{devops,-pipelines}/**/*.y{a,}ml", ".vsts-ci.y{a,}ml"),
    images=(
        Text("resources.containers[].image"),
        Text("**.containers.*.image"),
        Text(rf"resources.containers[].{_CONDITION}[].image"),
        *(
            rule
            for job in ("", "**.jobs[].", f"**.{_CONDITION}[].", f"**.{_CONDITION}.")
            for rule in (Text(f"{job}container", accepts=_is_no_alias), Text(f"{job}container.image"))
        ),
    ),
    never=("**.pool", "**.steps"),
)

BITBUCKET = Format(
    name="bitbucket",
    title="Bitbucket Pipelines file",
    syntax=Syntax.YAML,
    files=("bitbucket-pipelines.y{a,}ml",),
    images=(
        Text("image"),
        Text("image.name"),
        Text("**.step.image"),
        Text("**.step.image.name"),
        Text("definitions.services.*.image"),
        Text("definitions.services.*.image.name"),
        Text("**.pipe", prefix="docker://"),
    ),
)

DRONE = Format(
    name="drone",
    title="Drone pipeline",
    syntax=Syntax.YAML,
    files=(".drone.y{a,}ml",),
    content="`kind: pipeline` with `type`",
    reads=_has_containers,
    images=(Text("{steps,services}[].image"), Text("{pipeline,services}.*.image")),
    never=("**.settings",),
)

WOODPECKER = Format(
    name="woodpecker",
    title="Woodpecker pipeline",
    syntax=Syntax.YAML,
    files=(
        ".{woodpecker,crow}.y{a,}ml",
        ".{woodpecker,crow}/**/*.y{a,}ml",
        ".vela.y{a,}ml",
    ),
    images=(
        Text("{steps,services,clone}[].image"),
        Text("{steps,services,clone,pipeline}.*.image"),
        Text("stages.*.steps[].image"),
        Text("secrets[].origin.image"),
    ),
    never=("**.settings", "**.parameters"),
)

CLOUD_BUILD = Format(
    name="cloud-build",
    title="Cloud Build configuration",
    syntax=Syntax.YAML,
    files=("cloudbuild*.y{a,}ml", "*.cloudbuild.y{a,}ml", "cloudbuild*.json"),
    content="`steps:` with names in `gcr.io` or `pkg.dev`",
    images=(Text("steps[].name", tag_use=TagUse.DROPPED),),
    never=("images", "artifacts", "options"),
)

BUILDKITE = Format(
    name="buildkite",
    title="Buildkite pipeline",
    syntax=Syntax.YAML,
    files=(".buildkite/**/*.y{a,}ml", "buildkite.y{a,}ml"),
    images=(
        Text("image"),
        Text("**.steps[].image"),
        Text(f"**.plugins[].{_BUILDKITE_DOCKER}.image"),
        Text(f"**.plugins.{_BUILDKITE_DOCKER}.image"),
        Text("**.{podSpec,podSpecPatch}.{containers,initContainers}[].image"),
        Text("**.kubernetes.sidecars[].image"),
    ),
)
