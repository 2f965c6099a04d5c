"""`mobigo doctor`: what is missing or wrong on this machine, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, out, say_json, settings
from mobigo.texts import error_sentence, text
from socle.errors import MobigoError

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NEEDED_FREE_BYTES = 1_000_000_000
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "lustre", "afs"}
_OF_TESTS = {"MOBIGO_TEST_DATABASE", "MOBIGO_TEST_EXAMPLES", "MOBIGO_SHARED", "MOBIGO_SKIP_NPM"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `level` is good, worth knowing (warning) or wrong (error)."""

    name: str
    level: str
    sentence: str


def doctor(as_json: AsJson = False) -> None:
    """Look at everything that Mobigo stands on; exit code 1 when something is wrong."""
    checks = list(_checks())
    if as_json:
        say_json([{"name": check.name, "level": check.level, "sentence": check.sentence} for check in checks])
    else:
        table = Table(title=text("cli.doctor.title"), title_justify="left", show_header=False)
        styles = {"good": "green", "warning": "yellow", "error": "bold red"}
        for check in checks:
            table.add_row(f"[{styles[check.level]}]{text(f'cli.doctor.{check.level}')}[/]", check.sentence)
        out.print(table)
    raise typer.Exit(ExitCode.NO if any(check.level == "error" for check in checks) else ExitCode.OK)


def _checks() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "good", text("cli.doctor.python", version=version))
    yield from _settings()
    yield from _data_dir()
    yield _secret_key()
    yield _letters()
    yield _text_messages()
    yield _registry()
    yield from _database()
    yield _network()
    yield _assets()


def _data_dir() -> Iterator[Check]:
    folder = settings().data_dir
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if os.access(existing, os.W_OK | os.X_OK) and existing.is_dir():
        yield Check("data_dir", "good", text("cli.doctor.data_dir", path=str(folder.absolute())))
    else:
        yield Check("data_dir", "error", text("errors.cannot_write", path=str(folder.absolute())))
    free = shutil.disk_usage(existing).free
    level, key = ("good", "disk") if free >= _NEEDED_FREE_BYTES else ("warning", "disk_low")
    yield Check("disk", level, text(f"cli.doctor.{key}", gigabytes=f"{free / 1e9:.1f}".replace(".", ",")))


def _secret_key() -> Check:
    """Whether the key is one, and its file open to nobody else; it is not made here."""
    from mobigo.security import KEY_FILE, open_keys

    chosen = settings()
    path = chosen.data_dir / KEY_FILE
    if not chosen.secret_key.strip() and not path.exists():
        return Check("secret_key", "warning", text("cli.doctor.secret_key_absent", path=str(path.absolute())))
    try:
        open_keys(chosen.secret_key, chosen.data_dir)
    except MobigoError as error:
        return Check("secret_key", "error", error_sentence(error))
    except OSError:
        return Check("secret_key", "error", text("errors.secret_key_closed", path=str(path.absolute())))
    return Check("secret_key", "good", text("cli.doctor.secret_key"))


def _letters() -> Check:
    from mobigo.outbound.letters import read_mail_server

    chosen = settings()
    if not chosen.mail_url:
        path = str(chosen.letters_dir().absolute())
        return Check("letters", "warning", text("cli.doctor.letters_files", path=path))
    try:
        server = read_mail_server(chosen.mail_url, chosen.mail_sender)
    except MobigoError as error:
        return Check("letters", "error", error_sentence(error))
    return Check("letters", "good", text("cli.doctor.letters_server", host=f"{server.host}:{server.port}"))


def _text_messages() -> Check:
    from mobigo.outbound.letters import read_gateway

    chosen = settings()
    if not chosen.sms_url:
        path = str((chosen.letters_dir() / "sms").absolute())
        return Check("text_messages", "warning", text("cli.doctor.texts_files", path=path))
    try:
        gateway = read_gateway(chosen.sms_url, chosen.sms_token)
    except MobigoError as error:
        return Check("text_messages", "error", error_sentence(error))
    return Check("text_messages", "good", text("cli.doctor.texts_gateway", host=gateway.host))


def _registry() -> Check:
    from mobigo.services.covoiturage.registrar import read_registry

    chosen = settings()
    try:
        registry = read_registry(chosen.registry_url, chosen.registry_token, chosen.registry_siret)
    except MobigoError as error:
        return Check("registry", "error", error_sentence(error))
    if registry is None:
        return Check("registry", "good", text("cli.doctor.registry_off"))
    return Check("registry", "good", text("cli.doctor.registry", url=registry.server))


