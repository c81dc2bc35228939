"""`principals.toml`: who has which role, by the names under which the cluster knows them. No secret stands in it.

worker = ["User:worker-0", "User:worker-1"]     # users with a password (SCRAM)
sre = ["User:CN=sre"]                           # certificates, by their subject
[centre]
harbin = ["User:centre-harbin"]                 # each city its own
[coordinator]
heilongjiang = ["User:coordinator"]             # reads the cities below this body
[door]
upper = ["User:upper"]                          # writes to ingest.upper, and nothing else
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.records.canary import PRINCIPAL
from stream.region.administrations import recipients
from stream.region.principals import own_doors
from stream.region.problems import nearest
from stream.runtime.roles import OF_ONE, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from stream.region.model import Region

_USER = "User:"
_ANYBODY = frozenset({"User:*", "User:ANONYMOUS"})


class Holding(NamedTuple):
    """One principal in one role. `of`: whose the role is: a city, a body, a door; "" for the others."""

    role: Role
    of: str
    principal: str


@dataclass(frozen=True, slots=True)
class Served:
    """What the regions say about who is there. `above`: of each city and body, who stands above it."""

    above: Mapping[str, tuple[str, ...]]
    doors: tuple[str, ...]

    @classmethod
    def by(cls, regions: Iterable[Region]) -> Served:
        """Who has topics of his own in these regions."""
        found = list(regions)
        above: dict[str, tuple[str, ...]] = {}
        for region in found:
            for one in recipients(region):
                above[one] = tuple(dict.fromkeys((*above.get(one, ()), *region.above[one])))
        return cls(above, tuple(sorted({one for region in found for one in own_doors(region.principals)})))

    def below(self, body: str) -> tuple[str, ...]:
        """The cities and bodies below a body.

        >>> Served({"a": ("p",), "b": ("p", "n"), "p": ("n",), "n": ()}, ()).below("p")
        ('a', 'b')
        """
        return tuple(one for one, above in sorted(self.above.items()) if body in above)


def read(path: Path) -> tuple[Holding, ...]:
    """Who has which role; TocsinError names everything that is wrong in the file."""
    try:
        top = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}; `stream/runtime/holders.py` shows such a file"
        raise TocsinError(msg) from error
    held: list[Holding] = []
    wrong: list[str] = []
    for name, value in top.items():
        if name not in list(Role):
            wrong.append(f"{name}: there is no such role; {nearest(name, list(Role))}")
        elif Role(name) not in OF_ONE:
            held += _principals(Role(name), PRINCIPAL if name == Role.CANARY else "", value, wrong)
        elif isinstance(value, dict):
            held += [one for of, names in value.items() for one in _principals(Role(name), of, names, wrong)]
        else:
            wrong.append(f"{name}: it is somebody's: write a table [{name}] with lines like {EXAMPLES[Role(name)]}")
    if wrong or not held:
        lines = "\n".join(f"  {one}" for one in wrong or ["it names nobody"])
        msg = f"{path} cannot be used:\n{lines}"
        raise TocsinError(msg)
    return tuple(held)


EXAMPLES = {
    Role.CENTRE: 'harbin = ["User:centre-harbin"]',
    Role.COORDINATOR: 'heilongjiang = ["User:coordinator"]',
    Role.DOOR: 'upper = ["User:upper"]',
}


def _principals(role: Role, of: str, names: object, wrong: list[str]) -> list[Holding]:
    place = f"{role}.{of}" if role in OF_ONE else str(role)
    if not isinstance(names, list) or not names:
        wrong.append(f'{place}: write a list: ["User:name"] of users with a password, ["User:CN=name"] of certificates')
        return []
    good = [one for one in names if isinstance(one, str) and one.startswith(_USER) and one[len(_USER) :].strip() and one not in _ANYBODY]
    wrong += [f'{place}: {one!r} is no principal: "User:name", or "User:CN=name" of a certificate' for one in names if one not in good]
    return [Holding(role, of, one) for one in dict.fromkeys(good)]


def known(held: Iterable[Holding], served: Served) -> None:
    """TocsinError for whoever the regions do not know: he would get permissions on topics that are not there, or are somebody else's later."""
    there = {Role.CENTRE: served.above.keys(), Role.COORDINATOR: served.above.keys(), Role.DOOR: frozenset(served.doors)}
    wrong = {f"{one.role}.{one.of}" for one in held if one.role in there and one.of not in there[one.role]}
    if wrong:
        msg = (
            f"no active region knows {', '.join(sorted(wrong))}: correct the name, activate its region first, or give the region as an argument; "
            f"there are {', '.join(sorted(served.above)[:20])} and the doors {', '.join(served.doors) or 'of nobody'}"
        )
        raise TocsinError(msg)
