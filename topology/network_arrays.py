"""A river network as what it is: a handful of named flat arrays, read-only, the same in memory and in a file."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from topology.reach_ids import ReachIndex, ReachNames, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

COLUMNS = ("length_km", "celerity_m_per_s", "velocity_m_per_s", "residence_h", "mean_discharge_m3_per_s", "drainage_area_km2", "drawn")
_EDGES = ("start", "below", "fraction")
_TREE = ("size", "run", "below_km")


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """What only a network without splits has, by reach.

    Reach j is reach i or lies upstream of it exactly when `i <= j < i + size[i]`. From i down to `run[i]` each reach flows into the number
    before it. `below_km`: km from the lower end of a reach to its outlet.
    """

    size: NDArray[np.int32]
    run: NDArray[np.int32]
    below_km: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A validated river network of n reaches; a reach is its number, an index of `reaches` and of every column.

    The branches below reach i are `below[start[i]:start[i + 1]]` (a smaller number, or -1 at an outlet) with their shares of the flow in
    `fraction`. Columns are NaN where nothing was given; `drawn` marks lengths that are not official. `banks`: by number of a border reach
    the jurisdictions on its left and right. `tree` is None when some reach splits. All arrays are read-only.
    """

    reaches: Sequence[str]
    index: ReachIndex
    length_km: NDArray[np.float64]
    start: NDArray[np.int32]
    below: NDArray[np.int32]
    fraction: NDArray[np.float64]
    celerity_m_per_s: NDArray[np.float64]
    velocity_m_per_s: NDArray[np.float64]
    residence_h: NDArray[np.float64]
    mean_discharge_m3_per_s: NDArray[np.float64]
    drainage_area_km2: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    banks: Mapping[int, tuple[str, ...]]
    tree: Tree | None


def laid_out(arrays: Mapping[str, NDArray[Any]]) -> Network:
    """The network of arrays named as `arrays_of` names them, not copied; they become read-only."""
    for array in arrays.values():
        array.flags.writeable = False
    banks: dict[int, tuple[str, ...]] = {}
    for reach, jurisdiction in zip(arrays["bank_reach"].tolist(), arrays["bank_id"].tolist(), strict=True):
        banks[reach] = (*banks.get(reach, ()), jurisdiction.decode())
    return Network(
        reaches=ReachNames(arrays["ids"]),
        index=ReachIndex(arrays["ids"], arrays["by_name"]),
        banks=MappingProxyType(banks),
        tree=Tree(**{name: arrays[name] for name in _TREE}) if "size" in arrays else None,
        **{name: arrays[name] for name in (*_EDGES, *COLUMNS)},
    )


def arrays_of(network: Network) -> dict[str, NDArray[Any]]:
    """Everything a network is, as named arrays."""
    arrays: dict[str, NDArray[Any]] = {"ids": network.index.encoded, "by_name": network.index.by_name}
    arrays.update({name: getattr(network, name) for name in (*_EDGES, *COLUMNS)})
    arrays.update(bank_arrays(network.banks))
    if network.tree is not None:
        arrays.update({name: getattr(network.tree, name) for name in _TREE})
    return arrays


def bank_arrays(banks: Mapping[int, Sequence[str]]) -> dict[str, NDArray[Any]]:
    """The banks as two columns, by reach."""
    pairs = [(reach, jurisdiction) for reach in sorted(banks) for jurisdiction in banks[reach]]
    return {
        "bank_reach": np.array([reach for reach, _ in pairs], dtype=np.int32),
        "bank_id": encode(jurisdiction for _, jurisdiction in pairs),
    }


def jurisdictions(network: Network, reach: str) -> tuple[str, ...]:
    """The ids on the left and right bank of a border reach (city or administration), () for any other. Raises `KeyError` without such a reach."""
    return network.banks.get(network.index[reach], ())