def _settings() -> Iterator[Check]:
    """Variables that look like settings and are none: a slip of the finger leaves the default in force."""
    known = {f"MOBIGO_{name.upper()}" for name in type(settings()).model_fields} | _OF_TESTS
    for name in sorted(name for name in os.environ if name.startswith("MOBIGO_") and name not in known):
        yield Check("settings", "warning", text("cli.doctor.setting_unknown", name=name))
    from mobigo.services.people.provider import read_access

    chosen = settings()
    try:
        access = read_access(chosen.oidc_issuer, chosen.oidc_client_id, chosen.oidc_client_secret, chosen.oidc_name)
    except MobigoError as error:
        yield Check("sign_in", "error", error_sentence(error))
    else:
        if access and not chosen.public_url:
            yield Check("sign_in", "warning", text("cli.doctor.public_url_wanted"))


def _database() -> Iterator[Check]:
    from mobigo.store.base import current_revision, newest_revision, open_engine

    address = settings().database_address()
    if address.startswith("sqlite:"):
        remark = _sqlite_misplaced(address.partition(":///")[2])
        if remark is not None:
            yield remark
            return
        if not os.path.exists(address.removeprefix("sqlite:///")):  # noqa: PTH110  a Path would eat the scheme
            yield Check("database", "warning", text("cli.doctor.database_absent"))
            return
        if not os.access(address.removeprefix("sqlite:///"), os.W_OK):
            yield Check("database", "error", text("errors.cannot_write", path=address.removeprefix("sqlite:///")))
            return
    try:
        engine = open_engine(address)
        found, wanted = current_revision(engine), newest_revision(engine)
        if found == wanted:
            yield Check("database", "good", text("cli.doctor.database", revision=found))
            yield from _beside_the_rows(engine)
        else:
            yield Check("database", "warning", text("cli.doctor.database_old", found=found, wanted=wanted))
        engine.dispose()
    except MobigoError as error:
        yield Check("database", "error", error_sentence(error))


def _sqlite_misplaced(file: str) -> Check | None:
    """What is wrong with where a SQLite file is: several processes would write to it, or each to its own."""
    if file in {"", ":memory:"}:
        return Check("database", "error", text("cli.doctor.sqlite_in_memory"))
    kind = _file_system_of(Path(file))
    if kind in _REMOTE:
        return Check("database", "error", text("cli.doctor.sqlite_remote", kind=kind))
    return None


def _file_system_of(path: Path) -> str:
    """The kind of file system that `path` is or would be on; empty where the system does not tell."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:
        return ""
    mounts = {fields[1].replace("\\040", " "): fields[2] for fields in map(str.split, lines)}
    place = path.resolve()
    return next((mounts[str(each)] for each in (place, *place.parents) if str(each) in mounts), "")


def _beside_the_rows(engine: Engine) -> Iterator[Check]:
    from mobigo.services.health import count_jobs, find_old_server
    from mobigo.store.writing import find_seat

    old = find_old_server(engine)
    if old:
        yield Check("database", "error", text("cli.doctor.postgresql_old", version=old))
    seat = find_seat(engine)
    if seat is not None:
        if seat.is_taken_by_one_who_listens_not():
            yield Check("writer", "warning", text("cli.doctor.writer_worker"))
        elif seat.try_to_take():
            seat.leave()
            yield Check("writer", "good", text("cli.doctor.writer_none"))
        else:
            yield Check("writer", "good", text("cli.doctor.writer_server"))
    n_dead = count_jobs(engine)["dead"]
    if n_dead:
        yield Check("jobs", "warning", text("cli.doctor.jobs_given_up", n_jobs=n_dead))


def _network() -> Check:
    from mobigo.store.releases import get_current, read_manifest
    from routing.journeys.snapshot import open_snapshot

    try:
        release = get_current(settings().data_dir)
        manifest = read_manifest(release)
        open_snapshot(release)
    except MobigoError as error:
        return Check("network", "error", error_sentence(error))
    facts = {name: manifest[name] for name in ("release", "valid_from", "valid_to")}
    today = date.today().isoformat()  # noqa: DTZ011  the day of this machine is the one a person sees
    if manifest["valid_from"] <= today <= manifest["valid_to"]:
        return Check("network", "good", text("cli.doctor.network", **facts))
    return Check("network", "warning", text("cli.doctor.network_other_days", **facts))


def _assets() -> Check:
    vendor = files("mobigo.web") / "static" / "vendor"
    if vendor.is_dir() and any(vendor.iterdir()):
        return Check("assets", "good", text("cli.doctor.assets"))
    npm = shutil.which("npm")
    return Check("assets", "warning", text("cli.doctor.assets_npm" if npm else "cli.doctor.assets_no_npm"))
