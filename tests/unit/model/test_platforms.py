from __future__ import annotations

import pytest

from imagelock.errors import InvalidPlatformError
from imagelock.model.platforms import Platform


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v8.0", "linux/arm64"),
        ("linux/arm64/v8.1", "linux/arm64/v8.1"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm64/9", "linux/arm64/v9"),
        ("linux/arm64/v9.0", "linux/arm64/v9"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/aarch64/v8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/arm/v8", "linux/arm/v8"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v2", "linux/amd64/v2"),
        ("linux/amd64/V2", "linux/amd64/v2"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/386/v1", "linux/386/v1"),
        ("linux/i386/v1", "linux/386"),
        ("linux/ppc64le", "linux/ppc64le"),
        ("linux/s390x", "linux/s390x"),
        ("linux/riscv64", "linux/riscv64"),
        ("linux/mips64le", "linux/mips64le"),
        ("linux/loong64", "linux/loong64"),
        ("linux/loongarch64", "linux/loongarch64"),
        ("macos/arm64", "darwin/arm64"),
        ("darwin/arm64", "darwin/arm64"),
        ("LINUX/AMD64", "linux/amd64"),
        ("Linux/Arm64", "linux/arm64"),
        ("windows/amd64", "windows/amd64"),
        ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
        ("windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"),
        ("windows(10.0.17763+win32k)/amd64", "windows(10.0.17763+win32k)/amd64"),
        ("linux(+erofs)/amd64", "linux(+erofs)/amd64"),
        ("linux(+b+a)/amd64", "linux(+a+b)/amd64"),
        ("amd64", "linux/amd64"),
        ("x86_64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("aarch64", "linux/arm64"),
        ("arm", "linux/arm/v7"),
        ("armhf", "linux/arm/v7"),
        ("i386", "linux/386"),
        ("unknown/unknown", "unknown/unknown"),
        ("wasi/wasm", "wasi/wasm"),
        ("wasip1/wasm", "wasip1/wasm"),
        ("freebsd/amd64", "freebsd/amd64"),
        ("android/arm64", "android/arm64"),
        ("foo/bar", "foo/bar"),
    ],
)
def test_a_platform_is_normalised_as_containerd_does(text: str, normalised: str) -> None:
    assert str(Platform.parse(text)) == normalised


def test_a_windows_platform_keeps_its_build_and_features() -> None:
    assert Platform.parse("windows(10.0.17763+win32k)/amd64") == Platform(
        os="windows", architecture="amd64", os_version="10.0.17763", os_features=("win32k",)
    )


@pytest.mark.parametrize("word", ["linux", "windows", "macos", "Linux"])
def test_a_lone_operating_system_would_depend_on_this_machine(word: str) -> None:
    with pytest.raises(InvalidPlatformError) as caught:
        Platform.parse(word)
    assert caught.value.message == f"`{word}` has no architecture"
    assert caught.value.hint == f"write `{word}/amd64` or `{word}/arm64`"


@pytest.mark.parametrize("text", ["unknown", "foo", "*", "", "ünix"])
def test_an_unknown_word_is_no_platform(text: str) -> None:
    with pytest.raises(InvalidPlatformError) as caught:
        Platform.parse(text)
    assert caught.value.message == f"`{text}` is not a platform: it must look like `linux/amd64`"


@pytest.mark.parametrize(
    "text",
    [
        "linux/arm/",
        "/",
        "linux/",
        "linux//v7",
        "linux/arm64/v8/x",
        "linux/*",
        "linux amd64/x",
        "linux/amd64,osver=10",
        "windows/amd64:10.0.17763",
        "windows(10.0/amd64",
        "linux/amd64\n",
        "linux/amdé",
    ],
)
def test_what_does_not_look_like_a_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlatformError) as caught:
        Platform.parse(text)
    assert caught.value.message == f"`{text}` is not a platform: it must look like `linux/amd64` or `linux/arm/v7`"


