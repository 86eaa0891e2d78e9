"""Mirrors: content by digest from wherever it is near, the meaning of a tag from the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.errors import FileError, ImageNotFoundError, RegistryError, TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.registries_conf import (
    MirrorRule,
    MirrorUse,
    RegistryRule,
    find_registries_conf,
    parse_registries_conf,
    read_credential_helpers,
    read_registries_conf,
)
from tests.support.fake_registry.answers import Answer, Fault
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.oci_images import multi_platform_image

IMAGE, STALE = multi_platform_image("linux/amd64"), multi_platform_image("linux/arm64")
TAGGED = parse_reference("reg.example/team/a:1")
PINNED = parse_reference(f"reg.example/team/a@{IMAGE.digest}")


def setup_of(*, resolve: bool = False, mirror_image: object = IMAGE) -> Setup:
    origin, mirror = FakeRegistry(), FakeRegistry()
    origin.push("team/a", IMAGE)
    if mirror_image is not None:
        mirror.push("hub/team/a", mirror_image)  # type: ignore[arg-type]  # an image, if any
    declared = RegistryDeclaration(
        registry=RegistryName("reg.example"), mirrors=("mirror.example/hub",), mirrors_resolve_tags=resolve
    )
    return Setup(
        internet=FakeInternet({"reg.example": origin, "mirror.example": mirror}),
        registries=(declared,),
    )


def hosts(setup: Setup) -> list[str]:
    return [request.origin.host for request in setup.internet.requests]


def test_content_by_digest_comes_from_the_mirror() -> None:
    setup = setup_of()
    assert setup.client().fetch_manifest(PINNED).body == IMAGE.body
    assert setup.internet.log() == [f"GET mirror.example/v2/hub/team/a/manifests/{IMAGE.digest}"]


def test_a_tag_is_asked_of_the_registry() -> None:
    setup = setup_of(mirror_image=STALE)
    assert str(setup.client().fetch_manifest(TAGGED).digest) == IMAGE.digest
    assert hosts(setup) == ["reg.example"]


def test_a_mirror_may_be_trusted_with_tags() -> None:
    setup = setup_of(resolve=True, mirror_image=STALE)
    assert str(setup.client().fetch_manifest(TAGGED).digest) == STALE.digest
    assert hosts(setup) == ["mirror.example"]


def test_a_mirror_that_is_trusted_with_tags_is_asked_where_a_tag_is_now() -> None:
    """`outdated` asks this, and must not call outdated what `update` would leave alone."""
    setup = setup_of(resolve=True, mirror_image=STALE)
    assert str(setup.client().fetch_digest(TAGGED)) == STALE.digest
    assert hosts(setup) == ["mirror.example"]


def test_a_mirror_that_lacks_a_tag_passes_the_question_on() -> None:
    setup = setup_of(resolve=True, mirror_image=None)
    assert str(setup.client().fetch_digest(TAGGED)) == IMAGE.digest
    assert hosts(setup)[-1] == "reg.example"


def test_a_mirror_that_is_trusted_with_tags_does_for_tags_seen_before(tmp_path: Path) -> None:
    """With the registry out of reach, the second run must go as well as the first."""
    setup = setup_of(resolve=True)
    setup.internet.hosts["reg.example"] = lambda _: Answer(fault=Fault.RESET)
    setup.cache_directory = tmp_path
    assert setup.client().fetch_manifest(TAGGED).body == IMAGE.body
    assert setup.client().fetch_manifest(TAGGED).body == IMAGE.body
    assert setup.internet.log() == [
        "GET mirror.example/v2/hub/team/a/manifests/1",
        "HEAD mirror.example/v2/hub/team/a/manifests/1",
    ]


def test_whether_the_registry_still_serves_something_no_mirror_knows() -> None:
    setup = setup_of()
    setup.client().fetch_digest(PINNED)
    assert hosts(setup) == ["reg.example"]


@pytest.mark.parametrize(
    "answer", [Answer(status=404), Answer(status=401), Answer(status=502), Answer(fault=Fault.RESET)]
)
def test_a_mirror_that_fails_is_passed_over(answer: Answer) -> None:
    setup = setup_of()
    setup.internet.hosts["mirror.example"] = lambda _: answer
    assert setup.client().fetch_manifest(PINNED).body == IMAGE.body
    assert hosts(setup)[-1] == "reg.example"


def test_a_mirror_with_other_content_is_passed_over() -> None:
    setup = setup_of()
    setup.internet.hosts["mirror.example"] = lambda _: Answer(chunks=[STALE.body])
    assert setup.client().fetch_manifest(PINNED).body == IMAGE.body


def test_what_is_nowhere_is_missing_in_the_registry() -> None:
    setup = setup_of()
    reference = parse_reference(f"reg.example/team/a@{STALE.digest}")
    with pytest.raises(ImageNotFoundError, match=f"^{reference} does not exist"):
        setup.client().fetch_manifest(reference)


def test_a_mirror_gets_its_own_login_and_never_the_registrys() -> None:
    setup = setup_of()
    setup.logins = {"reg.example": "me:secret"}
    setup.internet.hosts["mirror.example"] = FakeRegistry(login="me:secret")
    setup.client().fetch_manifest(PINNED)
    assert not [request for request in setup.internet.asked("mirror.example") if request.authorization]


CONF = """
unqualified-search-registries = ["docker.io"]

