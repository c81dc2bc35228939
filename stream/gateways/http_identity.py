"""Who sends a request: the principal of `gateways.toml` whose token or client certificate it shows, bound to its stations and families.

While no active region has principals, whoever reaches a loopback port may send, and nobody who reaches another one. As soon as any region has
some, nobody without a valid key is heard. Regions change while the gateway runs: keys and revocations take effect with them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from stream.accept.refusal import Refused
from stream.gateways.denials import Denied
from stream.gateways.http_answers import Refusal
from stream.gateways.http_gateway import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.records.lanes import Lane
    from stream.region.principals import Key, Principal

BEARER = "bearer"
TOKEN, CERTIFICATE = "http_token", "mtls"
ANYBODY = "anybody"
SHOWN_BYTES = 4
"""Of a digest: enough to find a key by, too little to find a token by."""


class Shown(NamedTuple):
    """What a request shows of its sender: its Authorization header ("" = none), and its TLS certificate (DER)."""

    authorization: str = ""
    certificate: bytes | None = None

    def digests(self) -> list[tuple[str, bytes]]:
        """The kind and the SHA-256 of each thing shown: all that is looked at, and noted, of it.

        >>> [(kind, digest.hex()[:8]) for kind, digest in Shown("Bearer t", b"c").digests()], Shown("Basic t").digests()
        ([('http_token', 'e3b98a4d'), ('mtls', '2e7d2c03')], [])
        """
        scheme, _, token = self.authorization.strip().partition(" ")
        made = []
        if scheme.lower() == BEARER and token.strip():
            made.append((TOKEN, sha256(token.strip().encode("utf-8", "surrogateescape")).digest()))
        if self.certificate is not None:
            made.append((CERTIFICATE, sha256(self.certificate).digest()))
        return made


class Known(NamedTuple):
    """One key of a principal."""

    principal: Principal
    key: Key


class Unheard(Refusal):
    """A request whose sender is not heard, and what is noted of it; the answer says less."""

    def __init__(self, status: int, detail: str, denied: Denied) -> None:
        super().__init__(status, detail)
        self.denied = denied


class Identity:
    """The principals of the active regions, found by what they show. `exposed`: others than this machine reach the port."""

    def __init__(self, principals: Iterable[Principal], lane: Lane, *, exposed: bool = False) -> None:
        self._lane = lane.value
        self._known: dict[tuple[str, bytes], list[Known]] = {}
        everybody = list(principals)
        self.open = not everybody and not exposed
        """Whether nobody has to show anything."""
        for principal in everybody:
            for key in principal.keys:
                self._known.setdefault((principal.kind, key.value), []).append(Known(principal, key))

    def caller(self, shown: Shown, now: int) -> Caller:
        """Who it is at this instant (ms). Unheard: 401 where nothing known is shown, 403 where it is not of this lane; neither says what was nearly right."""
        if self.open:
            return Caller(ANYBODY)
        digests = shown.digests()
        found = [one for digest in digests for one in self._known.get(digest, ())]
        valid = [one for one in found if _is_valid(one, now)]
        if not valid:
            detail = "show a valid token (Authorization: Bearer ...) or a client certificate that gateways.toml names"
            raise Unheard(401, detail, _unknown(digests) if not found else _no_longer(found[0]))
        here = [one.principal for one in valid if self._lane in one.principal.lanes]
        if not here:
            name = valid[0].principal.principal_id
            detail = f"{name} hands in nothing on lane {self._lane}"
            raise Unheard(403, detail, _denied(Refused.OTHER_LANE, detail, valid[0]))
        return Caller(here[0].principal_id, Binding(here))


def _is_valid(one: Known, now: int) -> bool:
    return not one.principal.revoked and not one.key.revoked and one.key.not_before <= now < one.key.not_after


def _unknown(digests: Sequence[tuple[str, bytes]]) -> Denied:
    if not digests:
        return Denied(Refused.UNKNOWN_PRINCIPAL, "nothing was shown")
    kind, digest = digests[0]
    return Denied(Refused.UNKNOWN_KEY, f"{kind} that gateways.toml does not name", shown=_beginning(digest))


def _no_longer(one: Known) -> Denied:
    reason = Refused.REVOKED if one.principal.revoked or one.key.revoked else Refused.KEY_NOT_VALID
    return _denied(reason, f"key {one.key.key_id} of {one.principal.principal_id}", one)


def _denied(reason: Refused, detail: str, one: Known) -> Denied:
    return Denied(reason, detail, one.principal.principal_id, one.key.key_id, proven=True, shown=_beginning(one.key.value))


def _beginning(digest: bytes) -> str:
    return digest[:SHOWN_BYTES].hex()


class Binding:
    """Whether one of these principals may speak for a series at the door of a family."""

    def __init__(self, principals: Sequence[Principal]) -> None:
        self._principals = principals
        self._answers: dict[tuple[str, str], bool] = {}

    def __call__(self, series: str, family: str) -> bool:
        """Whether they may."""
        answer = self._answers.get((series, family))
        if answer is None:
            answer = self._answers[series, family] = any(one.may(series, family) for one in self._principals)
        return answer