def test_a_platform_is_short() -> None:
    with pytest.raises(InvalidPlatformError, match=r"^a platform has no more than 256 characters$"):
        Platform.parse("linux/" + "a" * 251)


@pytest.mark.parametrize(
    ("wanted", "offered", "matching"),
    [
        (
            "linux/amd64",
            "linux/amd64 linux/amd64/v1 linux/amd64/v2 linux/386 linux/arm64 unknown/unknown windows/amd64",
            "linux/amd64 linux/amd64/v1",
        ),
        ("linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4 linux/386", "linux/amd64/v3"),
        (
            "linux/arm64",
            "linux/arm64 linux/arm64/v8 linux/arm64/v9 linux/arm/v8 linux/arm/v7 linux/arm linux/arm/v6 linux/arm/v5",
            "linux/arm64 linux/arm64/v8",
        ),
        ("linux/arm64/v8", "linux/arm64 linux/arm64/v8 linux/arm64/v8.1", "linux/arm64 linux/arm64/v8"),
        (
            "linux/arm64/v9",
            "linux/arm64 linux/arm64/v8 linux/arm64/v9 linux/arm64/v9.1 linux/arm/v7",
            "linux/arm64/v9",
        ),
        (
            "linux/arm/v7",
            "linux/arm/v7 linux/arm linux/arm/v6 linux/arm/v5 linux/arm/v8 linux/arm64",
            "linux/arm/v7 linux/arm",
        ),
        ("linux/arm", "linux/arm/v7 linux/arm linux/arm/v6 linux/arm/v5 linux/arm/v8", "linux/arm/v7 linux/arm"),
        ("linux/arm/v6", "linux/arm/v7 linux/arm linux/arm/v6 linux/arm/v5", "linux/arm/v6"),
        ("linux/386", "linux/386 linux/amd64", "linux/386"),
        ("linux/ppc64le", "linux/ppc64le linux/ppc64le/power9", "linux/ppc64le"),
        ("linux/riscv64", "linux/riscv64 linux/riscv64/rva20u64", "linux/riscv64"),
        ("darwin/arm64", "darwin/arm64 linux/arm64 macos/arm64", "darwin/arm64 macos/arm64"),
        # On Windows ours is the rule: no build is taken for another, and a declared one may leave out its last parts.
        (
            "windows/amd64",
            "windows(10.0.17763.1)/amd64 windows(10.0.20348.1)/amd64 windows/amd64",
            "windows(10.0.17763.1)/amd64 windows(10.0.20348.1)/amd64 windows/amd64",
        ),
        (
            "windows(10.0.17763)/amd64",
            "windows(10.0.17763.6054)/amd64 windows(10.0.177631)/amd64 windows(10.0.20348.1)/amd64 windows/amd64",
            "windows(10.0.17763.6054)/amd64",
        ),
        (
            "windows(10.0.20348.1)/amd64",
            "windows(10.0.20348)/amd64 windows(10.0.20348.1)/amd64",
            "windows(10.0.20348.1)/amd64",
        ),
        ("windows(10+win32k)/amd64", "windows(10+win32k)/amd64 windows(10)/amd64", "windows(10+win32k)/amd64"),
        (
            "windows(10)/amd64",
            "windows(10+win32k)/amd64 windows(10)/amd64",
            "windows(10+win32k)/amd64 windows(10)/amd64",
        ),
    ],
)
def test_a_declared_platform_matches_itself_and_never_falls_back(wanted: str, offered: str, matching: str) -> None:
    platform = Platform.parse(wanted)
    assert [text for text in offered.split() if platform.matches(Platform.parse(text))] == matching.split()


@pytest.mark.parametrize(
    ("text", "is_unknown"), [("unknown/unknown", True), ("linux/unknown", True), ("linux/386", False)]
)
def test_builders_mark_entries_that_are_no_images_as_unknown(text: str, is_unknown: bool) -> None:  # noqa: FBT001  the expected value
    assert Platform.parse(text).is_unknown is is_unknown
