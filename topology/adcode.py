"""Administrative division codes of China (GB/T 2260): which codes are the same place written twice.

Six digits, two for the province, two for the prefecture, two for the county. Three traps: a municipality has a pseudo-prefecture (110100 is
110000 again), counties directly under a province hang on a pseudo-prefecture that is no place (429004 under 429000), and a few
prefectures have no county below them (441900, 442000). Two cities of one region that are the same place would be warned twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
_DIGITS = 6
NATION = "cn"
# The prefecture digits of what stands directly below: 01 city districts, 02 counties of a municipality; 90 counties of a province.
_PSEUDO_OF_MUNICIPALITY = frozenset({"01", "02"})
_DIRECT = "90"


def is_code(text: str) -> bool:
    """Whether this has the shape of a code of GB/T 2260.

    >>> is_code("230100"), is_code("DE-BY")
    (True, False)
    """
    return len(text) == _DIGITS and text.isascii() and text.isdigit() and text[:2] != "00"


def canonical(adcode: str) -> str:
    """The code of the real administration: that of the municipality or province for a pseudo-prefecture, else the code itself.

    >>> canonical("110100"), canonical("500200"), canonical("429000"), canonical("429004"), canonical("230100")
    ('110000', '500000', '420000', '429004', '230100')
    """
    if not is_code(adcode) or adcode[4:] != "00":
        return adcode
    province, prefecture = adcode[:2], adcode[2:4]
    pseudo = prefecture == _DIRECT or (province in MUNICIPALITIES and prefecture in _PSEUDO_OF_MUNICIPALITY)
    return f"{province}0000" if pseudo else adcode


def above(adcode: str) -> tuple[str, ...]:
    """The codes of the real administrations above, nearest first; empty for a province and for what is no code.

    >>> above("230102"), above("110105"), above("429004"), above("441900"), above("230000")
    (('230100', '230000'), ('110000',), ('420000',), ('440000',), ())
    """
    if not is_code(adcode):
        return ()
    own = canonical(adcode)
    chain = (canonical(f"{own[:4]}00"), f"{own[:2]}0000")
    return tuple(one for one in dict.fromkeys(chain) if one != own)


def level(adcode: str) -> str:
    """What kind of administration a code is: province, prefecture or county; "" for what is no code.

    >>> level("230000"), level("110100"), level("230100"), level("429004"), level("harbin")
    ('province', 'province', 'prefecture', 'county', '')
    """
    own = canonical(adcode)
    if not is_code(own):
        return "nation" if own == NATION else ""
    return "province" if own.endswith("0000") else "prefecture" if own.endswith("00") else "county"


def above_by_code(adcodes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Who stands above each id (id -> adcode, "" unknown) by its code alone, nearest first, up to the nation.

    An administration is named by the id that has its code, where one does, else by the code. Ids without a code are left out.

    >>> above_by_code({"harbin": "230100", "daoli": "230102", "heilongjiang": "230000", "linz": ""})["daoli"]
    ('harbin', 'heilongjiang', 'cn')
    """
    ids = {canonical(code): one for one, code in reversed(list(adcodes.items())) if is_code(code)}
    return {one: (*(ids.get(code, code) for code in above(adcode)), NATION) for one, adcode in adcodes.items() if is_code(adcode)}


def same_place(adcodes: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Groups of ids (city id -> adcode, "" unknown) that are one administration written twice, each group in the order given.

    >>> same_place({"beijing": "110000", "beijing-city": "110100", "harbin": "230100", "other": ""})
    (('beijing', 'beijing-city'),)
    """
    groups: dict[str, list[str]] = {}
    for city_id, adcode in adcodes.items():
        if is_code(adcode):
            groups.setdefault(canonical(adcode), []).append(city_id)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
