"""Opendata: public files at permanent, dated addresses, with validators and ranges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import BinaryIO

from anyio import to_thread, wrap_file
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from mobigo.api.access import PUBLIC
from mobigo.api.reference import REFUSAL
from mobigo.opendata.http import decide
from mobigo.services.opendata import open_network_feed

_CHUNK_BYTES = 1 << 16

router = APIRouter(dependencies=[PUBLIC])


@router.head("/opendata/network/{release}/gtfs.zip", include_in_schema=False)
@router.get(
    "/opendata/network/{release}/gtfs.zip",
    summary="Le réseau commun en GTFS",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {}}, "description": "Le fichier."},
        206: {"content": {"application/zip": {}}, "description": "La partie demandée du fichier."},
        304: {"description": "Inchangé depuis la version que vous avez."},
        "4XX": REFUSAL,
        "5XX": REFUSAL,
    },
)
async def network_feed(release: str, request: Request) -> Response:
    """The merged network: `latest`, or the name of a release that is still kept."""
    published = await to_thread.run_sync(open_network_feed, request.app.state.data_dir, release)
    reply = decide(published.download, request.method, request.headers)
    headers = reply.headers | {
        "Content-Disposition": f'attachment; filename="mobigo-{published.release}.gtfs.zip"',
        "Mobigo-Release": published.release,
    }
    if reply.start == reply.stop:
        published.file.close()
        return Response(status_code=reply.status, headers=headers)
    return StreamingResponse(_part(published.file, reply.start, reply.stop), reply.status, headers)


async def _part(opened: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    async with wrap_file(opened) as file:
        await file.seek(start)
        left = stop - start
        while left > 0 and (chunk := await file.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk
