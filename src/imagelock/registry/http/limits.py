"""How much of anything a server may make us read; every number is what working registries stay far below."""

from __future__ import annotations

MANIFEST_BYTES = 4 * 1024 * 1024
"""What registries must accept at least, and what containers/image and oras read at most."""
CONFIG_BYTES = 8 * 1024 * 1024
TAGS_PAGE_BYTES = 8 * 1024 * 1024
TAG_LIST_BYTES = 256 * 1024 * 1024
"""All pages together: ten thousand of them could still be more than any memory holds."""
TOKEN_BYTES = 128 * 1024
ERROR_BYTES = 64 * 1024
TAGS_PAGES = 10_000
TAGS_PER_PAGE = 1000
"""ECR and distribution answer an error to more."""
REDIRECTS = 5
SILENCE_SECONDS = 30.0
"""Until the next byte."""
SLOW_SILENCE_SECONDS = 60.0
"""The same for what some registries compute anew for each question: Artifactory's lists of tags."""
