from __future__ import annotations

import pytest

from imagelock.images_file.foreign_folders import find_foreign_folders, is_in_folders


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("vendor/x/Dockerfile", "vendor"),
        ("a/third_party/b/Dockerfile", "a/third_party"),
        ("third-party/Dockerfile", "third-party"),
        ("pkg/testdata/Dockerfile", "pkg/testdata"),
        ("test-data/Dockerfile", "test-data"),
        ("spec/fixtures/Dockerfile", "spec/fixtures"),
        ("__fixtures__/Dockerfile", "__fixtures__"),
        ("tests/unit/data/Dockerfile", "tests/unit/data"),
        ("Tests/Examples/Dockerfile", "Tests/Examples"),
        ("frontend/parser/testfile-line/Dockerfile", "frontend/parser/testfile-line"),
        ("parser/testfiles-negative/a/Dockerfile", "parser/testfiles-negative"),
        ("test_cases/a.Dockerfile", "test_cases"),
        ("lib/dockerfile_parser/examples/Dockerfile", "lib/dockerfile_parser/examples"),
        ("tree-sitter-dockerfile/corpus/Dockerfile", "tree-sitter-dockerfile/corpus"),
        ("hadolint/linter/samples/Dockerfile", "hadolint/linter/samples"),
        ("integration-tests/data/Dockerfile", "integration-tests/data"),
        ("test/checks/hostIPC/failure.yaml", "test/checks"),
        ("test/webhook_cases/a.yaml", "test/webhook_cases"),
        ("assets/queries/apt/test/positive1.dockerfile", "assets/queries/apt/test"),
        ("rules/apt/tests/negative.dockerfile", "rules/apt/tests"),
        ("tests/golden-files/compose.yaml", "tests/golden-files"),
        ("_vendor/x/Dockerfile", "_vendor"),
        ("examples/bad/Dockerfile", "examples/bad"),
        ("docs/samples/invalid/a/compose.yaml", "docs/samples/invalid"),
        ("examples/broken.Dockerfile", "examples"),
        ("parser/examples/nginx/compose.yaml", "parser/examples"),
        ("examples/nginx/compose.yaml", None),
        ("examples/good-morning/compose.yaml", None),
        ("examples/failover/compose.yaml", None),
        ("bad/Dockerfile", None),
        ("tests/goodbye.Dockerfile", None),
        ("positive.dockerfile", None),
        ("tests/e2e/compose.yaml", None),
        ("parser/Dockerfile", None),
        ("test-environment/Dockerfile", None),
        ("data/Dockerfile", None),
        ("examples/Dockerfile", None),
        ("tests/Dockerfile", None),
        ("vendor", None),
        ("vendors/Dockerfile", None),
        ("src/fixturesque/Dockerfile", None),
    ],
)
def test_the_topmost_folder_that_is_not_ours(path: str, folder: str | None) -> None:
    assert find_foreign_folders([path]) == (() if folder is None else (folder,))


def test_folders_are_named_once_and_only_hold_what_is_below_them() -> None:
    folders = find_foreign_folders(["vendor/a", "vendor/b/c", "x/vendor/a"])
    assert folders == ("vendor", "x/vendor")
    assert is_in_folders("vendor/a", folders)
    assert not is_in_folders("vendored/a", folders)
