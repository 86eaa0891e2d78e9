from __future__ import annotations

import pytest

from tests.support.certificates import CertificateOffice


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> CertificateOffice:
    return CertificateOffice(tmp_path_factory.mktemp("certificates"))
