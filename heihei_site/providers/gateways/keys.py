"""Keys of the development twins, ours and the gateways', made at their first use and kept under `$HEIHEI_VAR/keys`."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from heihei_site import embedded

# What Apple's certificates are marked with: leaf and intermediate of the chain that signs for the store.
LEAF_MARK, INTERMEDIATE_MARK = "1.2.840.113635.100.6.11.1", "1.2.840.113635.100.6.2.1"


class Pair(NamedTuple):
    """PEM."""

    private: str
    public: str


class Chain(NamedTuple):
    """Three certificates, DER, leaf first; and the leaf's private key, PEM."""

    leaf_key: str
    certificates: tuple[bytes, bytes, bytes]


def rsa_pair(name: str) -> Pair:
    private = kept(f"{name}.pem", lambda: pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    public = load_pem_private_key(private.encode(), None).public_key()
    return Pair(private, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def store_chain() -> Chain:
    text = kept("app-store-chain.pem", lambda: new_chain())
    key, *certificates = text.split("\n\n")
    leaf, intermediate, root = (
        x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER) for certificate in certificates
    )
    return Chain(key, (leaf, intermediate, root))


def kept(name: str, make: Callable[[], str]) -> str:
    """All who ask at the same time get the same one."""
    path = Path(settings.VAR_DIR) / "keys" / name
    if not path.exists():
        embedded.make_directory(path.parent.parent)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{name}.{id(make)}")
        embedded.write_private(draft, make())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def new_chain() -> str:
    """A chain as Apple's, of our own making: the leaf's key, then leaf, intermediate and root."""
    root_key, middle_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = certificate("root", root_key, "root", root_key, ca=True)
    middle = certificate("intermediate", middle_key, "root", root_key, ca=True, mark=INTERMEDIATE_MARK)
    leaf = certificate("leaf", leaf_key, "intermediate", middle_key, ca=False, mark=LEAF_MARK)
    return "\n\n".join(
        text.strip() for text in (pem(leaf_key), *(c.public_bytes(Encoding.PEM).decode() for c in (leaf, middle, root)))
    )


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    mark: str = "",
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(usage(ca), critical=True)
    )
    if mark:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(mark), b"\x05\x00"), False)
    return builder.sign(issuer_key, hashes.SHA256())


def usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"heihei development {name}")])


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
