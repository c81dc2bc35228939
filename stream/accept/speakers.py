"""Who speaks for which series, as masks over the series of the active regions, so that a batch is judged at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.accept.refusal import Fault, Refused, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from stream.accept.index import SeriesIndex
    from stream.region.model import Region
    from stream.region.principals import Principal

NOBODY = ""
"""The name of whoever writes to a shared door without a signature."""


class Speaker(NamedTuple):
    """Who handed in a batch: `may[number]` = the series is his to speak for; `otherwise`: why the others are refused."""

    name: str
    may: NDArray[np.bool_]
    otherwise: Refused

    def fault(self, series: str) -> Fault:
        """Why he may not hand in this series."""
        return Fault(self.otherwise, f"series {quoted(series)}" + (f" from {self.name}" if self.name else ""))


class Speakers:
    """The principals of the active regions. A principal speaks only for series of the region that names it."""

    def __init__(self, regions: Sequence[Region], index: SeriesIndex) -> None:
        self._index = index
        self._known: dict[str, list[tuple[str, Principal]]] = {}
        self._speakers: dict[tuple[str, str], Speaker] = {}
        for region in sorted(regions, key=lambda one: (one.name, one.region_hash)):
            for principal in region.principals:
                self._known.setdefault(principal.principal_id, []).append((region.region_hash, principal))
        self.unsigned = self._unsigned()
        """Who writes to shared doors without a signature; None where that may be about everything."""

    def find(self, principal_id: str, audience: str = "") -> tuple[str, Principal] | None:
        """The principal of this name, with its region's hash: of several regions' the one with this audience, else of the first region by name."""
        known = self._known.get(principal_id, [])
        return next((one for one in known if one[1].audience == audience), known[0] if known else None)

    def speaker(self, region_hash: str, principal: Principal) -> Speaker:
        """What a principal may hand in, made when it first does."""
        key = (region_hash, principal.principal_id)
        if key not in self._speakers:
            self._speakers[key] = Speaker(principal.principal_id, self._bound(region_hash, principal), Refused.NOT_BOUND)
        return self._speakers[key]

    def _bound(self, region_hash: str, principal: Principal) -> NDArray[np.bool_]:
        index = self._index
        ours = np.array([one.region_hash == region_hash for one in index.homes], bool)
        may = np.zeros(len(index.names), bool)
        for number in np.flatnonzero(ours[index.home] if len(index.names) else may).tolist():
            may[number] = principal.speaks_for(index.names[number].rpartition("/")[0])
        return may

    def _unsigned(self) -> Speaker | None:
        only = [(region_hash, one) for known in self._known.values() for region_hash, one in known if one.signed_only]
        if not only:
            return None
        closed = np.logical_or.reduce([self._bound(region_hash, one) for region_hash, one in only])
        return Speaker(NOBODY, ~closed, Refused.UNSIGNED)
