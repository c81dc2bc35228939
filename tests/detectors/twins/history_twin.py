"""Scalar twin of `detectors.history`."""

from __future__ import annotations


class HistoryTwin:
    """The newest eight samples of one series as a dictionary by instant."""

    def __init__(self):
        self.samples = {}

    def classify(self, observed_at, value):
        """The name of the arrival."""
        if observed_at in self.samples:
            return "DUPLICATE" if self.samples[observed_at][0] == value else "CORRECTION"
        if not self.samples or observed_at > max(self.samples):
            return "NEW"
        return "TOO_OLD" if len(self.samples) == 8 and observed_at < min(self.samples) else "OUT_OF_ORDER"

    def push(self, observed_at, value, flag):
        """Remember one sample."""
        self.samples[observed_at] = (value, flag)
        if len(self.samples) > 8:
            del self.samples[min(self.samples)]

    def newest_first(self):
        """[(observed_at, value, flag), ...]"""
        return [(at, *self.samples[at]) for at in sorted(self.samples, reverse=True)]
