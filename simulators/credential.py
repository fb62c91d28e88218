"""The wallet's own key pair: what a security credential is encrypted for.

Daraja publishes an X.509 certificate per environment; a caller encrypts the
initiator's password for it with RSA PKCS#1 v1.5 and sends that in base64. The pair is
made at the first start and kept, so a restart does not strand the product's copy.
"""

import base64
import binascii
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

DEFAULT_PASSWORD = "standin-initiator"  # noqa: S105 - guards play money only


class NotACredential(ValueError):
    """The text is not the base64 of one RSA block."""


class Vault:
    """Holds the private key and serves the certificate."""

    def __init__(self, folder: Path) -> None:
        key_file, cert_file = folder / "key.pem", folder / "cert.pem"
        if not (key_file.exists() and cert_file.exists()):
            _make_pair(key_file, cert_file)
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self.certificate = cert_file.read_bytes()

    def holds(self, credential: str, password: str) -> bool:
        """Say whether a credential decrypts to the password.

        Raises NotACredential when it is not base64 or not one RSA block.
        """
        try:
            block = base64.b64decode(credential, validate=True)
        except (binascii.Error, ValueError) as error:
            raise NotACredential("not base64") from error
        if len(block) != self._key.key_size // 8:
            raise NotACredential("not one RSA block")
        try:
            # The library may answer random bytes for a bad padding; both are a no.
            found = self._key.decrypt(block, padding.PKCS1v15())
        except ValueError:
            return False
        return found == password.encode()


def _make_pair(key_file: Path, cert_file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wallet stand-in")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key_file, pem)
    _write(cert_file, certificate.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    draft.replace(path)
