"""`tocsin simulate REGION`: a fleet of gateways with realistic faults, as a file for `tocsin feed` or straight into the doors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.options import RegionArgument, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.gateways.fleet import Plan, Sent

Hours = Annotated[float, typer.Option(help="How long it goes on.", min=0.01, max=8760)]
Seed = Annotated[int, typer.Option(help="The same seed, region and span give the same bytes.")]
Start = Annotated[str | None, typer.Option(help="When it begins (RFC 3339). Default: now.", show_default=False)]
Rise = Annotated[
    list[str] | None,
    typer.Option(help="A series that climbs to five times its usual value towards the end; repeat for more.", show_default=False),
]
Faulty = Annotated[float, typer.Option(help="How bad a day it is: 0 = no faults, 1 = as usual, 3 = a bad one.", min=0, max=10)]
Out = Annotated[Path | None, typer.Option(help="Write the messages to this file, one a line. Default: print them.", dir_okay=False)]
Send = Annotated[bool, typer.Option("--send", help="Send them to the doors of the lane, when they are due.")]


@given(settings=connection)
def simulate(
    region: RegionArgument,
    settings: Settings,
    *,
    hours: Hours = 24.0,
    seed: Seed = 1,
    start: Start = None,
    rise: Rise = None,
    faulty: Faulty = 1.0,
    out: Out = None,
    send: Send = False,
    speed: Annotated[float, typer.Option(help="With --send: so many times faster than real time.", min=0.01)] = 1.0,
) -> None:
    """Simulate one gateway a city: gaps, duplicates, backlogs after an outage, drifting sensors, wrong clocks."""
    import time

    from stream.cli.folders import region_folder
    from stream.gateways.fleet import Faults, Plan, fleet
    from stream.records.instants import HOUR, from_text
    from stream.region.load import load_folder
    from stream.review.inputs import families

    loaded = load_folder(region_folder(region))
    unknown = sorted(set(rise or ()) - set(loaded.series.ids))
    if unknown:
        msg = f"region {loaded.name} has no series {', '.join(unknown)}"
        raise TocsinError(msg)
    try:
        begins_at = from_text(start) if start else time.time_ns() // 1_000_000
    except ValueError as error:
        msg = f"--start: {error}"
        raise TocsinError(msg) from error
    bad, usual = Faults(), Faults()._asdict()
    shares = {name: min(0.9, usual[name] * faulty) for name in ("gaps", "duplicates", "skewed", "drifting")}
    faults = bad._replace(**shares, outages_per_day=bad.outages_per_day * faulty)
    plan = Plan(begins_at, begins_at + int(hours * HOUR), seed, faults, frozenset(rise or ()))
    sent = fleet(loaded, families(loaded), plan)
    counts = _send(settings, loaded, sent, speed) if send else _write(sent, out)
    _tell(counts, plan)


def _write(sent: Iterator[Sent], out: Path | None) -> dict[str, int]:
    counts: dict[str, int] = {}
    if out is None:
        for one in sent:
            counts[one.fault] = counts.get(one.fault, 0) + 1
            typer.echo(one.value.decode())
        return counts
    with out.open("wb") as file:
        for one in sent:
            counts[one.fault] = counts.get(one.fault, 0) + 1
            file.write(one.value + b"\n")
    return counts


def _send(settings: Settings, region: Any, sent: Iterator[Sent], speed: float) -> dict[str, int]:
    """Into the doors, each when it is due."""
    import asyncio

    from stream.review.inputs import DoorMessage, families
    from stream.runtime import feeding
    from stream.runtime.pace import Pace

    if settings.clock != "broker":
        msg = "--send is for lanes in the broker's time; write a file with --out and feed that to a replay"
        raise TocsinError(msg)
    family, counts = families(region), dict[str, int]()
    messages = []
    for one in sent:
        counts[one.fault] = counts.get(one.fault, 0) + 1
        domain = region.domains[int(region.series.domain[one.row])].domain_id
        messages.append(DoorMessage(one.sent_at, region.series.ids[one.row], domain, family[one.row], one.value))
    asyncio.run(feeding.send(settings, region, messages, Pace(speed=speed)))
    return counts


def _tell(counts: dict[str, int], plan: Plan) -> None:
    from stream.records.instants import to_text

    said = ", ".join(f"{count} {fault}" for fault, count in sorted(counts.items()) if fault != "none")
    typer.echo(
        f"{sum(counts.values())} messages from {to_text(plan.begins_at)} to {to_text(plan.ends_at)}, of them {said or 'none with a fault'}",
        err=True,
    )
