"""Scalar twin of `detectors.air_forecast`: one site, a dictionary of hours, lists and loops."""

from __future__ import annotations

import math
from statistics import NormalDist

from hourly_twin import HoursTwin
from hysteresis_twin import NAN, SUSPECT, HysteresisTwin, score_of

SD = [0.1] + [0.6] * 5 + [0.15] * 12 + [0.1] * 4


class AirForecastTwin:
    """One site."""

    def __init__(self, parameters):
        p = parameters
        limits = [p[f"{level}_mean"] for level in ("blue", "yellow", "orange", "red")]
        clear = [limit * (1.0 - p["clear_fraction"]) for limit in limits]
        self.rule = HysteresisTwin(limits, clear, p["raise_after_n"], p["clear_after_n"])
        self.lowest = min((limit for limit in limits if not math.isnan(limit)), default=NAN)
        self.lead = int(p["lead_h"])
        self.z = NormalDist().inv_cdf(1.0 - p["chance_fraction"])
        self.theta = [0.0] * 22
        self.theta[2] = self.theta[5] = 0.5
        self.cov = [[SD[i] ** 2 if i == j else 0.0 for j in range(22)] for i in range(22)]
        self.error, self.learned = 0.09, 0
        self.hours = HoursTwin(48)
        self.beside = {}
        self.observed_at, self.value = None, NAN
        self.exceedance = NAN

    def step(self, observed_at, value, flag, in_order, context=NAN):
        """(level, score, trend, why) after one sample; also sets exceedance."""
        hour = observed_at // 3_600_000
        newest = in_order and (self.observed_at is None or observed_at > self.observed_at)
        if newest and self.hours.hour is not None and hour > self.hours.hour:
            self.learn()
        trend = NAN
        if newest and self.observed_at is not None:
            trend = (value - self.value) / ((observed_at - self.observed_at) / 3_600_000)
        beside = self.place_beside(hour, context - value, newest, keep=flag != SUSPECT)
        seen = self.hours.place(hour, value, newest, keep=flag != SUSPECT)
        mean, deviation = self.forecast(seen, beside)
        if newest:
            self.observed_at, self.value = observed_at, value
        reach = mean + deviation * self.z
        known = not math.isnan(mean)
        why = self.rule.move(reach, flag, newest and known)
        self.exceedance = 0.5 * math.erfc((self.lowest - mean) / deviation / math.sqrt(2.0)) if known else NAN
        return self.rule.level, score_of(reach if known else 0.0, self.lowest), trend, why if known else "too_few_hours"

    def place_beside(self, hour, more, newest, *, keep):
        if newest:
            self.beside = {h: v for h, v in self.beside.items() if h > hour - 48}
        placed = newest or (self.hours.hour is not None and self.hours.hour - 48 < hour <= self.hours.hour)
        if math.isnan(more) or not placed:
            return self.beside
        seen = {**self.beside, hour: more}
        if keep and (newest or hour not in self.beside):
            self.beside = seen
        return seen

    def x(self, hours, beside, end):
        """The regressors at the hour `end`; None where too few hours are known."""
        means = [mean_of(hours, end, n, 0.25 if n == 24 else 0.0) for n in (1, 3, 6, 12, 24)]
        if means[0] is None:
            means[0] = means[1]
        if None in means or math.isnan(self.lowest):
            return None
        means = [mean / self.lowest for mean in means]
        day = 2.0 * math.pi * (end % 24) / 24
        cycle = [math.sin(day), math.cos(day), math.sin(2 * day), math.cos(2 * day)]
        others = [(mean_of(beside, end, n, 0.0) or 0.0) / self.lowest for n in (1, 3, 6, 12)]
        return [1.0, *means, *cycle, *(means[0] * wave for wave in cycle), *(means[4] * wave for wave in cycle), *others]

    def forecast(self, hours, beside):
        x = None if self.hours.hour is None else self.x(hours, beside, self.hours.hour)
        measured = 0.0 if self.lead == 24 or self.hours.hour is None else mean_of(hours, self.hours.hour, 24 - self.lead, 0.25)
        if x is None or measured is None:
            return NAN, NAN
        rest = max(sum(t * v for t, v in zip(self.theta, x, strict=True)), 0.0)
        share = self.lead / 24
        mean = (1.0 - share) * measured + share * rest * self.lowest
        return mean, share * math.sqrt(self.error) * (rest + 0.2) * self.lowest

    def learn(self):
        x = self.x(self.hours.means, self.beside, self.hours.hour - self.lead)
        seen = mean_of(self.hours.means, self.hours.hour, self.lead, 0.75)
        if x is None or seen is None:
            return
        seen /= self.lowest
        expected = sum(t * v for t, v in zip(self.theta, x, strict=True))
        gain = [sum(c * v for c, v in zip(row, x, strict=True)) for row in self.cov]
        total = sum(g * v for g, v in zip(gain, x, strict=True)) + 0.16
        base = max(expected, 0.0) + 0.2
        farthest = 6.0 * math.sqrt(self.error) * base
        error = min(max(seen - expected, -farthest), farthest)
        for i in range(22):
            self.theta[i] += gain[i] * error / total
            for j in range(22):
                self.cov[i][j] -= gain[i] * gain[j] / total
            self.cov[i][i] += 2e-6 * SD[i] ** 2
        share = max(1 / 2000, 1 / (self.learned + 100))
        self.error += share * ((error / base) ** 2 - self.error)
        self.learned += 1


def mean_of(hours, end, length, needed):
    """The mean of the `length` hours up to `end`; None unless a share `needed` of them is known."""
    known = [hours[hour] for hour in range(end - length + 1, end + 1) if hour in hours]
    return sum(known) / len(known) if known and len(known) >= needed * length else None