[[registry]]
prefix = "reg.example"
mirror-by-digest-only = false

[[registry.mirror]]
location = "mirror.example/hub"
pull-from-mirror = "digest-only"

[[registry]]
prefix = "*.corp.example"
location = "all.example/corp"

[[registry]]
location = "evil.example"
blocked = true

[aliases]
alpine = "docker.io/library/alpine"
"""


def test_the_file_is_read() -> None:
    assert parse_registries_conf(CONF, source="c") == (
        RegistryRule(
            source="c", prefix="reg.example", mirrors=(MirrorRule("mirror.example/hub", use=MirrorUse.DIGESTS),)
        ),
        RegistryRule(source="c", prefix="*.corp.example", location="all.example/corp"),
        RegistryRule(source="c", prefix="evil.example", is_blocked=True),
    )


def configured(tmp_path: Path, reference: str) -> list[str]:
    conf = tmp_path / "registries.conf"
    conf.write_text(CONF)
    setup = Setup(internet=FakeInternet({}), registries_conf=conf)
    client = setup.client()
    client.prepare([parse_reference(reference).repository])
    with pytest.raises(RegistryError):
        client.fetch_manifest(parse_reference(reference))
    return [
        f"{request.origin.host}{request.url.path.partition('/manifests')[0]}" for request in setup.internet.requests
    ]


def test_the_file_sends_us_where_podman_would_go(tmp_path: Path) -> None:
    digest = IMAGE.digest
    assert configured(tmp_path, f"reg.example/a/b@{digest}") == ["mirror.example/v2/hub/a/b", "reg.example/v2/a/b"]
    assert configured(tmp_path, "reg.example/a/b:1") == ["reg.example/v2/a/b"]
    assert configured(tmp_path, f"reg.example.com/a/b@{digest}") == ["reg.example.com/v2/a/b"]
    assert configured(tmp_path, "x.corp.example/a/b:1") == ["all.example/v2/corp/a/b"]
    assert configured(tmp_path, "evil.example/a/b:1") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "c is not TOML"),
        ("registry = 7", r"c: registry must be written as \[\[registry\]\]"),
        ("[[registry]]", r"c: a \[\[registry\]\] has neither prefix nor location"),
        ('[[registry]]\nlocation = "https://x"', "c: 'https://x' is not a location"),
        ('[[registry]]\nlocation = "x.example:0"', "c: 'x.example:0' is not a location"),
        ('[[registry]]\nlocation = "x.example:99999/a"', "c: 'x.example:99999/a' is not a location"),
        ('[[registry]]\nlocation = "-x-"', "c: '-x-' is not a location"),
        ('[[registry]]\nlocation = "x.example/a/../b"', "c: 'x.example/a/../b' is not a location"),
        ("[[registry]]\nprefix = 7", "c: prefix must be a string"),
        ('[[registry]]\nprefix = "a"\nblocked = "true"', "c: blocked must be true or false"),
        ("registries = 7", "c: registries must be a table"),
        ("[registries.block]\nregistries = 7", "c: registries must be a list of names"),
        ('[[registry]]\nprefix = "a"\n[[registry.mirror]]\ninsecure = true', "has no location"),
        (
            '[[registry]]\nprefix = "a"\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "x"',
            "c: `x` is not a value",
        ),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        parse_registries_conf(text, source="c")


def test_a_file_that_cannot_be_read_has_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "registries.conf").write_text("[")
    for read in (read_registries_conf, read_credential_helpers):
        with pytest.raises(FileError) as raised:
            read([tmp_path / "registries.conf"])
        assert raised.value.hint == "correct it, or name another file in CONTAINERS_REGISTRIES_CONF"


def test_the_users_file_replaces_the_systems_and_later_parts_replace_earlier_ones(tmp_path: Path) -> None:
    folder = tmp_path / ".config/containers"
    (folder / "registries.conf.d").mkdir(parents=True)
    for name, location in (("registries.conf", "one"), ("registries.conf.d/a.conf", "two")):
        (folder / name).write_text(f'[[registry]]\nprefix = "p.example"\nlocation = "{location}.example"\n')
    paths = find_registries_conf({}, home=tmp_path)
    assert (paths[0], paths[-1]) == (folder / "registries.conf", folder / "registries.conf.d" / "a.conf")
    rules = [rule.location for rule in read_registries_conf(paths) if rule.prefix == "p.example"]
    assert rules == ["two.example"]


def test_what_was_blocked_in_the_first_version_of_the_file_is_blocked() -> None:
    text = """
    [registries.search]
    registries = ["docker.io"]
    [registries.insecure]
    registries = ["old.example:5000"]
    [registries.block]
    registries = ["evil.example"]
    """
    assert parse_registries_conf(text, source="c") == (
        RegistryRule(source="c", prefix="evil.example", is_blocked=True),
        RegistryRule(source="c", prefix="old.example:5000", is_insecure=True),
    )


def test_the_longest_prefix_counts() -> None:
    text = """
    [[registry]]
    prefix = "reg.example"
    blocked = true
    [[registry]]
    prefix = "reg.example/team"
    location = "other.example/x"
    """
    rules = parse_registries_conf(text, source="c")
    assert rules[1].matches("reg.example/team/a")
    assert not rules[1].matches("reg.example/teamwork/a")
    assert rules[1].relocate("reg.example/team/a", "other.example/x") == "other.example/x/a"


def test_a_slash_at_the_end_changes_nothing() -> None:
    """Podman drops it; a rule that blocks would block nothing."""
    [rule] = parse_registries_conf('[[registry]]\nprefix = "reg.example/"\nlocation = "m.example/hub/"', source="c")
    assert rule == RegistryRule(source="c", prefix="reg.example", location="m.example/hub")


@pytest.mark.parametrize("resolve", [True, False])
def test_where_lists_of_tags_come_from_is_said_when_one_is_missing(*, resolve: bool) -> None:
    setup = setup_of(resolve=resolve)
    setup.internet.hosts.pop("reg.example")
    with pytest.raises(TemporaryError) as raised:
        setup.client().list_tags(TAGGED.repository)
    assert "the list of tags comes from reg.example alone: a mirror may have only some of them" in raised.value.details
    assert "mirror.example" not in hosts(setup)


def test_without_mirrors_nothing_is_said_of_them() -> None:
    with pytest.raises(TemporaryError) as raised:
        Setup(internet=FakeInternet({})).client().list_tags(TAGGED.repository)
    assert "mirror" not in str(raised.value.details)


def test_a_relocation_answers_lists_of_tags(tmp_path: Path) -> None:
    mirror = FakeRegistry(tags={"hub/team/a": ["1", "2"]})
    conf = tmp_path / "registries.conf"
    conf.write_text('[[registry]]\nprefix = "reg.example"\nlocation = "mirror.example/hub"\n')
    setup = Setup(internet=FakeInternet({"mirror.example": mirror}), registries_conf=conf)
    assert setup.client().list_tags(TAGGED.repository) == ("1", "2")
