"""The vectors of distribution/reference; where a comment says "ours", imagelock is stricter on purpose."""

from __future__ import annotations

import pytest

from imagelock.errors import InvalidReferenceError
from imagelock.model.digest import Digest
from imagelock.model.reference import (
    PinnedReference,
    RegistryName,
    Repository,
    TagReference,
    parse_reference,
    parse_repository,
    registry_as_written,
    split_reference,
)

_F64 = "f" * 64
_DIGEST = f"sha256:{_F64}"
_DIGEST_512 = f"sha512:{'f' * 128}"
_UPPER = f"sha256:{'F' * 64}"
_BARE = "a1" * 32
_A255 = "a" * 255
_T128 = "t" * 128


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("alpine", "docker.io library/alpine", None, None),
        ("alpine:3.20", "docker.io library/alpine", "3.20", None),
        (f"alpine@{_DIGEST}", "docker.io library/alpine", None, _DIGEST),
        (f"alpine:3.20@{_DIGEST}", "docker.io library/alpine", "3.20", _DIGEST),
        ("library/alpine", "docker.io library/alpine", None, None),
        ("docker.io/alpine", "docker.io library/alpine", None, None),
        ("docker.io/library/alpine", "docker.io library/alpine", None, None),
        ("index.docker.io/alpine", "docker.io library/alpine", None, None),
        ("index.docker.io/library/alpine:3", "docker.io library/alpine", "3", None),
        ("registry-1.docker.io/library/alpine", "docker.io library/alpine", None, None),  # ours
        ("registry-1.docker.io/alpine", "docker.io library/alpine", None, None),  # ours
        ("registry.hub.docker.com/library/alpine", "registry.hub.docker.com library/alpine", None, None),
        ("docker.io:443/library/alpine", "docker.io:443 library/alpine", None, None),
        ("DOCKER.IO/alpine", "docker.io library/alpine", None, None),  # ours
        ("bitnami/redis", "docker.io bitnami/redis", None, None),
        ("library/foo/bar", "docker.io library/foo/bar", None, None),
        ("docker.io/library/foo/bar", "docker.io library/foo/bar", None, None),
        ("localhost/foo", "localhost foo", None, None),
        ("localhost", "docker.io library/localhost", None, None),
        ("localhost:5000", "docker.io library/localhost", "5000", None),
        ("localhost:5000/foo", "localhost:5000 foo", None, None),
        ("localhost:5000/foo:1", "localhost:5000 foo", "1", None),
        ("foo.localhost/bar", "foo.localhost bar", None, None),
        ("myhost/foo", "docker.io myhost/foo", None, None),
        ("myhost:5000/foo", "myhost:5000 foo", None, None),
        (f"myhost:5000/foo:bar@{_DIGEST}", "myhost:5000 foo", "bar", _DIGEST),
        ("Myhost/foo", "myhost foo", None, None),  # ours: host names have no case
        ("ghcr.io/owner/img:V1", "ghcr.io owner/img", "V1", None),
        ("GHCR.io/owner/img", "ghcr.io owner/img", None, None),  # ours
        ("gcr.io/p/a/b/c/d:tag", "gcr.io p/a/b/c/d", "tag", None),
        ("example.com", "docker.io library/example.com", None, None),
        ("example.com:5000", "docker.io library/example.com", "5000", None),
        ("example.com:tag", "docker.io library/example.com", "tag", None),
        ("example.com/foo", "example.com foo", None, None),
        ("127.0.0.1/foo", "127.0.0.1 foo", None, None),
        ("127.0.0.1:5000/foo", "127.0.0.1:5000 foo", None, None),
        ("10.0.0.5:5000/foo", "10.0.0.5:5000 foo", None, None),
        ("[::1]/foo", "[::1] foo", None, None),
        ("[::1]:5000/foo:tag", "[::1]:5000 foo", "tag", None),
        (f"[2001:db8::1]:5000/foo@{_DIGEST}", "[2001:db8::1]:5000 foo", None, _DIGEST),
        (f"docker.io/{_BARE}", f"docker.io library/{_BARE}", None, None),
        (f"foo:{_T128}", "docker.io library/foo", _T128, None),
        ("foo:_under", "docker.io library/foo", "_under", None),
        (f"example.com/{_A255}", f"example.com {_A255}", None, None),
        (f"foo@{_DIGEST_512}", "docker.io library/foo", None, _DIGEST_512),
        ("a_b/c__d", "docker.io a_b/c__d", None, None),
        ("a--b/c---d", "docker.io a--b/c---d", None, None),
        ("oci-archive:foo", "docker.io library/oci-archive", "foo", None),
        ("exa_mple/foo", "docker.io exa_mple/foo", None, None),
        ("xn--n3h.com/img", "xn--n3h.com img", None, None),
        ("scratch", "docker.io library/scratch", None, None),
        ("0/0", "docker.io 0/0", None, None),
        ("a", "docker.io library/a", None, None),
        ("1.2.3.4", "docker.io library/1.2.3.4", None, None),
    ],
)
def test_a_reference_means_what_docker_takes_it_for(
    text: str, repository: str, tag: str | None, digest: str | None
) -> None:
    registry, path = repository.split()
    written = split_reference(text)
    assert (written.repository, written.tag, written.digest) == (
        Repository(RegistryName(registry), path),
        tag,
        None if digest is None else Digest.parse(digest),
    )
    assert written.name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "") == text


