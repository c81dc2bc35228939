"""Hourly means of one series as a reader would keep them in a dictionary: the oracle of detectors/hourly.py."""

from __future__ import annotations


class HoursTwin:
    """The means of the last `span` hours by hour number (since 1970), the newest hour, and how many samples it has."""

    def __init__(self, span):
        self.span = span
        self.means, self.hour, self.in_hour = {}, None, 0

    def place(self, hour, value, newest, *, keep):
        if newest and hour != self.hour:
            self.hour, self.in_hour = hour, 0
            self.means = {h: v for h, v in self.means.items() if h > hour - self.span}
        seen = dict(self.means)
        if self.hour is None or hour <= self.hour - self.span:
            return seen
        missing = hour not in self.means
        if newest and not missing:
            seen[hour] += (value - seen[hour]) / (self.in_hour + 1)
        else:
            seen[hour] = value
        if keep and (newest or missing):
            self.means = seen
            self.in_hour += hour == self.hour
        return seen
