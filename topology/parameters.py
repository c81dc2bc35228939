"""Parameters of a footprint: the defaults of its module, overridden by the hazard, checked all at once.

A misspelt name silently ignored, or a negative speed, would move every warning of a hazard; both are refused with their limits.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from topology.base import Fault, TopologyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Limits = Mapping[str, tuple[float, float]]


def parameter_faults(defaults: Mapping[str, float], limits: Limits, given: Mapping[str, float]) -> tuple[Fault, ...]:
    """Everything wrong with the `given` overrides: unknown names, values that are not finite or outside `limits` (inclusive)."""
    faults: list[Fault] = []
    for name in sorted(given):
        if name not in defaults:
            faults.append(Fault("parameters", 0, name, "no such parameter", f"use one of {', '.join(sorted(defaults))}"))
            continue
        low, high = limits[name]
        if not low <= given[name] <= high:
            faults.append(Fault("parameters", 0, name, f"{given[name]} is out of range", f"give a number from {low:g} to {high:g}"))
    return tuple(faults)


def merged(defaults: Mapping[str, float], limits: Limits, given: Mapping[str, float]) -> Mapping[str, float]:
    """The parameters in force: `defaults` overridden by `given`. Raises `TopologyError` with every fault."""
    faults = parameter_faults(defaults, limits, given)
    if faults:
        raise TopologyError(faults)
    return MappingProxyType({**defaults, **{name: float(value) for name, value in given.items()}})
