"""Where reports and measurements do not agree, for people who look at the whole lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.records.discrepancy import Discrepancy
    from stream.settings import Settings

NOTED_MOST = 5
"""Of those that just happened (late, withdrawn, disputed) so many, the newest, are shown."""


async def disagreements(settings: Settings) -> list[Discrepancy]:
    """All that stand open, by when they began, then the newest that were only noted."""
    import msgspec

    from stream.records.discrepancy import Discrepancy
    from stream.runtime.follow import follow
    from stream.runtime.topics import Topics

    topics = Topics(settings.prefix)
    newest: dict[str, Discrepancy] = {}
    async for read in follow(settings.cluster, [topics.discrepancies], once=True):
        for record in read.records:
            if record.value is not None and (one := msgspec.json.decode(record.value, type=Discrepancy)).lane is topics.lane:
                newest[one.discrepancy_id] = one
    ordered = sorted(newest.values(), key=lambda one: (one.since_at, one.discrepancy_id))
    noted = [one for one in ordered if one.state == "noted"]
    return [*(one for one in ordered if one.state == "open"), *noted[-NOTED_MOST:]]
