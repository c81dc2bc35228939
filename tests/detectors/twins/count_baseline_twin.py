"""Scalar twin of `detectors.count_baseline`, `count_period` and `excess`: one series, lists and loops."""

from __future__ import annotations

import math

YEAR_S, WEEK_S, DAY_S = 365.2425 * 86_400.0, 604_800.0, 86_400.0
NAN = math.nan


def tail_twin(count, mean, phi):
    """Natural logarithm of P(Y >= count), by adding up the probabilities from `count` on."""
    if count <= 0:
        return 0.0
    size, q = mean / (phi - 1.0), 1.0 - 1.0 / phi
    first = math.lgamma(count + size) - math.lgamma(count + 1) - math.lgamma(size) - size * math.log(phi) + count * math.log(q)
    ratio, total, k = 1.0, 1.0, count
    while ratio > 1e-17 * total or k < mean:
        ratio *= (k + size) / (k + 1.0) * q
        total += ratio
        k += 1
    return min(first + math.log(total), 0.0)


class BaselineTwin:
    """Learns its open period when the next one begins."""

    def __init__(self, period_s, warmup):
        self.period_s, self.warmup = period_s, warmup
        self.daily = period_s < 2 * DAY_S
        self.size = 12 if self.daily else 6
        self.periods, self.phi, self.total = 0, 1.5, 0.0
        self.theta = [0.0] * self.size
        self.cov = [[0.0] * self.size for _ in range(self.size)]
        self.opened_s = None
        self.count = self.expected = self.count_before = self.expected_before = NAN
        self.weight = 0.0

    def x(self, at_s):
        middle = at_s - 0.5 * self.period_s
        cycles = [(YEAR_S, 1), (YEAR_S, 2)] + ([(WEEK_S, k) for k in (1, 2, 3)] if self.daily else [])
        row = [1.0, 0.0]
        for cycle, k in cycles:
            angle = 2.0 * math.pi * k * (middle % cycle) / cycle
            row += [math.cos(angle), math.sin(angle)]
        return row

    def mean(self, x):
        return max(math.exp(min(sum(t * v for t, v in zip(self.theta, x, strict=True)), 16.0)), 0.005)

    def variance(self, x):
        return min(max(sum(a * self.cov[i][j] * b for i, a in enumerate(x) for j, b in enumerate(x)), 0.0), 1.0)

    def predict(self, at_s):
        """(mean, phi, variance of log mean) of the period that ends at this instant."""
        x = self.x(at_s)
        weeks = 0.0 if self.opened_s is None else (at_s - self.opened_s) / WEEK_S
        x[1] = min(max(weeks, -104.0), 104.0)
        return self.mean(x), max(self.phi, 1.02), self.variance(x)

    def open(self, at_s):
        self._learn()
        gap_s = 0.0 if self.opened_s is None else at_s - self.opened_s
        self._move_on(min(gap_s / WEEK_S, 104.0))
        follows = self.opened_s is not None and gap_s < 1.5 * self.period_s
        self.count_before = self.count if follows else NAN
        self.expected_before = self.expected if follows else NAN
        self.opened_s = at_s

    def _learn(self):
        if self.weight <= 0:
            return
        if self.periods < 9:
            self.total += self.count
            if self.periods == 8:
                self._start()
        else:
            self._regress(1.0 if self.periods < self.warmup else self.weight)
        self.periods += 1

    def _start(self):
        self.theta = [math.log((self.total + 0.5) / 9.0)] + [0.0] * (self.size - 1)
        sds = [1.0, 0.003, 0.3, 0.3, 0.1, 0.1] + [0.3] * (self.size - 6)
        self.cov = [[sds[i] ** 2 if i == j else 0.0 for j in range(self.size)] for i in range(self.size)]
        self.cov[0][0] = min(1.0, 1.5 / (self.total + 0.5))

    def _regress(self, weight):
        x = self.x(self.opened_s)
        mean, phi = self.mean(x), max(self.phi, 1.02)
        gain = [sum(c * v for c, v in zip(row, x, strict=True)) for row in self.cov]
        variance = sum(g * v for g, v in zip(gain, x, strict=True))
        wide = phi + mean * min(max(variance, 0.0), 1.0)
        z = 2.575829
        kept = min(self.count, mean + z * math.sqrt(wide * mean) + (2.0 * wide - 1.0) * (z * z - 1.0) / 6.0)
        precision = weight * mean / phi
        for i in range(self.size):
            self.theta[i] += gain[i] / (1.0 / precision + variance) * (kept - mean) / mean
            for j in range(self.size):
                self.cov[i][j] -= gain[i] * gain[j] / (1.0 / precision + variance)
        share = max(self.period_s / WEEK_S / 520.0, 1.0 / (self.periods + 10.0)) * weight
        whole = 1.01 + 0.039 * min(math.sqrt((phi - 1.0) / mean), 5.0)
        self.phi = max(phi + share * ((kept - mean) ** 2 / mean * phi / wide * whole - phi), 1.02)

    def _move_on(self, weeks):
        faded = 0.9995**weeks
        reach = (1.0 - faded) / -math.log(0.9995)
        matrix = [[1.0 if i == j else 0.0 for j in range(self.size)] for i in range(self.size)]
        matrix[0][1], matrix[1][1] = reach, faded
        self.theta = [sum(m * t for m, t in zip(row, self.theta, strict=True)) for row in matrix]
        half = [[sum(row[k] * self.cov[k][j] for k in range(self.size)) for j in range(self.size)] for row in matrix]
        self.cov = [[sum(half[i][k] * matrix[j][k] for k in range(self.size)) for j in range(self.size)] for i in range(self.size)]
        if self.periods >= 9:
            for i, drift in enumerate([1e-5, 2e-9, 5e-7, 5e-7, 5e-7, 5e-7, *[1e-6] * (self.size - 6)]):
                self.cov[i][i] += weeks * drift


