"""What is asked again, how long one waits, and what is said in the end."""

from __future__ import annotations

import pytest

from imagelock.errors import ExitCode, ImageNotFoundError, RegistryError, TemporaryError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import RegistryName, parse_reference, parse_repository, split_image
from tests.support.fake_registry.answers import Answer, Fault, in_turn, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64")
REFERENCE = parse_reference("reg.example/team/a:1")
OTHER = parse_reference("reg.example/team/b:1")
QUOTA = "You have reached your unauthenticated pull rate limit."


def registry() -> FakeRegistry:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    registry.push("team/b", IMAGE)
    return registry


def setup_of(*answers: Answer) -> Setup:
    return Setup(internet=FakeInternet({"reg.example": in_turn(*answers, registry())}))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 522])
def test_a_passing_failure_is_asked_away(status: int) -> None:
    setup = setup_of(Answer(status=status), Answer(status=status))
    assert str(setup.client().fetch_manifest(REFERENCE).digest) == IMAGE.digest
    assert len(setup.internet.requests) == 3


@pytest.mark.parametrize("fault", list(Fault))
def test_a_broken_exchange_is_asked_again(fault: Fault) -> None:
    setup = setup_of(Answer(fault=fault), Answer(fault=fault))
    assert str(setup.client().fetch_manifest(REFERENCE).digest) == IMAGE.digest


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 501])
def test_an_answer_that_will_stay_the_same_is_not_asked_again(status: int) -> None:
    setup = setup_of(Answer(status=status))
    with pytest.raises(RegistryError):
        setup.client().fetch_manifest(REFERENCE)
    assert len(setup.internet.requests) == 1


def test_after_four_attempts_the_failure_is_told() -> None:
    setup = Setup(internet=FakeInternet({"reg.example": lambda _: refusal(503, "UNAVAILABLE", "be back soon")}))
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(REFERENCE)
    assert len(setup.internet.requests) == 4
    assert raised.value.message == "reg.example failed to serve reg.example/team/a:1"
    assert raised.value.details == ("reg.example answered 503", "it said: UNAVAILABLE: be back soon")
    assert raised.value.hint == "run the same command again later"


def test_pauses_grow_and_are_never_the_same() -> None:
    setup = Setup(internet=FakeInternet({"reg.example": lambda _: Answer(status=500)}))
    with pytest.raises(TemporaryError):
        setup.client().fetch_manifest(REFERENCE)
    assert all(pause <= most for pause, most in zip(setup.clock.sleeps, (0.5, 1.0, 2.0), strict=True))


@pytest.mark.parametrize("value", ["7", "Thu, 01 Jan 2026 00:00:07 GMT"])
def test_the_server_says_how_long_to_wait(value: str) -> None:
    setup = setup_of(Answer(status=429, headers={"Retry-After": value}))
    setup.client().fetch_manifest(REFERENCE)
    assert setup.clock.sleeps == [7.0]


@pytest.mark.parametrize("value", ["0", "Thu, 01 Jan 2015 00:00:00 GMT"])
def test_a_wish_for_no_pause_does_not_spend_the_attempts_at_once(value: str) -> None:
    busy = Answer(status=503, headers={"Retry-After": value})
    setup = Setup(internet=FakeInternet({"reg.example": lambda _: busy}))
    with pytest.raises(TemporaryError):
        setup.client().fetch_manifest(REFERENCE)
    assert len(setup.clock.sleeps) == 3
    assert all(0 < pause <= most for pause, most in zip(setup.clock.sleeps, (0.5, 1.0, 2.0), strict=True))


@pytest.mark.parametrize(
    ("value", "wish"), [("61", "61 seconds"), ("Fri, 01 Jan 2027 00:00:00 GMT", "2027-01-01 00:00 UTC")]
)
def test_a_server_that_wants_minutes_gets_no_second_question(value: str, wish: str) -> None:
    setup = setup_of(Answer(status=429, headers={"Retry-After": value}))
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(REFERENCE)
    assert setup.clock.sleeps == []
    assert raised.value.details == ("reg.example answered 429", f"retry after {wish}")


@pytest.mark.parametrize(
    "value",
    ["soon", "-1", "99999999999999", "1e9", "٣", "Thu, 99 Jan 2026", "Fri, 31 Dec 9999 23:59:59 -2359", ""],
)
def test_a_wish_that_cannot_be_read_is_no_wish(value: str) -> None:
    setup = setup_of(Answer(status=429, headers={"Retry-After": value}))
    setup.client().fetch_manifest(REFERENCE)
    assert all(pause <= 0.5 for pause in setup.clock.sleeps)


def test_the_wait_holds_for_everybody_who_asks_that_host() -> None:
    setup = setup_of(Answer(status=429, headers={"Retry-After": "20"}))
    client = setup.client()
    client.fetch_manifest(REFERENCE)
    client.fetch_manifest(OTHER)
    assert setup.clock.sleeps == [20.0]