def _not_a_tag(text: str, tag: str) -> str:
    rule = "up to 128 letters, digits, `_`, `.` and `-`, beginning with a letter, a digit or `_`"
    return f"`{text}`: `{tag}` is not a tag: {rule}"


_NOT_A_DIGEST = "is not a digest: it must be `sha256:` and 64 hexadecimal digits"


@pytest.mark.advisory("CVE-2023-26054")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Foo", "`Foo`: the repository must be lower-case"),
        ("foo/Bar", "`foo/Bar`: the repository must be lower-case"),
        ("ghcr.io/Owner/img", "`ghcr.io/Owner/img`: the repository must be lower-case"),
        ("[::1]", _not_a_tag("[::1]", ":1]")),
        ("[fe80::1%eth0]:5000/foo", "`[fe80::1%eth0]:5000/foo`: `[fe80::1%eth0]` is not a host name"),
        ("[::ffff:1.2.3.4]/foo", "`[::ffff:1.2.3.4]/foo`: `[::ffff:1.2.3.4]` is not a host name"),
        ("::1/foo", "`::1/foo`: `:` is not a host name"),
        ("host:/foo", "`host:/foo`: the port after the `:` is missing"),
        ("host:99999/foo", "`host:99999/foo`: `99999` is not a port"),  # ours
        ("host:0/foo", "`host:0/foo`: `0` is not a port"),  # ours
        ("host:http/foo", "`host:http/foo`: `http` is not a port"),
        ("foo:", "`foo:`: the tag after the `:` is missing"),
        ("foo@", f"`foo@`: `` {_NOT_A_DIGEST}"),
        (":tag", "`:tag` has no repository"),
        (f"@{_DIGEST}", f"`@{_DIGEST}` has no repository"),
        (_DIGEST, f"`{_DIGEST}` is a digest without a repository"),  # ours
        (_BARE, f"`{_BARE}` is a digest without a repository"),
        (f"foo:{_T128}t", _not_a_tag(f"foo:{_T128}t", f"{_T128}t")),
        ("foo:.dot", _not_a_tag("foo:.dot", ".dot")),
        ("foo:-dash", _not_a_tag("foo:-dash", "-dash")),
        ("foo:a+b", _not_a_tag("foo:a+b", "a+b")),
        ("foo:a/b", "`foo:a/b`: `a` is not a port"),
        (_A255, f"`{_A255}`: a repository path has no more than 255 characters"),
        (f"example.com/{_A255}a", f"`example.com/{_A255}a`: a repository path has no more than 255 characters"),
        (
            f"foo@{_UPPER}",
            f"`foo@{_UPPER}`: the digits of a digest are 0-9 and lower-case a-f, not as in `{_UPPER}`",
        ),
        ("foo@sha256:ffff", "`foo@sha256:ffff`: a sha256 digest has 64 hexadecimal digits, `sha256:ffff` has 4"),
        (
            f"foo@sha384:{'f' * 96}",
            f"`foo@sha384:{'f' * 96}`: unsupported digest algorithm `sha384`: it must be sha256 or sha512",
        ),
        (
            f"foo@blake3:{_F64}",
            f"`foo@blake3:{_F64}`: unsupported digest algorithm `blake3`: it must be sha256 or sha512",
        ),
        (
            f"foo@md5:{'f' * 32}",
            f"`foo@md5:{'f' * 32}`: unsupported digest algorithm `md5`: it must be sha256 or sha512",
        ),
        (f"foo@{_DIGEST}@{_DIGEST}", f"`foo@{_DIGEST}@{_DIGEST}`: `{_DIGEST}@{_DIGEST}` {_NOT_A_DIGEST}"),
        ("foo:tag:tag", _not_a_tag("foo:tag:tag", "tag:tag")),
        (f"foo:tag@{_DIGEST}:x", f"`foo:tag@{_DIGEST}:x`: `{_DIGEST}:x` {_NOT_A_DIGEST}"),
        (f"foo@{_DIGEST}:tag", f"`foo@{_DIGEST}:tag`: `{_DIGEST}:tag` {_NOT_A_DIGEST}"),
        ("a___b/c", "`a___b/c`: `a___b/c` is not a repository path"),
        ("a..b/c", "`a..b/c`: `a..b` is not a host name"),
        ("a._b/c", "`a._b/c`: `a._b` is not a host name"),
        ("a-/b", "`a-/b`: `a-/b` is not a repository path"),
        ("-a/b", "`-a/b`: `-a/b` is not a repository path"),
        ("a/-b", "`a/-b`: `a/-b` is not a repository path"),
        ("_a/b", "`_a/b`: `_a/b` is not a repository path"),
        ("a/_b", "`a/_b`: `a/_b` is not a repository path"),
        ("a/b_", "`a/b_`: `a/b_` is not a repository path"),
        ("a//b", "`a//b`: `a//b` is not a repository path"),
        ("/a/b", "`/a/b`: `/a/b` is not a repository path"),
        ("a/b/", "`a/b/`: `a/b/` is not a repository path"),
        ("a/./b", "`a/./b`: `a/./b` is not a repository path"),
        ("a/../b", "`a/../b`: `a/../b` is not a repository path"),
        ("../a", "`../a`: `..` is not a host name"),
        ("example.com/../a", "`example.com/../a`: `../a` is not a repository path"),
        ("example.com/%2e%2e/a", "`example.com/%2e%2e/a`: `%2e%2e/a` is not a repository path"),
        (
            "https://docker.io/library/alpine",
            "`https://docker.io/library/alpine` is a URL; an image reference has no `https://`",
        ),
        ("docker://alpine", "`docker://alpine` is a URL; an image reference has no `docker://`"),
        (" alpine", "` alpine` has blanks or control characters"),
        ("alpine ", "`alpine ` has blanks or control characters"),
        ("al pine", "`al pine` has blanks or control characters"),
        ("alpine\n", "`alpine\n` has blanks or control characters"),
        ("alpine\t", "`alpine\t` has blanks or control characters"),
        ("ünï/code", "`ünï/code` has characters that are not ASCII"),
        ("example.com./foo", "`example.com./foo`: `example.com.` is not a host name"),
        (".example.com/foo", "`.example.com/foo`: `.example.com` is not a host name"),
        ("-example.com/foo", "`-example.com/foo`: `-example.com` is not a host name"),
        ("exa_mple.com/foo", "`exa_mple.com/foo`: `exa_mple.com` is not a host name"),  # ours
        ("exa_mple:5000/foo", "`exa_mple:5000/foo`: `exa_mple` is not a host name"),
        ("user:pass@host/foo", "`…@host/foo` has a user name in it"),
        ("https://user:pass@host/foo", "`…@host/foo` has a user name in it"),
        ("user:p@ss/word@host/foo:1", "`…@host/foo:1` has a user name in it"),
        ("user@host/foo", "`…@host/foo` has a user name in it"),
        ("host/foo?x=1", "`host/foo?x=1`: `host/foo?x=1` is not a repository path"),
        ("host.com/foo#frag", "`host.com/foo#frag`: `foo#frag` is not a repository path"),
        ("host.com:80/foo\\bar", "`host.com:80/foo\\bar`: `foo\\bar` is not a repository path"),
        ("", "an image reference cannot be empty"),
    ],
)
def test_what_docker_refuses_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Foo", "write `foo`"),
        ("ghcr.io/Owner/img:V1", "write `ghcr.io/owner/img:V1`"),
        ("ghcr.io:443/Owner/img", "write `ghcr.io:443/owner/img`"),
        (f"Foo:V1@{_DIGEST}", f"write `foo:V1@{_DIGEST}`"),
        ("foo:a+b", "registries write `_` where a version has `+`"),
        ("foo:.dot", None),
        ("https://ghcr.io/a/b:1", "write `ghcr.io/a/b:1`"),
        ("https://ghcr.io/a/b/", "write `ghcr.io/a/b`"),
        ("https://hub.docker.com/_/nginx", "write `nginx`"),
        ("https://hub.docker.com/r/grafana/grafana/tags/", "write `grafana/grafana`"),
        ("https://", None),
        (_DIGEST, "write `REPOSITORY@sha256:…`"),
        ("sha256:ffff", "write `REPOSITORY@sha256:…`"),
        ("user:pass@host/foo", "keep credentials out of references: use `docker login`"),
    ],
)
def test_a_hint_names_what_was_probably_meant(text: str, hint: str | None) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference(text)
    assert caught.value.hint == hint


