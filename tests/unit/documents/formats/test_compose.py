from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.kinds import find_references
from imagelock.documents.references import Image, NotEditable
from tests.support.documents import DIGEST, OLD_DIGEST, pin_all, pinned_text, references, refusals

_COMPOSE = table.COMPOSE


def _service(text: str) -> str:
    return f"services:\n  a: {{{text}}}\n  db: {{}}\n  built: {{build: .}}\n  chain: {{extends: built}}\n"


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("image: nginx:1", ["image nginx:1"]),
        ("image: nginx:1, build: .", []),
        ("image: nginx:1, build: ", ["image nginx:1"]),
        ("image: nginx:1, build: null", ["image nginx:1"]),
        ("image: nginx:1, extends: built", []),
        ("image: nginx:1, extends: {service: chain}", []),
        ("image: nginx:1, extends: db", ["image nginx:1"]),
        ("image: nginx:1, extends: a", ["image nginx:1"]),
        ("build: {context: b}", []),
        ("image: ''", []),
        ("provider: {type: x}", []),
        ("volumes: [{type: image, source: 'data:1'}]", ["image-volume data:1"]),
        ("volumes: [{type: image, source: db}, {type: bind, source: x}, 'a:/b']", []),
        ("build: {additional_contexts: {a: 'docker-image://alpine:3', b: ./x}}", ["build-context alpine:3"]),
        ("build: {additional_contexts: ['a=docker-image://alpine:3', 'b=service:db']}", ["build-context alpine:3"]),
        ("build: {cache_from: ['x:1']}", []),
        ("pre_start: [{image: 'init:1'}, x]", ["image init:1"]),
        ("image: '${R:-redis:7}'", ["image ${R:-redis:7} = redis:7"]),
        ("image: '${R-${S:-redis}}:7'", ["image ${R-${S:-redis}}:7 = redis:7"]),
        ("image: 'a${X:+y}'", ["image a${X:+y} = a"]),
        ("image: '${REG}/app:1'", ["image ${REG}/app:1: `REG` has no default"]),
        ("image: '${R:-}'", ["image ${R:-}: an image reference cannot be empty"]),
        ("image: '${R-}'", ["image ${R-}: an image reference cannot be empty"]),
        ("image: $IMAGE", ["image $IMAGE: `IMAGE` has no default"]),
        ("image: '${R:-$S}'", ["image ${R:-$S}: `S` has no default"]),
        ("image: 'redis:${V:-}'", ["image redis:${V:-} = redis:: `V` has no value here"]),
        ("image: '${R:-}/app:1'", ["image ${R:-}/app:1 = /app:1: `R` has no value here"]),
        ("image: '${R:-}redis:'", ["image ${R:-}redis: = redis:: `R` has no value here"]),
        ("image: '${R:?no}'", ["image ${R:?no}: `R` has no default"]),
        ("image: 'a:$$b'", ["image a:$$b = a:$b: `a:$b`: `$b` is not a tag"]),
        ("image: 'a:$-'", ["image a:$-: no name follows the `$`; a `$` alone is written `$$`"]),
        ("image: 'a:${b'", ["image a:${b: a `}` is missing"]),
        ("image: 'a:${b:-c'", ["image a:${b:-c: a `}` is missing"]),
        ("image: 'a:${b^}'", ["image a:${b^}: a `}` is missing"]),
    ],
)
def test_images_of_a_service(service: str, found: list[str]) -> None:
    seen = [each.partition(": up to")[0] for each in references(_service(service), _COMPOSE)]
    assert seen == found


def test_variables_nested_too_deep_are_unresolved() -> None:
    text = "${A:-" * 60 + "a" + "}" * 60
    assert references(_service(f"image: '{text}'"), _COMPOSE) == [
        f"image {text}: variables are nested more than 50 deep"
    ]


@pytest.mark.parametrize("document", ["", "a: 1\n", "- services\n", "services: [a]\n", "services: {a: x}\n", "x"])
def test_what_has_no_services_has_no_images(document: str) -> None:
    assert references(document, _COMPOSE) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: '${R:-redis:7}'", "image: '${R:-redis:7@D}'"),
        (f"image: '${{R:-redis:7@{OLD_DIGEST}}}'", "image: '${R:-redis:7@D}'"),
        ("image: '${REG:-r.io}/app:1'", "image: '${REG:-r.io}/app:1@D'"),
        (
            "build: {additional_contexts: ['a=docker-image://b:1']}",
            "build: {additional_contexts: ['a=docker-image://b:1@D']}",
        ),
    ],
)
def test_digests_go_where_the_text_lives(before: str, after: str) -> None:
    assert pinned_text(_service(before), _COMPOSE) == _service(after)


