"""TLS contexts: they trust the operating system's authorities, and those declared for one registry.

``certs.d`` is read as by Docker and podman: https://docs.docker.com/engine/security/certificates/ and
containers-certs.d(5).
"""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress
from pathlib import Path

from imagelock.errors import FileError
from imagelock.model.frozen import frozen
from imagelock.project.files import find_kind_problem
from imagelock.registry.user_files import list_if_possible

BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/pki/tls/cacert.pem"),
    Path("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
    Path("/etc/ssl/cert.pem"),
)
"""Where systems keep their authorities, in the order of Go. A Python that was not built for this system, such as those
that uv installs, may look elsewhere."""
_AUTHORITY_HINT = "name a file with the certificates of authorities in PEM (BEGIN CERTIFICATE)"
_DER = b"\x30\x82"
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)
"""The name of a file in a folder of authorities, as OpenSSL looks it up."""


@frozen
class CertificateFiles:
    """The certificate files for one host, besides the system's."""

    authorities: tuple[Path, ...] = ()
    client_pairs: tuple[tuple[Path, Path], ...] = ()
    """Certificate and key of the client, presented to that host alone."""
    passed_over: tuple[str, ...] = ()
    """Folders for that host that cannot be read, each with the reason."""


def certificate_folders(home: Path) -> tuple[Path, ...]:
    """Return the folders that may hold a folder named after a host; the first with one is used."""
    return (
        home / ".config" / "containers" / "certs.d",
        Path("/etc/containers/certs.d"),
        home / ".config" / "docker" / "certs.d",
        Path("/etc/docker/certs.d"),
    )


def find_certificate_files(folders: tuple[Path, ...], host_and_port: str) -> CertificateFiles:
    """Return the files for exactly this host and port; a client certificate or key alone is an error."""
    passed_over: list[str] = []
    listings = (list_if_possible(folder / host_and_port, warn=passed_over.append) for folder in folders)
    names = next((names for names in listings if names), ())
    pairs = []
    for certificate in (name for name in names if name.suffix == ".cert"):
        key = certificate.with_suffix(".key")
        if key not in names:
            raise FileError(f"{certificate} is a client certificate without a key", hint=f"put it into {key}")
        pairs.append((certificate, key))
    for key in (name for name in names if name.suffix == ".key"):
        if key.with_suffix(".cert") not in names:
            raise FileError(
                f"{key} is a key without a client certificate", hint=f"put it into {key.stem}.cert beside it"
            )
    authorities = tuple(name for name in names if name.suffix == ".crt")
    return CertificateFiles(authorities, tuple(pairs), tuple(passed_over))


def make_tls_context(files: CertificateFiles, *, ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's store (or ``SSL_CERT_FILE`` in its place) and the given files.

    It verifies equally with every Python. From 3.13 on, Python's default refuses authorities that docker, podman and
    curl accept, and that companies have in the system's store: without an authority key identifier, or with basic
    constraints that are not critical. As with curl and Go, an intermediate authority among the files is trusted.
    """
    context = ssl.create_default_context()
    if not _finds_store():
        _load_first_bundle(context)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    for authority in (*files.authorities, *([ca_file] if ca_file else [])):
        _load_authority(context, authority)
    for certificate, key in files.client_pairs:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise FileError(f"{certificate} cannot be used with its key", details=[str(error)]) from error
    return context


def _load_authority(context: ssl.SSLContext, path: Path) -> None:
    """Trust the authorities in a file; ``FileError`` says what it is instead."""
    problem = find_kind_problem(path)  # OpenSSL would wait for a FIFO
    if problem:
        raise FileError(f"{path} {problem}", hint=_AUTHORITY_HINT)
    try:
        context.load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        is_der = isinstance(error, ssl.SSLError) and path.read_bytes().startswith(_DER)
        hint = f"convert it: `openssl x509 -inform DER -in {path} -out {path.stem}.pem`" if is_der else _AUTHORITY_HINT
        reason = "it is not in PEM, or incomplete" if isinstance(error, ssl.SSLError) else str(error.strerror)
        raise FileError(f"{path} has no readable certificate", details=[reason], hint=hint) from error


def _finds_store() -> bool:
    """Return whether OpenSSL finds authorities in its default places, or a variable names other ones."""
    paths = ssl.get_default_verify_paths()
    variables = (paths.openssl_cafile_env, paths.openssl_capath_env)
    if paths.cafile or any(os.environ.get(name) for name in variables):
        return True
    folder = Path(paths.capath or os.devnull)
    try:
        return any(_HASHED.fullmatch(path.name) for path in folder.iterdir())
    except OSError:
        return False


def _load_first_bundle(context: ssl.SSLContext) -> None:
    for bundle in BUNDLES:
        with suppress(OSError, ssl.SSLError):
            context.load_verify_locations(bundle)
            return


def _no_password() -> str:
    """Give no password for a key: OpenSSL would ask for it on the terminal, from any thread."""
    return ""
