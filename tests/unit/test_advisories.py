"""What was found in other clients, by the names under which it was published, and that each has its attack here.

One is missing on purpose: GHSA-jxpm-75mh-9fp7 is about uploads, and nothing is uploaded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_PUBLISHED = {
    "credentials are sent on": (
        "CVE-2020-15157 CVE-2022-23538 GHSA-qvqc-4c52-x6qp GHSA-vh4v-2xq2-g5cg GO-2026-5822 "
        "go-containerregistry#2332 go-containerregistry#2349 go-containerregistry#2360"
    ),
    "credentials go to a host of a similar name": "CVE-2024-35192 CVE-2026-59891 GO-2026-6225",
    "the registry chooses a token server": (
        "CVE-2019-10214 CVE-2026-24845 CVE-2026-33540 CVE-2026-33990 CVE-2026-48978 GHSA-28r5-37g7-p6mp "
        "GHSA-xf85-363p-868w go-containerregistry#2193 go-containerregistry#2243 jib#4523"
    ),
    "secrets leak beside the login": "CVE-2023-26054 GHSA-5jhf-2qmf-m8c5 GHSA-h3wm-jjqf-8jm2 GHSA-whvf-jp7m-59f3",
    "a list goes on elsewhere": "go-containerregistry#2295",
    "content is believed unchecked": "CVE-2024-3727 CVE-2025-24882 GHSA-qv35-3gw6-8q4j",
    "content is read in two ways": "CVE-2021-41190 GHSA-5j5w-g665-5m35 GHSA-mc8v-mgrf-8f4m GHSA-qq97-vm5h-rrhg",
    "content has no end": (
        "CVE-2020-1702 CVE-2024-29902 CVE-2024-29903 GHSA-f36w-mj3v-6jqv GHSA-vfp6-jrw2-99g9 "
        "go-containerregistry#2292 go-containerregistry#2293 go-containerregistry#2294 go-containerregistry#2296"
    ),
    "files outside are read or written": "CVE-2021-21272 CVE-2026-50163",
}


def test_each_published_attack_is_tried() -> None:
    assert set(_advisories_with_tests()) == {name for names in _PUBLISHED.values() for name in names.split()}


def _advisories_with_tests() -> Iterator[str]:
    for path in Path(__file__).parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.advisory":
                yield from (ast.literal_eval(name) for name in node.args)
