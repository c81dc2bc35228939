"""Who sends a request: the principal of `gateways.toml` whose token or client certificate it shows, bound to its stations and families.

While no active region has principals, whoever reaches a loopback port may send, and nobody who reaches another one. As soon as any region has
some, nobody without a valid key is heard. Regions change while the gateway runs: keys and revocations take effect with them.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from stream.gateways.http_answers import Refusal
from stream.gateways.http_gateway import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.records.lanes import Lane
    from stream.region.principals import Key, Principal

log = logging.getLogger(__name__)
BEARER = "bearer"
TOKEN, CERTIFICATE = "http_token", "mtls"
ANYBODY = "anybody"


class Shown(NamedTuple):
    """What a request shows of its sender: its Authorization header ("" = none), and its TLS certificate (DER)."""

    authorization: str = ""
    certificate: bytes | None = None


class Known(NamedTuple):
    """One key of a principal."""

    principal: Principal
    key: Key


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
        """Who it is at this instant (ms). Refusal 401 where nothing known is shown, 403 where it is not of this lane; neither says what was nearly right."""
        if self.open:
            return Caller(ANYBODY)
        found = self._found(shown)
        valid = [one.principal for one in found if _is_valid(one, now)]
        if not valid:
            known = ", ".join(sorted({f"{one.principal.principal_id}/{one.key.key_id}" for one in found}))
            log.warning("a request was refused: %s", f"the key {known} is revoked or not valid now" if known else "nothing known was shown")
            raise Refusal(401, "show a valid token (Authorization: Bearer ...) or a client certificate that gateways.toml names")
        here = [one for one in valid if self._lane in one.lanes]
        if not here:
            log.warning("a request of %s was refused: not of lane %s", valid[0].principal_id, self._lane)
            raise Refusal(403, f"{valid[0].principal_id} hands in nothing on lane {self._lane}")
        return Caller(here[0].principal_id, Binding(here))

    def _found(self, shown: Shown) -> Sequence[Known]:
        scheme, _, token = shown.authorization.strip().partition(" ")
        found: list[Known] = []
        if scheme.lower() == BEARER and token.strip():
            found += self._known.get((TOKEN, sha256(token.strip().encode("utf-8", "surrogateescape")).digest()), [])
        if shown.certificate is not None:
            found += self._known.get((CERTIFICATE, sha256(shown.certificate).digest()), [])
        return found


def _is_valid(one: Known, now: int) -> bool:
    return not one.principal.revoked and not one.key.revoked and one.key.not_before <= now < one.key.not_after


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
