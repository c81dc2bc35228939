"""The least an HTTP gateway could do: aiohttp reads the body, msgspec makes objects of it, 202. Nothing is checked, kept or sent on."""

from __future__ import annotations

import sys

import msgspec
from aiohttp import web

_decode = msgspec.json.Decoder(list[dict[str, object]]).decode


async def take(request: web.Request) -> web.Response:
    """Answer how many there were."""
    return web.json_response({"accepted": len(_decode(await request.read()))}, status=202)


async def _say(_: web.Application) -> None:
    print("ready", flush=True)


if __name__ == "__main__":
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/v1/measurements", take)
    app.on_startup.append(_say)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