def test_a_variable_in_the_tag_and_a_block_scalar_are_refused() -> None:
    document = "services:\n  a: {image: 'b:${V:-1}'}\n  b:\n    image: >-\n      c:1\n  c:\n    image: \"d\\x3a1\"\n"
    assert refusals(_service(f"image: 'a@${{D:-{OLD_DIGEST}}}'"), _COMPOSE) == [
        f"a@{OLD_DIGEST}: the environment decides what `D` is"
    ]
    assert refusals(document, _COMPOSE) == [
        "b:1: a variable decides the tag",
        "c:1: the value is a block scalar",
        "d:1: escapes or line breaks stand inside the value",
    ]


def test_an_image_beside_a_service_of_another_file_may_be_an_output() -> None:
    document = _service("image: 'b:1', extends: {service: x, file: y.yaml}")
    assert refusals(document, _COMPOSE) == ["b:1: it may be the name of what the extended service builds"]


_INLINE = """\
services:
  a:
    build:
      dockerfile_inline: |
        # syntax=docker/dockerfile:1
        ARG I=golang:1.22

        FROM $$I AS b
        FROM é
        FROM \\
          "alpine:3"
        COPY --from=b / /
      args: {}
"""


def test_an_inline_dockerfile_is_edited_in_its_compose_file() -> None:
    assert references(_INLINE, _COMPOSE) == [
        "syntax docker/dockerfile:1",
        "from $I = golang:1.22",
        "from é: `é` has characters that are not ASCII",
        'from "alpine:3" = alpine:3',
        "copy-from b (stage)",
    ]
    wanted = _INLINE.replace("file:1", "file:1@D").replace("1.22", "1.22@D").replace("e:3", "e:3@D")
    assert pinned_text(_INLINE, _COMPOSE) == wanted
    assert pinned_text(_INLINE.replace("\n", "\r\n"), _COMPOSE) == wanted.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("|\n    FROM $I\n", "from : compose replaces variables in the inline Dockerfile"),
        (">\n    FROM a\n", "from : the inline Dockerfile is not written after a plain `|`"),
        ('"FROM a"\n', "from : the inline Dockerfile is not written after a plain `|`"),
        ("|1\n    FROM a\n", "from : the inline Dockerfile is not written after a plain `|`"),
        ("|\n    RUN x\n    FROM a\n", "from : RUN before the first FROM"),
        ("|-\n    FROM a", "from a"),
        ("|\n    FROM a\r    FROM b\n", "from : the inline Dockerfile is not written after a plain `|`"),
    ],
)
def test_an_inline_dockerfile_that_can_not_be_mapped_exactly_is_unresolved(value: str, found: str) -> None:
    document = f"services:\n a:\n  build:\n   dockerfile_inline: {value}"
    assert references(document, _COMPOSE) == [found]


def test_a_digest_variable_inside_an_inline_dockerfile_is_edited() -> None:
    document = f"services:\n a:\n  build:\n   dockerfile_inline: |\n    ARG D={OLD_DIGEST}\n    FROM a@$$D\n"
    assert pin_all(document, _COMPOSE).content.decode() == document.replace(OLD_DIGEST, DIGEST)


def test_a_refusal_inside_an_inline_dockerfile_stays_one() -> None:
    document = "services:\n a:\n  build:\n   dockerfile_inline: |\n    ARG V=1\n    FROM a:$$V\n"
    assert refusals(document, _COMPOSE) == ["a:1: a variable decides the tag"]


def test_a_variable_in_a_tag_is_refused_in_the_words_of_compose() -> None:
    (reference,) = find_references(b"services: {r: {image: 'redis:${V:-7}'}}\n", table.COMPOSE).references
    assert isinstance(reference.target, Image)
    assert reference.target.editing == NotEditable(
        "a variable decides the tag",
        "let one variable hold the whole reference, as in `${IMAGE:-redis:7}`, or use a template with {{images.NAME}}",
    )
