from __future__ import annotations

import pytest
from hypothesis import settings

from tests.support.certificates import CertificateOffice

# No test depends on the speed of the machine.
settings.register_profile("imagelock", deadline=None)
settings.load_profile("imagelock")


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> CertificateOffice:
    return CertificateOffice(tmp_path_factory.mktemp("certificates"))
