"""The schema of images.toml for editors: it admits what the parser reads, and refuses nothing that it takes."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from imagelock.documents.context import NO_KIND
from imagelock.documents.formats.table import BY_NAME
from imagelock.errors import ImagesFileError
from imagelock.images_file.discovery import survey
from imagelock.images_file.exports import ExportFormat
from imagelock.images_file.first_file import FirstFile, dump_first_file
from imagelock.images_file.parser import parse_images_file

_CHECKOUT = Path(__file__).parents[3]
_ROOM = _CHECKOUT / "src/imagelock/images_file"
_SHIPPED = _ROOM / "images.schema.json"
_READS = frozenset({"text", "texts", "integer", "boolean", "date", "table", "has"})

_GOOD = [
    "",
    '[images]\ngo = "golang:1.22"\n',
    'platforms = "all"\nminimum-age = "7 days"\nunknown-age = "accept"\n[images]\nx = "node"\n',
    (
        '[images.node]\nimage = "node"\nversion = ">=20"\nvariant = "slim"\nprecision = 2\nprereleases = true\n'
        'minimum-age = "36 hours"\nunknown-age = "refuse"\nplatforms = ["linux/amd64"]\n'
    ),
    '[images.a]\nimage = "a"\ntag = "1"\nfreeze = "why"\nfreeze-until = 2027-01-31\n',
    '[render]\n"Dockerfile" = "Dockerfile.in"\n[pin]\nfiles = ["a/**/*.yaml"]\ndigest-only = ["b"]\n',
    (
        '[kinds]\n"x/*.yml" = "compose"\n"y" = "none"\n[paths]\n"a.yaml" = ["spec.image", "-legacy.**"]\n'
        '"b.yaml" = [{ repository = "i.repo", tag = "i.tag", digest = "i.digest", registry = "i.host" }]\n'
    ),
    '[external]\nnames = ["acme/*", "${{ matrix.image }}"]\nfiles = ["vendor/**"]\n',
    (
        '[images]\ngo = "golang:1"\n[export]\n"p.json" = "buildkit-policy"\n'
        '"q.json" = { format = "buildkit-policy", names = ["go"], allow = ["git"] }\n'
        '"c.yaml" = { format = "compose", from = ["compose.yaml"] }\n'
        '"a.json" = { format = "buildah-policy", pin-only = true }\n'
        '"m.txt" = { format = "build-contexts", mirror = "vendor" }\n'
    ),
    (
        '[registries."r.example"]\nca-file = "corp.pem"\nmirrors = ["m.example/hub"]\n'
        'mirrors-resolve-tags = true\n[registries."localhost:5000"]\nplain-http = true\n'
    ),
]
_SEEN_BY_BOTH = [
    'platfroms = ["linux/amd64"]\n',
    "platforms = []\n",
    'platforms = "linux/amd64"\n',
    'minimum-age = "a week"\n',
    'unknown-age = "maybe"\n',
    '[images]\n"a.b" = "x"\n',
    "[images]\na = 1\n",
    '[images]\na = ""\n',
    '[images.a]\ntag = "1"\n',
    '[images.a]\nimage = "x"\ntga = "1"\n',
    '[images.a]\nimage = "x"\nprecision = "two"\n',
    '[images.a]\nimage = "x"\nfreeze-until = 2027-01-31\n',
    '[render]\n"a" = ""\n',
    '[pin]\nfiles = "a"\n',
    '[pin]\nfiles = ["/etc/passwd"]\n',
    '[pin]\nfiles = ["a/"]\n',
    '[kinds]\n"a" = "composer"\n',
    '[paths]\n"a" = []\n',
    '[paths]\n"a" = [{ tag = "x" }]\n',
    '[external]\nnames = "a"\n',
    '[export]\n"a" = "policy"\n',
    '[export]\n"a" = { format = "rego", allow = ["ftp"] }\n',
    '[registries."r.example"]\nplain-http = "yes"\n',
    '[registries."r.example"]\nplain_http = true\n',
]
_SEEN_BY_THE_PARSER_ALONE = [
    '[images]\na = "UPPER"\n',
    'platforms = ["linux/x/y/z"]\n',
    '[images]\na = "x"\nb = "x"\n',
    '[images.a]\nimage = "x:1"\nversion = ">=1"\n',
    '[images.a]\nimage = "x"\nversion = "^1"\n',
    '[render]\n"a" = "a"\n',
    '[export]\n"a" = "compose"\n',
    '[registries."r.example"]\nmirrors = ["https://m.example"]\n',
]
"""References, platforms, ranges and what two keys mean together are no matter of a schema."""


@cache
def _validator() -> Draft7Validator:
    schema = json.loads(_SHIPPED.read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def _schema_takes(text: str) -> bool:
    return bool(_validator().is_valid(_as_json(tomllib.loads(text))))


def _as_json(value: Any) -> Any:  # noqa: ANN401  any value of TOML
    """Editors see a date as a string."""
    match value:
        case dict():
            return {key: _as_json(item) for key, item in value.items()}
        case list():
            return [_as_json(item) for item in value]
        case date():
            return value.isoformat()
        case _:
            return value


def _parser_takes(text: str) -> bool:
    return not _problems(text)


def _problems(text: str) -> tuple[str, ...]:
    try:
        parse_images_file(text)
    except ImagesFileError as error:
        return tuple(error.details)
    return ()


@pytest.mark.parametrize("text", _GOOD)
def test_what_is_right_is_right_for_both(text: str) -> None:
    assert (_parser_takes(text), _schema_takes(text)) == (True, True)


@pytest.mark.parametrize("text", _SEEN_BY_BOTH)
def test_what_a_schema_can_see_is_refused_by_both(text: str) -> None:
    assert (_parser_takes(text), _schema_takes(text)) == (False, False)


@pytest.mark.parametrize("text", _SEEN_BY_THE_PARSER_ALONE)
def test_what_only_the_parser_can_see(text: str) -> None:
    assert (_parser_takes(text), _schema_takes(text)) == (False, True)


_VALUES = st.sampled_from(
    [
        '""',
        '"x"',
        '"all"',
        '"7 days"',
        '"accept"',
        "1",
        "0",
        "true",
        "[]",
        '["a"]',
        '["linux/amd64"]',
        "{}",
        "2027-01-31",
    ]
)
_KEYS = st.sampled_from(
    "platforms minimum-age unknown-age image tag version variant precision prereleases freeze freeze-until files "
    "digest-only names from format allow pin-only mirror plain-http ca-file mirrors mirrors-resolve-tags x".split()
)
_HEADERS = st.sampled_from(
    ["", '[export."a"]', '[registries."r.example"]']
    + [f"[{name}]" for name in "images images.a render pin kinds paths external export".split()]
)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(_HEADERS, st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_whatever_the_schema_refuses_the_parser_refuses(header: str, pairs: dict[str, str]) -> None:
    lines = "\n".join(f"{key} = {value}" for key, value in pairs.items())
    rest = '\nimage = "x"' if header == "[images.a]" and "image" not in pairs else ""
    text = f"{header}\n{lines}{rest}\n"
    assume(not _schema_takes(text))
    assert not _parser_takes(text), text


_BEYOND_A_SCHEMA = re.compile(
    r"must be a string|must name a template|must be a reference or a table|must be a day|is not a PEP 440 clause|"
    r"is not a tag|is not a platform|cannot be the end of a tag|is the same image as|goes with a version range|"
    r"is its own template|is short for|can't be of use beside|^  hint: "
)
"""What the parser alone sees: dates, which are strings in JSON; tags, ranges and platforms; and keys together."""


@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
@given(_HEADERS, st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_what_only_the_parser_refuses_is_refused_for_a_known_reason(header: str, pairs: dict[str, str]) -> None:
    lines = "\n".join(f"{key} = {value}" for key, value in pairs.items())
    rest = '\nimage = "x"' if header == "[images.a]" and "image" not in pairs else ""
    text = f"{header}\n{lines}{rest}\n"
    assume(_schema_takes(text))
    assert [detail for detail in _problems(text) if not _BEYOND_A_SCHEMA.search(detail)] == [], text


def test_the_schema_has_the_keys_that_the_parser_reads_and_no_others() -> None:
    read = {key for file in _ROOM.glob("*.py") for key in _keys_read(ast.parse(file.read_text()))}
    parts = {"repository", "digest", "sha", "registry"}  # of [paths], where keys are looked up in a list of names
    assert set(_keys_of(json.loads(_SHIPPED.read_text()))) == read | parts


def _keys_read(module: ast.Module) -> Iterator[str]:
    """The keys that are given to the typed reads of a ``TableReader``, or read by ``read_patterns``."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        method = node.func.attr if isinstance(node.func, ast.Attribute) else None
        is_patterns = isinstance(node.func, ast.Name) and node.func.id == "read_patterns"
        if method in _READS or is_patterns:
            yield from (
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def _keys_of(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, value in schema.items():
        if name == "properties":
            yield from value
        if name == "additionalProperties" and value is not False:
            yield from _keys_of(value)
        elif name in ("properties", "definitions"):
            for each in value.values():
                yield from _keys_of(each)


def test_kinds_and_formats_are_those_of_the_program() -> None:
    schema = json.loads(_SHIPPED.read_text())
    assert schema["properties"]["kinds"]["additionalProperties"]["enum"] == sorted([*BY_NAME, NO_KIND])
    assert schema["definitions"]["export"]["properties"]["format"]["enum"] == sorted(ExportFormat)


def test_every_table_is_closed_and_every_key_described() -> None:
    def check(schema: Mapping[str, Any]) -> None:
        assert schema.get("additionalProperties") is not None or "properties" not in schema
        for key, value in schema.get("properties", {}).items():
            assert "description" in value or "$ref" in value, key
            check(value)

    document = json.loads(_SHIPPED.read_text())
    check(document)
    for definition in document["definitions"].values():
        check(definition)


def test_the_copy_that_is_published_is_the_one_that_is_shipped() -> None:
    assert (_CHECKOUT / "schema/images.schema.json").read_bytes() == _SHIPPED.read_bytes()


def test_our_own_images_file_is_right() -> None:
    assert _schema_takes((_CHECKOUT / "images.toml").read_text())


def test_the_first_file_names_the_schema_that_is_shipped() -> None:
    text = dump_first_file(FirstFile(survey=survey(()), platforms=("linux/amd64",)))
    assert text.splitlines()[0] == f"#:schema {json.loads(_SHIPPED.read_text())['$id']}"
