"""Scalar twin of `detectors.cusum`: one series, sample by sample."""

from __future__ import annotations

import math

from hysteresis_twin import NAN, SUSPECT, HysteresisTwin


class CusumTwin:
    """A slow baseline, residuals without their autocorrelation, and the evidence they add up to."""

    def __init__(self, parameters):
        p = self.p = parameters
        limits = [p[f"h_{level}"] for level in ("blue", "yellow", "orange", "red")]
        self.rule = HysteresisTwin(limits, [h * p["clear_fraction"] for h in limits], p["raise_after_n"], p["clear_after_n"])
        self.decay = 2 * p["k"] if math.isnan(p["decay"]) else p["decay"]
        self.freeze_at = 13.8 / self.decay - 0.583
        self.most = 2 * max([self.freeze_at, *(h for h in limits if not math.isnan(h))])
        self.observed_at = self.frozen_at = None
        self.value = self.last = self.mean = NAN
        self.count = 0
        self.variance = self.product = self.scale = self.step_ms = self.sum = 0.0

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one sample."""
        p = self.p
        learning = self.count < p["warmup_n"]
        if not in_order or (self.observed_at is not None and observed_at <= self.observed_at):
            return self._say(learning, NAN, "late")
        elapsed_ms = observed_at - self.observed_at if self.count else 0
        trend = (value - self.value) / (elapsed_ms / 3_600_000) if self.count else NAN
        if flag == SUSPECT:
            return self._say(learning, trend, "suspect")
        x = math.log(max(value, p["log_floor"])) if p["log_floor"] > 0 else value
        follows = self.count > 0 and elapsed_ms <= p["gap_s"] * 1000
        if self.count == 0:
            self.mean = x
        d, before = x - self.mean, (self.last if self.count else x) - self.mean
        share = -math.expm1(-elapsed_ms / (p["tau_s"] * 1000))
        residual = self._residual(d, before, elapsed_ms, share) if follows else 0.0
        if follows:
            z = residual / max(self.scale, p["sd_min"])
            self.sum = 0.0 if learning else min(max(0.0, self.sum + min(z, p["z_max"]) - p["k"]), self.most)
        why = self.rule.move(NAN if learning else self.sum, flag, newest=True)
        self._learn(observed_at, (d, before, residual, elapsed_ms), max(share, 1 / (self.count + 1)), follows)
        self.observed_at, self.value, self.last = observed_at, value, x
        self.count += 1
        return self._say(learning, trend, "learning" if learning and not self.rule.level else why)

    def _say(self, learning, trend, why):
        score = 0.0 if learning or not self.sum else self.decay * (self.sum + 0.583) / math.log(10)
        return self.rule.level, score, trend, why

    def _residual(self, d, before, elapsed_ms, share):
        rho = self.product / self.variance if self.variance else 0.0
        rho += (1 + 4 * rho) * max(1 / self.count, share / 2)
        phi = min(max(rho, 0.0), 0.999) ** (elapsed_ms / max(self.step_ms, 1))
        return (d - phi * before) / math.sqrt(1 - phi * phi)

    def _learn(self, observed_at, seen, gain, follows):
        d, before, residual, elapsed_ms = seen
        if follows:
            self.step_ms += max(gain, 1 / self.count) * (elapsed_ms - self.step_ms)
        frozen = self.sum >= self.freeze_at or (self.frozen_at is not None and self.rule.level > 0)
        if not frozen:
            self.frozen_at = None
        elif self.frozen_at is None:
            self.frozen_at = observed_at
        if frozen and observed_at - self.frozen_at <= self.p["freeze_s"] * 1000:
            return
        clip = math.inf if self.count < 20 else 2.5 * math.sqrt(self.variance)
        most = math.inf if self.count < 20 else 2.5 * max(self.scale, self.p["sd_min"])
        d, before = (min(max(one, -clip), clip) for one in (d, before))
        self.variance += gain * (d * d - self.variance)
        if follows:
            self.product += gain * (d * before - self.product)
            self.scale += gain * (1.25963 * min(abs(residual), most) - self.scale)
        self.mean += gain * d
