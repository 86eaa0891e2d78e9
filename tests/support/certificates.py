"""A certificate authority for one test session, and what it and a token server sign with."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with the certificate that belongs to it."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    def write(self, directory: Path, name: str) -> KeyPairFiles:
        files = KeyPairFiles(certificate=directory / f"{name}.crt", key=directory / f"{name}.key")
        files.certificate.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return files


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPairFiles:
    """The same as PEM files, as servers want to read them."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopbackTls:
    """What a server on loopback needs for TLS, and what its clients have to trust."""

    server: KeyPairFiles
    authority: Path

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFolder:
    """What Docker and podman keep for one registry: whom to trust, and what to show."""

    authority: Path
    client: KeyPairFiles

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_bytes(self.authority.read_bytes())
        (folder / "client.cert").write_bytes(self.client.certificate.read_bytes())
        (folder / "client.key").write_bytes(self.client.key.read_bytes())


class CertificateOffice:
    """Certifies servers under any name. They share a key: making one takes longer than a test."""

    def __init__(self, directory: Path, *, is_strict: bool = True) -> None:
        self._directory = directory
        self._is_strict = is_strict
        self._signer = make_authority("imagelock tests", is_strict=is_strict)
        self._key = _new_key()
        self._names = count(1)
        self.authority = self._signer.write(directory, "authority").certificate

    def certify(self, *names: str, age_days: int = 0) -> KeyPairFiles:
        """Certify a server for a day, which begins an hour and ``age_days`` ago."""
        certificate = _certificate(
            _name("server"),
            self._key,
            issuer=self._signer.certificate.subject,
            signer=self._signer.key,
            names=names,
            age_days=age_days,
            is_strict=self._is_strict,
        )
        return KeyPair(self._key, certificate).write(self._directory, f"server-{next(self._names)}")


def make_loopback_tls(directory: Path) -> LoopbackTls:
    """A server's certificate for ``localhost`` and ``127.0.0.1``, signed by a new authority."""
    office = CertificateOffice(directory)
    return LoopbackTls(server=office.certify("localhost", "127.0.0.1"), authority=office.authority)


def make_authority(name: str, *, is_strict: bool = True) -> KeyPair:
    """A key with a certificate that it signed itself: the root of trust of a session, or of tokens.

    One that is not strict is as many companies have them: without identifiers of keys, and nothing is critical.
    """
    key = _new_key()
    subject = _name(name)
    return KeyPair(key, _certificate(subject, key, issuer=subject, signer=key, is_strict=is_strict))


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(  # noqa: PLR0913  what a certificate says
    subject: x509.Name,
    key: RSAPrivateKey,
    *,
    issuer: x509.Name,
    signer: RSAPrivateKey,
    names: Iterable[str] = (),
    age_days: int = 0,
    is_strict: bool = True,
) -> x509.Certificate:
    """Sign a server's certificate for names and addresses, or without them an authority's."""
    begin = datetime.now(UTC) - timedelta(hours=1, days=age_days)
    alternatives = [_alternative_name(name) for name in names]
    is_authority = not alternatives
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=is_strict)
    )
    if is_strict:
        # Python 3.13 verifies strictly by default and wants to know which key signed.
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = (
            builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(signed_by, critical=False)
            .add_extension(_key_usage(is_authority=is_authority), critical=True)
        )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _alternative_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        key_encipherment=not is_authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