def test_a_spent_quota_is_not_waited_for() -> None:
    spent = refusal(429, "TOOMANYREQUESTS", QUOTA).adding(
        {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"}
    )
    setup = setup_of(spent)
    with pytest.raises(TemporaryError) as raised:
        setup.client().fetch_manifest(REFERENCE)
    assert len(setup.internet.requests) == 1
    assert raised.value.message == "the pull quota of reg.example is used up; reg.example/team/a:1 was not served"
    assert raised.value.details == (
        "asked without a login",
        "0 of 100 pulls are left, counted over 6 hours",
        "reg.example answered 429",
        f"it said: TOOMANYREQUESTS: {QUOTA}",
    )
    assert raised.value.hint == "run `docker login reg.example`: an account has a larger quota"


def test_haste_is_waited_for() -> None:
    haste = Answer(status=429, chunks=[b"Too Many Requests (HAP429)"], headers={"Content-Type": "text/plain"})
    assert setup_of(haste).client().fetch_manifest(REFERENCE).body == IMAGE.body


def test_nobody_asks_a_host_that_is_gone_once_more() -> None:
    setup = Setup(internet=FakeInternet({"reg.example": lambda _: Answer(fault=Fault.RESET)}))
    client = setup.client()
    for reference in (REFERENCE, OTHER):
        with pytest.raises(TemporaryError) as raised:
            client.fetch_manifest(reference)
    assert len(setup.internet.requests) == 4
    assert (raised.value.message, raised.value.details) == ("no answer from reg.example", ("the connection broke",))


def test_a_name_without_address_is_asked_once() -> None:
    setup = Setup(internet=FakeInternet({}))
    with pytest.raises(TemporaryError, match=r"reg\.example cannot be found") as raised:
        setup.client().fetch_manifest(REFERENCE)
    assert len(setup.internet.requests) == 1
    assert raised.value.hint == "check the spelling and the network"


def test_a_name_in_capitals_is_an_address_and_told_to_be() -> None:
    reference = split_image("MyTeam/app:1").meaning
    with pytest.raises(TemporaryError, match="myteam cannot be found") as raised:
        Setup(internet=FakeInternet({})).client().fetch_manifest(reference)
    assert raised.value.hint == (
        "check the spelling: names on Docker Hub are lower-case, and an address has a `.` or a port"
    )


def test_what_is_missing_is_missing() -> None:
    setup = setup_of()
    with pytest.raises(ImageNotFoundError) as raised:
        setup.client().fetch_manifest(parse_reference("reg.example/team/a:2"))
    assert raised.value.message == "reg.example/team/a:2 does not exist"
    assert raised.value.hint == "run `imagelock tags reg.example/team/a` to list its tags"


def test_no_list_of_tags_is_the_cure_for_a_digest_or_a_blob_that_is_gone() -> None:
    client, gone = setup_of().client(), Digest.of(b"gone")
    with pytest.raises(ImageNotFoundError) as raised:
        client.fetch_manifest(parse_reference(f"reg.example/team/a@{gone}"))
    assert raised.value.hint == "check the digest: registries delete content that no tag names"
    blob = Descriptor(media_type="application/octet-stream", digest=gone, size_bytes=4)
    with pytest.raises(ImageNotFoundError) as raised:
        client.fetch_blob(parse_repository("reg.example/team/a"), blob)
    assert raised.value.message == "a blob of reg.example/team/a does not exist"
    assert raised.value.hint == "report it to the operator of this registry: it serves the image without this content"


def test_what_has_no_repository_has_no_tags_to_list() -> None:
    client = client_of(FakeInternet({"reg.example": FakeRegistry()}))
    for ask in (lambda: client.fetch_manifest(REFERENCE), lambda: client.list_tags(REFERENCE.repository)):
        with pytest.raises(ImageNotFoundError) as raised:
            ask()
        assert raised.value.hint == "check the spelling of the repository"


def test_a_failing_server_does_not_know_what_is_missing() -> None:
    """A locked digest must not be called dead because of it."""
    setup = setup_of()
    setup.internet.hosts["reg.example"] = lambda _: refusal(501, "NOT_FOUND", "the storage is away")
    with pytest.raises(TemporaryError, match=r"^reg\.example failed to serve reg\.example/team/a:1$"):
        setup.client().fetch_manifest(REFERENCE)


def test_no_credentials_are_looked_for_to_tell_what_is_missing() -> None:
    """A helper may ask a person to unlock something, and its failure would hide the answer."""
    broken = {"reg.example": {"auth": "no base64"}}
    client = client_of(FakeInternet({"reg.example": FakeRegistry()}), auths=broken)
    with pytest.raises(ImageNotFoundError):
        client.fetch_manifest(REFERENCE)


@pytest.mark.parametrize(("plain_http", "port"), [(None, 443), (True, 80)])
def test_an_image_that_podman_built_is_in_no_registry(plain_http: bool | None, port: int) -> None:  # noqa: FBT001
    """Trying again later would not help: it is no temporary failure."""
    options = (RegistryDeclaration(registry=RegistryName("localhost"), plain_http=plain_http),)
    client = client_of(FakeInternet({}), registries=options)
    for ask in (client.fetch_manifest, client.fetch_digest):
        with pytest.raises(RegistryError) as raised:
            ask(parse_reference("localhost/myapp:1"))
        assert raised.value.exit_code is ExitCode.CANNOT
        assert raised.value.message == f"no registry at localhost:{port}"
        assert "[external] names" in str(raised.value.hint)


def test_a_registry_on_a_port_of_this_machine_may_answer_later() -> None:
    with pytest.raises(TemporaryError):
        client_of(FakeInternet({})).fetch_manifest(parse_reference("localhost:5000/myapp:1"))
