"""Files and places that look as if they had images and are not read. They are counted and listed, never called clean.

Files: programs, templates, and files whose keys are unknown. Places in files that are read: keys that no rule knows,
and commands that pull images. Templates with placeholders, and marker comments, work in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from imagelock.documents.formats.format import Format
from imagelock.documents.formats.overlooked import find_overlooked
from imagelock.documents.kinds import patterns_expression
from imagelock.documents.markers import find_marked_lines
from imagelock.documents.spans import Position
from imagelock.model.frozen import frozen

_RUN = (
    rb"\b(?:docker|podman|nerdctl)[ \t]+(?:run|pull|create)\b|\b(?:skopeo|crane)[ \t]+(?:copy|cp|pull|inspect)\b"
    rb"|\bkubectl[ \t][^\n]{0,300}[ \t]--image[= \t]"
)
_HERE_DOCUMENT = rb"^[ \t]*FROM[ \t]+[^\n]+\n\s*(?:FROM|RUN|COPY|ADD|WORKDIR|ENV|ARG|USER|LABEL|CMD|ENTRYPOINT)[ \t]"
"""A Dockerfile within a script."""
_COMMAND = re.compile(_RUN)
_SHEBANG = re.compile(rb"#![^\n]*\b(?:ba|da|k|z|a)?sh\b")
_DECIDED = re.compile(rb"@sha256:|#[ \t]*imagelock:|^[ \t]*(?:#|//)")
"""Lines with a digest or a marker comment, and comments."""
_MAX_SHOWN = 200
_KEY = rb"[\w.-]*(?:image(?:name|url|uri|ref|tag|repository)?|\bimg)"
_REFERENCE = rb"[a-z0-9][\w./-]*[:@/][\w./:@-]+"
_NAME = rb"[ \t]*[\"']?[\w.-]+(?:/[\w./-]+)?[\"']?[ \t]*(?:#.*)?(?:\r?\n|\Z)"
_CONTAINER_KEYS = rb"[ \t]+(?:-[ \t]+)?(?:commands?|entrypoint|args|ports|volumes|script|before_script|stage):"
_CONTAINER = (
    rb"|^[ \t-]*image:" + _NAME + rb"(?:[ \t]+\w.*\n){0,3}?" + _CONTAINER_KEYS
    + rb"|^" + _CONTAINER_KEYS + rb".*\n(?:[ \t]+[\w-].*\n){0,3}?[ \t-]*image:" + _NAME
)  # fmt: skip
"""An image without a tag, which might be a picture or a machine, beside a key that only containers have."""
_OFFICIAL = (
    rb"(?-i:adminer|alpine|almalinux|amazoncorretto|amazonlinux|arangodb|archlinux|bash|busybox|caddy|cassandra|chronograf"
    rb"|clickhouse|clojure|composer|consul|couchbase|couchdb|crate|debian|docker|eclipse-mosquitto|eclipse-temurin|elasticsearch"
    rb"|elixir|erlang|fedora|flink|gcc|ghost|golang|gradle|groovy|haproxy|haskell|httpd|hello-world|influxdb|jenkins|jetty|joomla"
    rb"|julia|kibana|kong|logstash|mariadb|maven|mediawiki|memcached|mongo|mongo-express|mysql|nats|neo4j|nextcloud|nginx|node"
    rb"|openjdk|openresty|oraclelinux|percona|perl|php|phpmyadmin|postgis|postgres|pypy|python|r-base|rabbitmq|redis|redmine|registry"
    rb"|rethinkdb|rockylinux|ruby|rust|solr|sonarqube|storm|swift|telegraf|tomcat|tomee|traefik|ubuntu|unit|varnish|vault|wordpress"
    rb"|zookeeper)"
)
"""Names on Docker Hub that are an image wherever they are the value of ``image``, a tag or none behind them."""
_OFFICIAL_IMAGE = rb"\b(?:image|img)[\"']?[ \t]*[:=][ \t]*[\"']?" + _OFFICIAL + rb"[\"']?[ \t]*(?:[#,}\r\n]|\Z)"
_TEMPLATE_SUFFIXES = (
    "{j2,jinja,jinja2,tmpl,tpl,gotmpl,template,templ,erb,tt,ejs,hbs,mustache,liquid,njk,twig,tera,in,m4}"
)
_SOURCE_SUFFIXES = "{java,kt,kts,scala,go,py,rb,ts,js,cs,rs}"


_JSON_IMAGE = rb'"' + _KEY + rb'"\s*:\s*"(?:' + _REFERENCE + rb"|" + _OFFICIAL + rb'")'


@frozen
class UnreadKind:
    """Files of some names, if their content has a sign of images."""

    title: str
    files: tuple[str, ...]
    sign: bytes


@frozen
class UnreadPlace:
    """A place in a file of a kind that is read, where an image may be that is not read."""

    position: Position
    text: str
    is_command: bool
    """Whether it is a line of a script; else it is the value of a key."""


_SHELL_SCRIPT = UnreadKind("shell script", ("*.sh", "*.bash", "*.zsh"), rb"|".join((_RUN, _HERE_DOCUMENT, _JSON_IMAGE)))

UNREAD_KINDS = (
    UnreadKind(
        "Jenkinsfile",
        ("Jenkinsfile*", "*.jenkinsfile", "*.groovy"),
        rb"\bdocker\s*\{|\bdocker\.image\(|^[ \t]*image[ \t]+['\"]",
    ),
    UnreadKind("Earthfile", ("Earthfile", "*.earth"), rb"^[ \t]*FROM[ \t]+[^+\s]"),
    UnreadKind(
        "Makefile", ("Makefile", "GNUmakefile", "*.mk"), _RUN + rb"|image\w{0,40}[ \t]{0,40}[:?+]?=[ \t]*" + _REFERENCE
    ),
    _SHELL_SCRIPT,
    UnreadKind("systemd unit", ("*.service",), _RUN),
    UnreadKind("Travis file", (".travis.y{a,}ml",), _RUN),
    UnreadKind(
        "Bazel file", ("MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel", "*.bzl"), rb"\boci[._]pull\b|container_pull"
    ),
    UnreadKind(
        "Tilt, Starlark or Jsonnet file",
        ("Tiltfile", "*.star", "*.{jsonnet,libsonnet}", "*.cue"),
        rb"\bimage\w*['\"]?[ \t]*[:=]",
    ),
    UnreadKind(
        "template",
        (f"*.{_TEMPLATE_SUFFIXES}",),
        rb"^[ \t]*(?:-[ \t]+)?[\"']?" + _KEY + rb"[\"']?[ \t]*[:=]|^[ \t]*FROM[ \t]+\S",
    ),
    UnreadKind(
        "YAML file",
        ("*.y{a,}ml",),
        rb"(?:^[ \t]*(?:-[ \t]+)*|[{,][ \t]*)[\"']?"
        + _KEY
        + rb"[\"']?[ \t]*:[ \t]*(?:[&!]\S+[ \t]+)?[\"']?"
        + _REFERENCE
        + rb"|^[ \t]*repository:"
        + _NAME
        + rb"(?:.*\n){0,3}?[ \t]*(?:tag|digest):[ \t]*\S|^[ \t]*tag:[ \t]*\S.*\n(?:.*\n){0,3}?[ \t]*repository:"
        + _NAME
        + _CONTAINER
        + rb"|(?:^[ \t]*(?:-[ \t]+)*|[{,][ \t]*)[\"']?"
        + _OFFICIAL_IMAGE
        + rb"|[{,][ \t]*repository:[ \t]*[\"']?[\w./-]+[\"']?,[^{}\n]*\b(?:tag|digest):"
        + rb"|\bdocker(?:-image)?://[a-z0-9]"
        + rb"|^[ \t]*(?:-[ \t]+)?path:[ \t]*\S*/image[ \t]*\r?\n[ \t]*value:[ \t]*[\"']?"
        + _REFERENCE,
    ),
    UnreadKind("JSON file", ("*.json", "*.jsonc"), _JSON_IMAGE),
    UnreadKind(
        "TOML or properties file",
        ("*.toml", "*.properties"),
        rb"^[ \t]*" + _KEY + rb"[ \t]*=[ \t]*[\"']?" + _REFERENCE + rb"|^[ \t]*" + _OFFICIAL_IMAGE,
    ),
    UnreadKind(
        "HCL file",
        ("*.hcl", "*.tfvars"),
        rb"^[ \t]*" + _KEY + rb"[ \t]*=[ \t]*\"" + _REFERENCE + rb"|^[ \t]*" + _OFFICIAL_IMAGE,
    ),
    UnreadKind(
        "renamed Dockerfile",
        ("*.docker", "{dockerfile,dockerfiles,containerfile,containerfiles}/*", "*{dockerfile,containerfile}*"),
        rb"\A(?:\s|#.*\n|ARG[ \t].*\n)*FROM[ \t]+[\w.-]\S*[ \t]*(?:AS[ \t]+\S+[ \t]*)?\r?$",
    ),
    UnreadKind(
        "container test",
        (f"{{test,tests,src/test}}/**/*.{_SOURCE_SUFFIXES}", f"*[tT]est*.{_SOURCE_SUFFIXES}"),
        rb"Container(?:<[^>\n]*>)?\(\s*(?:DockerImageName\.parse\(\s*)?[\"'][a-z0-9][\w./-]*:[\w.-]+[\"']",
    ),
)

OUTSIDE_LINK = UnreadKind("outside link", (), b"")
"""A link with the name of a document, to a file that is none of the project's."""
ABSENT = UnreadKind("absent file", (), b"")
"""A tracked file with the name of a document that a sparse checkout leaves out."""
UNREADABLE = UnreadKind("too large or protected file", (), b"")
"""A file that might be a document, and that the system or its size keeps from being read."""


