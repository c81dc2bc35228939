"""A histogram that takes whole arrays: one addition a batch, where the client library's takes one call a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


class Tallied(Collector):
    """A histogram with one label. `bounds`: the upper bounds of its buckets, rising; values below 0 count as 0.

    >>> import numpy as np
    >>> some = Tallied("t_seconds", "Some", "door", (1.0, 5.0))
    >>> some.observe("a", np.array([0.5, 1.0, 3.0, 9.0])); [(s.labels.get("le"), s.value) for m in some.collect() for s in m.samples]
    [('1.0', 2), ('5.0', 3), ('+Inf', 4), (None, 4), (None, 13.5)]
    """

    def __init__(self, name: str, text: str, label: str, bounds: Sequence[float]) -> None:
        self._name, self._text, self._label = name, text, label
        self._bounds = np.array(bounds)
        self._found: dict[str, tuple[NDArray[np.int64], float]] = {}

    def observe(self, label: str, values: NDArray[np.float64]) -> None:
        """Count these values under a label."""
        values = np.maximum(values, 0.0)
        added = np.bincount(np.searchsorted(self._bounds, values), minlength=len(self._bounds) + 1)
        counts, total = self._found.get(label, (0, 0.0))
        # One assignment: whoever collects in another thread sees the old ones or the new ones.
        self._found[label] = counts + added, total + float(values.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The histogram as it is now."""
        family = HistogramMetricFamily(self._name, self._text, labels=[self._label])
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for label, (counts, total) in list(self._found.items()):
            family.add_metric([label], list(zip(names, np.cumsum(counts).tolist(), strict=True)), total)
        return [family]
