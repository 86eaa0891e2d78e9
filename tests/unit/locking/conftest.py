from __future__ import annotations

import pytest

from tests.support.lock_runs import BOTH, GO
from tests.support.memory_source import MemorySource
from tests.support.oci_images import multi_platform_image


@pytest.fixture
def source() -> MemorySource:
    source = MemorySource()
    source.push(f"{GO}:1", multi_platform_image(*BOTH, "linux/s390x"))
    return source