class CountTwin:
    """What the count detectors share: which period a count belongs to, what of it is learned, and why."""

    def __init__(self, parameters):
        self.baseline = BaselineTwin(parameters["period_s"], parameters["warmup_periods"])
        self.newest_s, self.value = None, NAN
        self.cumulative = parameters["cumulative"] > 0
        self.total = self.total_before = None  # (instant, total)

    def cases(self, at_s, value, suspect, in_order):
        """The cases of the period of a running total; NaN where they cannot be told. To be asked before `take`."""
        if not self.cumulative:
            return value
        base = self.baseline
        newest = in_order and (self.newest_s is None or at_s > self.newest_s)
        since = math.inf if base.opened_s is None else at_s - base.opened_s
        if newest and since > 0.5 * base.period_s:
            self.total_before = self.total
        elif not 0.0 <= since <= 0.5 * base.period_s:
            return NAN
        if not suspect and (self.total is None or at_s >= self.total[0]):
            self.total = (at_s, value)
        if self.total_before is None:
            return NAN
        then, before = self.total_before
        return (value - before) / max(round((at_s - then) / base.period_s), 1)

    def take(self, at_s, in_order):
        """Open a period if the sample begins one; (newest, begun, open, known)."""
        base = self.baseline
        newest = in_order and (self.newest_s is None or at_s > self.newest_s)
        since = math.inf if base.opened_s is None else at_s - base.opened_s
        begun = newest and since > 0.5 * base.period_s
        if begun:
            base.open(at_s)
        is_open = begun or (base.opened_s is not None and 0.0 <= since <= 0.5 * base.period_s)
        self.before = not begun and base.opened_s is not None and -1.5 * base.period_s < since <= -0.5 * base.period_s
        return newest, begun, is_open, base.periods >= 9

    def trend(self, at_s, value, newest):
        trend = (value - self.value) / ((at_s - self.newest_s) / 3600) if newest and self.newest_s is not None else NAN
        if newest:
            self.newest_s, self.value = at_s, value
        return trend

    def close(self, value, mean, suspect, how, log_p, in_alarm):
        _, begun, is_open, _ = how
        base = self.baseline
        if begun:
            base.expected, base.count, base.weight = mean, NAN, 0.0
        if is_open and value >= 0 and not suspect:
            base.count = value
            base.weight = 0.1 if in_alarm else min(max(math.exp(log_p) / 0.002, 0.1), 1.0)

        if self.before and value >= 0 and not suspect and not math.isnan(base.count_before):
            base.count_before = value

    @staticmethod
    def explain(why, raised, how, value):
        newest, begun, is_open, known = how
        if not known:
            return "learning"
        if not value >= 0 or (raised and is_open and not begun and not newest):
            return "corrected"
        return "late" if raised and not is_open else why


def log_ratio(count, mean, phi):
    size, more = mean / (phi - 1.0), mean + 2.0 * math.sqrt(phi * mean)
    return count * math.log(more * (size + mean) / (mean * (size + more))) - size * math.log((size + more) / (size + mean))
