"""How `tocsin explain` speaks: one language, one time zone, the region's names; numbers and spans as a person says them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from stream.decide.disclosure import Shown
from stream.records.instants import DAY, HOUR, MINUTE, from_text
from stream.region.administrations import name_of
from stream.review.explain_sentences import SENTENCES
from stream.review.explain_verdicts import VERDICTS
from stream.review.explain_words import LANGUAGES, NO_EVIDENCE_NOW, NOTES, UNKNOWN, WORDS
from stream.warnings.texts import word as message_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.records.warning import Evidence, EvidenceSummary
    from stream.region.model import Region

COMPASS = (
    ("north", "北"), ("north-east", "东北"), ("east", "东"), ("south-east", "东南"),
    ("south", "南"), ("south-west", "西南"), ("west", "西"), ("north-west", "西北"),
)  # fmt: skip
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
TEXTS = SENTENCES | VERDICTS
_COUNT = "count"
_NAMED = 12


class Voice:
    """A language ("en" or "zh"), the region whose names are used (None: ids), and the time zone instants are told in.

    `year`: the one that goes without saying; None = every instant is told with its year.
    """

    def __init__(self, language: str, region: Region | None, zone: tzinfo = UTC, year: int | None = None) -> None:
        self.language = language
        self._at = LANGUAGES.index(language)
        self._region = region
        self._zone = zone
        self._year = year

    def say(self, key: str, **fields: object) -> str:
        """The sentence of this key."""
        return TEXTS[key][self._at].format(**fields)

    def knows(self, key: str) -> bool:
        """Whether there is a sentence of this key."""
        return key in TEXTS

    def word(self, key: str, kind: str = "") -> str:
        """A word of the service in the reader's language; one that nobody translated stays as it is."""
        for name in (f"{kind}:{key}", key) if kind else (key,):
            if name in WORDS:
                return WORDS[name][self._at]
        return message_word(self.language, key).replace("_", " ")

    def note(self, word: str) -> str:
        """What footprints and fusion say beside an arrival: a word, or a word and what it is about behind a colon; "" for what goes without saying.

        >>> Voice("en", None).note("several_branches"), Voice("en", None).note("delay:r2@14")
        ('the river splits on the way', 'a gate or dam holds it back (reported at r2, km 14)')
        """
        key, _, what = word.partition(":")
        if key not in NOTES:
            return word.replace("_", " ")
        reach, place, km = what.partition("@")
        spot = f"{reach}, km {km}" if self.language == "en" else f"{reach} {km} 公里处"
        return NOTES[key][self._at].format(what=spot if place else self.city(what) if what else "")

    def because(self, text: str) -> str:
        """Why an arrival is not known."""
        if self.language == "zh":
            return UNKNOWN.get(text, text)
        return NO_EVIDENCE_NOW if text == "no_evidence_now" else text.replace("_", " ")

    def city(self, city_id: str) -> str:
        """The name of a city or an administration."""
        return city_id if self._region is None else name_of(self._region, city_id, self.language)

    def moment(self, at: int | str, beside: int | str | None = None) -> str:
        """An instant to the minute, with the mark of its zone; only the hour when it is on the day of the instant `beside` it.

        >>> Voice("en", None).moment("2005-12-07T13:00:00Z"), Voice("zh", None, year=2005).moment("2005-12-07T13:00:00Z")
        ('7 Dec 2005 13:00Z', '12月7日 13:00Z')
        >>> Voice("en", None).moment("2005-12-07T13:00:00Z", "2005-12-07T15:00:00Z")
        '13:00Z'
        """
        when = self._local(at)
        hour = f"{when:%H:%M}{self._mark(when)}"
        if beside is not None and self._local(beside).date() == when.date():
            return hour
        with_year = when.year != self._year
        if self.language == "zh":
            return f"{f'{when.year}年' if with_year else ''}{when.month}月{when.day}日 {hour}"
        return f"{when.day} {MONTHS[when.month - 1]}{f' {when.year}' if with_year else ''} {hour}"

    def zone(self, at: int | str) -> str:
        """The zone that instants are told in, in words."""
        when = self._local(at)
        mark = self._mark(when)
        return "UTC (Z)" if mark == "Z" else f"{self._zone} (UTC{mark})"

    def _local(self, at: int | str) -> datetime:
        return datetime.fromtimestamp((from_text(at) if isinstance(at, str) else at) / 1000, UTC).astimezone(self._zone)

    def _mark(self, when: datetime) -> str:
        if not when.utcoffset():
            return "Z"
        offset = f"{when:%z}"
        return offset[:3] + (f":{offset[3:5]}" if offset[3:5] != "00" else "")

    def span(self, duration_ms: float) -> str:
        """A duration in the two units that matter.

        >>> [Voice("en", None).span(ms) for ms in (5_000, 90_000, 3_900_000, 100 * 3_600_000, 86_400_000)]
        ['less than a minute', '1 min', '1 h 5 min', '4 d 4 h', '24 h']
        """
        ms = abs(duration_ms)
        if ms < MINUTE:
            return "less than a minute" if self.language == "en" else "不到1分钟"
        day, hour, minute = (" d", " h", " min") if self.language == "en" else ("天", "小时", "分钟")
        between = " " if self.language == "en" else ""
        if ms < HOUR:
            parts = ((int(ms // MINUTE), minute),)
        elif ms < 2 * DAY:
            parts = (int(ms // HOUR), hour), (int(ms % HOUR // MINUTE), minute)  # type: ignore[assignment]
        else:
            parts = (int(ms // DAY), day), (int(ms % DAY // HOUR), hour)  # type: ignore[assignment]
        told = [f"{number}{unit}" for number, unit in parts if number] or [f"0{parts[-1][1]}"]
        return between.join(told)

    def percent(self, share: float) -> str:
        """A probability or a share, never more certain than it is.

        >>> [Voice("en", None).percent(one) for one in (0.9999, 0.42, 0.001, 0.0, 1.0)]
        ['over 99 %', '42 %', 'below 1 %', '0 %', '100 %']
        """
        if 0.99 < share < 1.0:  # noqa: PLR2004  the words say so
            return "over 99 %" if self.language == "en" else "99%以上"
        if 0.0 < share < 0.01:  # noqa: PLR2004
            return "below 1 %" if self.language == "en" else "不足1%"
        return f"{math.floor(100.0 * share + 0.5)} %" if self.language == "en" else f"{math.floor(100.0 * share + 0.5)}%"

    def value(self, number: float, unit: str) -> str:
        """A measured value with its unit, to four digits.

        >>> Voice("en", None).value(0.58051, "mg/l"), Voice("en", None).value(12.0, "count")
        ('0.5805 mg/l', '12')
        """
        told = f"{number:.4g}" if abs(number) < 10_000 else f"{number:.0f}"  # noqa: PLR2004
        return told if unit in ("", _COUNT) else f"{told} {unit}"

    def shown(self, one: EvidenceSummary | Evidence) -> str:
        """A value as it was told: a case count of another city in its band, a total not at all ("-")."""
        return self.value(one.value, one.unit) if one.value_to is None else Shown(one.value, one.value_to).text()

    def odds(self, probability: float) -> str:
        """The odds of a probability.

        >>> [Voice("en", None).odds(one) for one in (0.1, 0.75, 0.5, 1.0)]
        ['1 to 9', '3 to 1', '1 to 1', 'certain']
        """
        if not 0.0 < probability < 1.0:
            return "certain" if self.language == "en" else "确定"
        ratio = probability / (1.0 - probability)
        told = (f"{ratio:.2g}", "1") if ratio >= 1 else ("1", f"{1 / ratio:.2g}")
        return (" to " if self.language == "en" else "比").join(told)

    def many(self, things: Iterable[str]) -> str:
        """A list in the language's own way."""
        return ("、" if self.language == "zh" else ", ").join(things)

    def some(self, things: Sequence[str], most: int = _NAMED) -> str:
        """The first of a list, and how many more."""
        told = self.many(things[:most])
        return told + self.say("and_more", count=len(things) - most) if len(things) > most else told

    def compass(self, degrees: float) -> str:
        """A direction in words, of eight.

        >>> Voice("en", None).compass(80.0)
        'east'
        """
        return COMPASS[int((degrees % 360.0 + 22.5) // 45.0) % 8][self._at]

    def km(self, distance_km: float) -> str:
        """A distance."""
        told = f"{distance_km:.0f}" if distance_km >= 10 else f"{distance_km:.1f}"  # noqa: PLR2004
        return f"{told} km" if self.language == "en" else f"{told}公里"
