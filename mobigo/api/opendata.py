"""Opendata: public files at permanent, dated addresses, with validators and ranges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from anyio import to_thread, wrap_file
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from mobigo.api.access import PUBLIC, now_of
from mobigo.api.reference import REFUSAL
from mobigo.opendata.http import decide
from mobigo.services.covoiturage.lines import LinesFile, open_lines_file
from mobigo.services.opendata import (
    PublishedFile,
    list_carpool_publications,
    list_circuit_publications,
    open_carpool_file,
    open_circuit_file,
    open_network_feed,
)
from socle.times import PARIS

_CHUNK_BYTES = 1 << 16

router = APIRouter(dependencies=[PUBLIC])


_FILE_REPLIES: dict[int | str, dict[str, Any]] = {
    206: {"description": "La partie demandée du fichier."},
    304: {"description": "Inchangé depuis la version que vous avez."},
    "4XX": REFUSAL,
    "5XX": REFUSAL,
}
LICENCES = {
    "etalab-2.0": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}


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
    name = f"mobigo-{published.release}.gtfs.zip"
    return _send(published, request, {"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/opendata/covoiturage", summary="Les publications du covoiturage")
async def carpool_publications(request: Request) -> dict[str, Any]:
    """Each published month: its files with their hashes, its thresholds, what was generalised and what left out."""
    found = await to_thread.run_sync(list_carpool_publications, request.app.state.data_dir)
    return {
        "documentation": "/donnees",
        "licences": LICENCES,
        "publications": [
            {**one, "files": [_addressed("covoiturage", one["month"], file) for file in one["files"]]} for one in found
        ],
    }


@router.get("/opendata/scolaire", summary="Les publications des circuits scolaires")
async def circuit_publications(request: Request) -> dict[str, Any]:
    """Each publication, the latest first: its files with their hashes, and what each column of its tables holds."""
    found = await to_thread.run_sync(list_circuit_publications, request.app.state.data_dir)
    return {
        "documentation": "/donnees",
        "licences": LICENCES,
        "publications": [
            {**one, "files": [_addressed("scolaire", one["release"], file) for file in one["files"]]} for one in found
        ],
    }


@router.head("/opendata/scolaire/{dataset}/{release}/{file}", include_in_schema=False)
@router.get(
    "/opendata/scolaire/{dataset}/{release}/{file}",
    summary="Un fichier des circuits scolaires",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/csv": {}, "application/vnd.apache.parquet": {}, "application/schema+json": {}},
            "description": "Le fichier.",
        },
        **_FILE_REPLIES,
    },
)
async def circuit_file(dataset: str, release: str, file: str, request: Request) -> Response:
    """A table of a publication (`2026-11-21`, or `latest`): CSV, Parquet, or its Table Schema."""
    published = await to_thread.run_sync(open_circuit_file, request.app.state.data_dir, dataset, release, file)
    name = f"{published.release}-{file}"
    return _send(published, request, {"Content-Disposition": f'attachment; filename="{name}"'})


@router.head("/opendata/covoiturage/lignes/{file}", include_in_schema=False)
@router.get(
    "/opendata/covoiturage/lignes/{file}",
    summary="Les lignes de covoiturage : GTFS et lieux",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {}, "application/zip": {}}, "description": "Le fichier."},
        **_FILE_REPLIES,
    },
)
async def carpool_lines_file(file: str, request: Request) -> Response:
    """`lignes.gtfs.zip`, or `lieux.csv` in the national schema of carpool places."""
    state = request.app.state
    day = now_of(request).astimezone(PARIS).date()
    published = await to_thread.run_sync(open_lines_file, state.engine, file, day, state.settings.site_address())
    return _send(published, request, {"Content-Disposition": f'attachment; filename="{file}"'})


@router.head("/opendata/covoiturage/{dataset}/{month}/{file}", include_in_schema=False)
@router.get(
    "/opendata/covoiturage/{dataset}/{month}/{file}",
    summary="Un fichier du covoiturage",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/csv": {}, "application/vnd.apache.parquet": {}, "application/schema+json": {}},
            "description": "Le fichier.",
        },
        **_FILE_REPLIES,
    },
)
async def carpool_file(dataset: str, month: str, file: str, request: Request) -> Response:
    """A table of a month (`2026-10`, or `latest`): CSV, Parquet, or its Table Schema."""
    published = await to_thread.run_sync(open_carpool_file, request.app.state.data_dir, dataset, month, file)
    name = f"{published.release}-{file}"
    return _send(published, request, {"Content-Disposition": f'attachment; filename="{name}"'})


def _addressed(room: str, release: str, file: dict[str, Any]) -> dict[str, Any]:
    """A file of a manifest, with where it is."""
    name = file["name"]
    return {**file, "address": f"/opendata/{room}/{name.partition('.')[0]}/{release}/{name}"}


def _send(published: PublishedFile | LinesFile, request: Request, beside: dict[str, str]) -> Response:
    """The file, or what HTTP asks for in its place."""
    reply = decide(published.download, request.method, request.headers)
    headers = reply.headers | beside | {"Mobigo-Release": published.release}
    if isinstance(published, PublishedFile) and published.licence in LICENCES:
        headers["Link"] = f'<{LICENCES[published.licence]}>; rel="license"'
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
