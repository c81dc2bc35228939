"""Tokens and keys for whoever installs a gateway: made here, kept there; `gateways.toml` gets only what may be read by everybody.

A private key is a PKCS #8 file in PEM (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it too, so a gateway needs nothing of ours to sign.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import stat
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from stream.errors import TocsinError
from stream.records.instants import DAY, to_text
from stream.region.names import IDENTIFIER, IDENTIFIER_FIX

if TYPE_CHECKING:
    from pathlib import Path

TOKEN_BYTES = 32
TOKEN_BEGINS = "tocsin_"  # noqa: S105  (the beginning of every token)
"""What scanners for secrets that were published by mistake can look for."""
SEQUENCE_MOST = 9_007_199_254_740_991


class KeyOf(NamedTuple):
    """Whose key it is, what it is called, and its validity (ms; `not_after` None = until it is revoked)."""

    principal: str
    key_id: str
    not_before: int
    not_after: int | None


def key_of(principal: str, key_id: str, now: int, days: int) -> KeyOf:
    """A key that is valid from now on for so many days, 0 = for ever; TocsinError for names that `gateways.toml` does not take."""
    key_id = key_id or f"k{to_text(now)[:10].replace('-', '')}"
    for what, name in (("principal", principal), ("key id", key_id)):
        if not IDENTIFIER.fullmatch(name):
            msg = f"{what} {name!r}: {IDENTIFIER_FIX}"
            raise TocsinError(msg)
    at = now - now % 1_000
    return KeyOf(principal, key_id, at, at + days * DAY if days else None)


def new_token() -> str:
    """A token of 32 random bytes.

    >>> len(new_token()), new_token() != new_token()
    (50, True)
    """
    return TOKEN_BEGINS + secrets.token_urlsafe(TOKEN_BYTES)


def token_lines(token: str, key: KeyOf) -> str:
    """The lines of `gateways.toml` for a token: its SHA-256, from which it cannot be found.

    >>> print(token_lines("t", KeyOf("upper", "k1", 0, 86_400_000)))
    [upper.keys.k1]
    token_sha256 = "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"
    not_before = "1970-01-01T00:00:00Z"
    not_after = "1970-01-02T00:00:00Z"
    """
    return _lines("token_sha256", sha256(token.encode()).hexdigest(), key)


def new_private_key() -> bytes:
    """A new Ed25519 private key: its 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_lines(private_key: bytes, key: KeyOf) -> str:
    """The lines of `gateways.toml` for a private key (32 bytes): its public key."""
    public = Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()
    return _lines("public_key", base64.b64encode(public).decode(), key)


def pem(private_key: bytes) -> bytes:
    """A private key (32 bytes) as it stands in a file."""
    return Ed25519PrivateKey.from_private_bytes(private_key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_secret(path: Path, data: bytes) -> None:
    """A new file that only its owner reads; TocsinError where one is already, or none can be: a key in use must not be written over."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        msg = f"{path} is there already: name a new file"
        raise TocsinError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise TocsinError(msg) from error


def read_private_key(path: Path) -> bytes:
    """The 32 bytes of the Ed25519 private key in a PEM file; TocsinError says what else it is. What is wrong with it is never quoted."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise TocsinError(msg) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{path} is no private key in PEM without a password; `tocsin gateway key` makes one"
        raise TocsinError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} is a key of another kind; Ed25519 is needed, `tocsin gateway key` makes one"
        raise TocsinError(msg)
    return key.private_bytes_raw()


def readable_by_others(path: Path) -> bool:
    """Whether others than its owner may read a file."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def next_sequence(path: Path) -> int:
    """One more than the number in the file, which is on the disk before anybody uses it; 0 where there is no file.

    Several processes may ask at once: each gets a number of its own. TocsinError for a file that holds anything else: to begin at 0 again would
    make all that is signed from then on refused.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            text = file.read().strip()
            if text and (not text.isdigit() or int(text) >= SEQUENCE_MOST):
                msg = f"{path} does not hold a sequence number; write the last one that was used into it"
                raise TocsinError(msg)
            number = int(text) + 1 if text else 0
            file.seek(0)
            file.write(b"%016d\n" % number)  # always as long, and within a sector: a crash leaves the old number or the new one
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        msg = f"{path} cannot be used: {error.strerror}"
        raise TocsinError(msg) from error
    return number


def _lines(field: str, value: str, key: KeyOf) -> str:
    made = [f"[{key.principal}.keys.{key.key_id}]", f'{field} = "{value}"', f'not_before = "{to_text(key.not_before)}"']
    if key.not_after is not None:
        made.append(f'not_after = "{to_text(key.not_after)}"')
    return "\n".join(made)
