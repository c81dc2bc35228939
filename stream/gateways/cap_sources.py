"""`cap_sources.toml`: whose alerts are taken, with which certificates, for whom they speak, and what they call our hazards.

    [[sources]]
    sender = "alerts@upstream.example"
    speaks_for = "linhe"
    domain = "lin-river"
    certificates = ["upstream-2026.pem", "upstream-2027.pem"]
    hazards = { "081" = "flood" }

Two certificates may be pinned while the sender changes from one to the other; taking one away is its revocation.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated

import msgspec
from cryptography.x509 import load_pem_x509_certificate

from stream.errors import TocsinError
from stream.gateways.cap_in import CapSource
from stream.records.measurement import Name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stream.region.model import Region


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    sender: Name
    speaks_for: Name
    domain: Name
    certificates: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=4)]
    hazards: Annotated[dict[Name, Name], msgspec.Meta(min_length=1)]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    sources: Annotated[list[_Source], msgspec.Meta(min_length=1)]


def read_sources(file: Path, regions: Sequence[Region]) -> list[CapSource]:
    """The sources of the file, whose certificates lie beside it. TocsinError naming file and field for whatever is wrong with it.

    What a source names has to be in one of `regions`: a source that speaks of nothing is a mistake, not a quiet one.
    """
    try:
        made = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        msg = f"{file}: {error}"
        raise TocsinError(msg) from error
    found: dict[str, CapSource] = {}
    for number, one in enumerate(made.sources):
        where = f"{file}: $.sources[{number}]"
        if one.sender in found:
            msg = f"{where}.sender: {one.sender!r} stands twice; put all its hazards and certificates in one source"
            raise TocsinError(msg)
        _check(one, regions, where)
        pems = tuple(_certificate(file.parent / name, f"{where}.certificates") for name in one.certificates)
        found[one.sender] = CapSource(one.sender, one.speaks_for, one.domain, pems, one.hazards)
    return list(found.values())


def _check(one: _Source, regions: Sequence[Region], where: str) -> None:
    having = next((region for region in regions if any(domain.domain_id == one.domain for domain in region.domains)), None)
    if having is None:
        msg = f"{where}.domain: no region has a domain {one.domain!r}"
    elif one.speaks_for not in having.above:
        msg = f"{where}.speaks_for: region {having.name} knows no city or administration {one.speaks_for!r}"
    elif unknown := sorted(set(one.hazards.values()) - {hazard.hazard for hazard in having.hazards}):
        msg = f"{where}.hazards: region {having.name} has no hazard {', '.join(unknown)}"
    else:
        return
    raise TocsinError(msg)


def _certificate(file: Path, where: str) -> bytes:
    try:
        pem = file.read_bytes()
        load_pem_x509_certificate(pem)
    except (OSError, ValueError) as error:
        msg = f"{where}: {file.name} is no certificate (PEM): {error}"
        raise TocsinError(msg) from error
    return pem