def find_unread_kind(path: str, content: bytes) -> UnreadKind | None:
    """Find the kind of a file that is no document, if it looks as if it held images."""
    for (names, sign), kind in zip(_expressions(), UNREAD_KINDS, strict=True):
        if names.fullmatch(path):
            return kind if sign.search(content) else None
    is_script = "." not in path.rpartition("/")[2] and _SHEBANG.match(content)
    return _SHELL_SCRIPT if is_script and _shell_sign().search(content) else None


def find_unread_places(content: bytes, kind: Format) -> tuple[UnreadPlace, ...]:
    """Find the values and commands in a document that may be images and are not read, in the order of the file."""
    values = (UnreadPlace(each.position, each.shown, is_command=False) for each in find_overlooked(content, kind))
    commands = _find_commands(content) if kind.is_tree and _COMMAND.search(content) else ()
    decided = find_marked_lines(content, kind)
    places = (place for place in (*values, *commands) if place.position.line not in decided)
    return tuple(sorted(places, key=lambda place: (place.position.line, place.position.column)))


def _find_commands(content: bytes) -> Iterator[UnreadPlace]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        command = _COMMAND.search(line)
        if command is not None and not _DECIDED.search(line):
            column = len(line[: command.start()].decode("utf-8", "replace")) + 1
            text = line[command.start() :].decode("utf-8", "replace").strip()
            yield UnreadPlace(Position(number, column), text[:_MAX_SHOWN], is_command=True)


@cache
def _shell_sign() -> re.Pattern[bytes]:
    return re.compile(_SHELL_SCRIPT.sign, re.MULTILINE | re.IGNORECASE)


@cache
def _expressions() -> tuple[tuple[re.Pattern[str], re.Pattern[bytes]], ...]:
    return tuple(
        (re.compile(patterns_expression(kind.files)), re.compile(kind.sign, re.MULTILINE | re.IGNORECASE))
        for kind in UNREAD_KINDS
    )