def test_a_reference_is_short_before_any_pattern_reads_it() -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference("a" * 1025)
    assert caught.value.message == "an image reference has no more than 1024 characters, this one has 1025"


def test_only_a_reference_without_tag_and_digest_means_latest() -> None:
    repository = Repository(RegistryName("docker.io"), "library/alpine")
    assert parse_reference("alpine") == TagReference(repository, "latest")
    assert parse_reference("alpine:3") == TagReference(repository, "3")
    assert parse_reference(f"alpine@{_DIGEST}") == PinnedReference(repository, Digest.parse(_DIGEST))
    assert parse_reference(f"alpine:3@{_DIGEST}") == PinnedReference(repository, Digest.parse(_DIGEST), "3")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        (f"alpine@{_DIGEST}", f"docker.io/library/alpine@{_DIGEST}"),
        (f"GHCR.io/a/b:1@{_DIGEST}", f"ghcr.io/a/b:1@{_DIGEST}"),
    ],
)
def test_a_reference_is_printed_whole(text: str, canonical: str) -> None:
    assert str(parse_reference(text)) == canonical


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("alpine", "docker.io"),
        ("index.docker.io/alpine", "index.docker.io"),
        ("GHCR.io/a/b", "GHCR.io"),
        ("localhost:5000/a", "localhost:5000"),
    ],
)
def test_the_registry_is_shown_as_its_owner_spelled_it(name: str, registry: str) -> None:
    assert registry_as_written(name) == registry


@pytest.mark.parametrize("text", ["alpine", "docker.io/library/alpine", "oci:./vendor", "oci:C:x"])
def test_a_repository_stands_alone(text: str) -> None:
    repository = parse_repository(text)
    assert str(repository) in (text, f"docker.io/library/{text}")


@pytest.mark.parametrize("text", ["alpine:3", f"alpine@{_DIGEST}"])
def test_a_repository_has_neither_tag_nor_digest(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_repository(text)
    assert caught.value.message == f"`{text}` must be a repository, without tag and digest"
