"""A certificate authority of the sandbox's own, for the clients that insist on TLS.

It may vouch for this machine's loopback alone (RFC 5280, 4.2.1.10), so that trusting it gives nothing else
away. It is made when a client's settings first name it, and the server's certificate at the first handshake:
a start pays for neither.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=7)
SKEW = timedelta(minutes=15)
"""By how much a client's clock may be behind."""


def authority_file(state: Path) -> Path:
    """What clients trust."""
    return state / "tls" / "authority.pem"


def authority(state: Path) -> Path:
    """The authority's certificate, made where there is none yet; whoever comes second finds the first one."""
    path = authority_file(state)
    if path.exists():
        return path
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sandbox {os.urandom(4).hex()}")])
    draft = _draft(name, name, key.public_key(), AUTHORITY_LIFE)
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    draft = draft.add_extension(_usage(signs_certificates=True), critical=True)
    loopback: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(IPv4Network("127.0.0.0/8")),
    ]
    draft = draft.add_extension(x509.NameConstraints(loopback, None), critical=True)
    # Key and certificate are one file until the public part stands: nobody sees one without the other.
    text = _sealed(key) + _signed(draft, key, key)
    try:
        _write_once(path.with_name("authority.key"), text)
    except FileExistsError:
        text = path.with_name("authority.key").read_bytes()
    certificate = text[text.index(b"-----BEGIN CERTIFICATE-----") :]
    _replace(path, certificate, 0o644)
    return path


def trusted(state: Path) -> str:
    """Whom a process inside the sandbox trusts: the machine's authorities, and the sandbox's own (PEM)."""
    import ssl

    machines = ssl.get_default_verify_paths().cafile
    own = authority(state).read_text()
    return f"{Path(machines).read_text()}\n{own}" if machines else own


def server(state: Path) -> Path:
    """A new key and certificate of the server, for SERVER_LIFE, and the authority's after it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    trusted = authority(state)
    secret = trusted.with_name("authority.key").read_bytes()
    signer = serialization.load_pem_private_key(secret, password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(trusted.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    draft = _draft(name, issuer.subject, key.public_key(), SERVER_LIFE)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_usage(signs_certificates=False), critical=True)
    draft = draft.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    draft = draft.add_extension(x509.SubjectAlternativeName(names), critical=False)
    path = state / "tls" / "server.pem"
    _replace(path, _sealed(key) + _signed(draft, signer, key) + trusted.read_bytes(), 0o600)
    return path


def _draft(name: x509.Name, issuer: x509.Name, key: object, life: timedelta) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    draft = x509.CertificateBuilder(issuer_name=issuer, subject_name=name, public_key=key)  # type: ignore[arg-type]
    draft = draft.serial_number(x509.random_serial_number())
    return draft.not_valid_before(now - SKEW).not_valid_after(now + life)


def _signed(
    draft: x509.CertificateBuilder, signer: EllipticCurvePrivateKey, key: EllipticCurvePrivateKey
) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    draft = draft.add_extension(subject, critical=False).add_extension(issuer, critical=False)
    return draft.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _sealed(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_once(path: Path, text: bytes) -> None:
    """FileExistsError where another process was first; nobody sees half a file."""
    draft = _temporary(path, text)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def _replace(path: Path, text: bytes, mode: int) -> None:
    draft = _temporary(path, text)
    draft.chmod(mode)
    draft.rename(path)


def _temporary(path: Path, text: bytes) -> Path:
    """Readable by its owner alone from the moment it exists."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return Path(name)
