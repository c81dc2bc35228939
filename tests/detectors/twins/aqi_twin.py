"""Scalar twin of `detectors.aqi` (the tables are data and shared; everything computed from them is not)."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from hourly_twin import HoursTwin
from hysteresis_twin import NAN, SUSPECT, HysteresisTwin, score_of

from detectors.aqi_tables import EPA_UNITS_PER_SI, SCALES, Averaging, Pollutant, Table

HJ_2026, EPA_2024 = 1_772_294_400_000, 1_714_968_000_000  # 2026-03-01 in Beijing, 2024-05-06 in Washington


def index_twin(table, pollutant, concentration, averaging):
    """The index in exact arithmetic."""
    if math.isnan(concentration):
        return NAN
    scale = SCALES[table][pollutant, averaging]
    step = Decimal(1).scaleb(-scale.decimals)
    exact_value = Decimal(repr(concentration))
    if scale.truncates:
        exact_value += step / 1_000_000  # a mean that is 266 but for round-off is not cut to 265.9
    shown = exact_value.quantize(step, ROUND_DOWN if scale.truncates else ROUND_HALF_EVEN)
    pieces = [(Decimal(str(low)), Decimal(str(high))) for low, high in zip(scale.low, scale.high, strict=True)]
    if shown < pieces[0][0]:
        return NAN
    k = max(k for k, (low, _) in enumerate(pieces) if low <= shown)
    low, high = map(Fraction, pieces[k])
    index_low, index_high = Fraction(scale.index_low[k]), Fraction(scale.index_high[k])
    fine = index_low + (index_high - index_low) / (high - low) * (Fraction(shown) - low)
    exact = Decimal(fine.numerator) / Decimal(fine.denominator)
    whole = float(exact.to_integral_value(ROUND_HALF_UP if scale.truncates else ROUND_CEILING))
    return whole if scale.continues else min(whole, scale.index_high[-1])


def nowcast_twin(hours):
    """EPA's NowCast of a list of twelve hourly means, newest last, None = missing."""
    if sum(hour is not None for hour in hours[-3:]) < 2:
        return NAN
    known = [hour for hour in hours if hour is not None]
    weight = max(min(known) / max(known), 0.5) if max(known) > 0 else 1.0
    above = below = 0.0
    for age, hour in enumerate(reversed(hours)):
        if hour is not None:
            above += weight**age * hour
            below += weight**age
    return above / below


class AqiTwin:
    """One pollutant at one site."""

    def __init__(self, parameters):
        p = parameters
        limits = [p[f"{level}_aqi"] for level in ("blue", "yellow", "orange", "red")]
        clear = [limit * (1.0 - p["clear_fraction"]) for limit in limits]
        self.rule = HysteresisTwin(limits, clear, p["raise_after_n"], p["clear_after_n"])
        self.lowest = min((limit for limit in limits if not math.isnan(limit)), default=NAN)
        self.table, self.pollutant, self.smooth = int(p["table"]), Pollutant(int(p["pollutant"])), p["nowcast"] > 0
        self.hours = HoursTwin(12)
        self.observed_at = None
        self.value = NAN

    def step(self, observed_at, value, flag, in_order):
        """(level, score, trend, why) after one sample."""
        newest = in_order and (self.observed_at is None or observed_at > self.observed_at)
        trend = NAN
        if newest and self.observed_at is not None:
            trend = (value - self.value) / ((observed_at - self.observed_at) / 3_600_000)
        self.version = {
            101: Table.HJ_633_2026 if observed_at >= HJ_2026 else Table.HJ_633_2012,
            102: Table.EPA_2024 if observed_at >= EPA_2024 else Table.EPA_2015,
        }.get(self.table) or Table(self.table)
        seen = self.hours.place(observed_at // 3_600_000, value, newest, keep=flag != SUSPECT)
        aqi = NAN if self.hours.hour is None else self._index([seen.get(self.hours.hour - age) for age in range(11, -1, -1)])
        why = self.rule.move(aqi, flag, newest and not math.isnan(aqi))
        if newest:
            self.observed_at, self.value = observed_at, value
        if math.isnan(aqi):
            return self.rule.level, score_of(0.0, self.lowest), trend, "too_few_hours"
        return self.rule.level, score_of(aqi, self.lowest), trend, why

    def _index(self, hours):
        newest = NAN if hours[-1] is None else hours[-1]
        if self.pollutant in (Pollutant.PM25, Pollutant.PM10):
            return index_twin(self.version, self.pollutant, nowcast_twin(hours) if self.smooth else newest, Averaging.DAY)
        if self.version.name.startswith("HJ"):
            return index_twin(self.version, self.pollutant, newest, Averaging.HOUR)
        factor = EPA_UNITS_PER_SI[self.pollutant]
        if self.pollutant in (Pollutant.SO2, Pollutant.NO2):
            return index_twin(self.version, self.pollutant, newest * factor, Averaging.HOUR)
        known = [hour * factor for hour in hours[-8:] if hour is not None]
        mean = sum(known) / len(known) if len(known) >= 6 else NAN
        by_8h = index_twin(self.version, self.pollutant, mean, Averaging.EIGHT_HOURS)
        if self.pollutant is Pollutant.CO:
            return by_8h
        by_1h = index_twin(self.version, self.pollutant, newest * factor, Averaging.HOUR)
        return max((i for i in (by_8h, by_1h) if not math.isnan(i)), default=NAN)
