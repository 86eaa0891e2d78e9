from __future__ import annotations

import pytest
from hypothesis import settings

from imagelock.model.secrets import forget_secrets
from tests.support.certificates import CertificateOffice

_VARIABLES_OF_CI = (
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_WORKSPACE",
    "TF_BUILD",
    "BUILD_SOURCESDIRECTORY",
    "CI_PROJECT_DIR",
    "WORKSPACE",
)

# No test depends on the speed of the machine.
settings.register_profile("imagelock", deadline=None)
settings.load_profile("imagelock")


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> CertificateOffice:
    return CertificateOffice(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _no_secret_of_other_tests() -> None:
    """Registries that were logged in to before would mask words of this test's output."""
    forget_secrets()


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make CI look like a desk: commands say less, and annotate, where these variables are set."""
    for name in _VARIABLES_OF_CI:
        monkeypatch.delenv(name, raising=False)
