"""Where signing keys may come from: over TLS that is checked, or from this very machine."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.kit import json
from app.kit.errors import Unavailable
from app.tenancy.jwks import JwksSource
from tests.integration.test_jwks import entry


@pytest.mark.parametrize(
    "url",
    [
        "http://id.school.example/jwks.json",
        "http://10.0.0.1/jwks.json",
        "http://localhost.school.example/jwks.json",
        "http://127.0.0.1.school.example/jwks.json",
        "http://127.0.0.1@school.example/jwks.json",
        "https://user:hidden@school.example/jwks.json",
        "https://school.example/jwks.json#one",
        "ftp://school.example/jwks.json",
        "file:///jwks.json",
        "/jwks.json",
        "https://",
        "https://school.example:port/",
        "",
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused_with_its_cure(url: str) -> None:
    with pytest.raises(ValueError, match="Cure: ") as caught:
        JwksSource(url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://school.example/jwks.json?p=policy",
        "http://localhost:8080/jwks.json",
        "http://127.0.0.9/jwks.json",
        "http://[::1]:8080/jwks.json",
    ],
)
def test_tls_or_loopback_will_do(url: str) -> None:
    JwksSource(url)


async def test_a_certificate_must_come_from_an_authority_that_the_machine_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path)
    body = json.dumps({"keys": [entry("one")]})

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
        with pytest.raises(Unavailable):
            await JwksSource(url).find("one", "RS256")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # how OpenSSL is told of an authority of one's own
        assert await JwksSource(url).find("one", "RS256")
        with pytest.raises(Unavailable):
            await JwksSource(url.replace("127.0.0.1", "localhost")).find("one", "RS256")  # not the certificate's name


def _certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a school's own authority")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path
