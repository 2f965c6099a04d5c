"""`mobigo covoiturage`: carpools decided under a policy, policies checked; answers are JSON Lines."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from mobigo.cli.feed import AsJson
from mobigo.cli.frame import ExitCode, err, out, progress, say_error, say_json, say_warning, settings
from mobigo.texts import error_sentence, finding_sentence, text
from socle.errors import BadInput, Conflict, MobigoError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mobigo.security import Keys
    from mobigo.services.covoiturage.deciding import Batch, Policies

app = typer.Typer(help=text("cli.covoiturage.help"), no_args_is_help=True)

BAD_INPUT = 2  # as the note on carpooling has it, for commands whose answer is a check
_READABLE_FROM = 32  # differences told one by one before they are only counted

STILL_OPEN = 3  # carpools of the month are still inside their 48 hours
_ACTOR = "system:command"
_AT_ONCE = 500  # carpools declared in one transaction

Month = Annotated[str, typer.Option("--month", help=text("cli.covoiturage.month_help"), metavar="AAAA-MM")]
PolicyFile = Annotated[Path, typer.Option("--policy", help=text("cli.covoiturage.policy_help"), metavar="FILE")]
PolicyId = Annotated[str | None, typer.Option("--policy-id", help=text("cli.covoiturage.policy_id_help"), metavar="ID")]
Journeys = Annotated[str, typer.Option("--journeys", help=text("cli.covoiturage.journeys_help"), metavar="FILE|-")]


@app.command(help=text("cli.covoiturage.decide_help"))
def decide(
    policy: PolicyFile,
    journeys: Journeys,
    policy_id: PolicyId = None,
    check: Annotated[bool, typer.Option("--check", help=text("cli.covoiturage.check_help"))] = False,
    check_stateless: Annotated[
        bool, typer.Option("--check-stateless", help=text("cli.covoiturage.check_stateless_help"))
    ] = False,
    counters: Annotated[bool, typer.Option("--counters", help=text("cli.covoiturage.counters_help"))] = False,
    brief: Annotated[bool, typer.Option("--brief", help=text("cli.covoiturage.brief_help"))] = False,
    sort: Annotated[bool, typer.Option("--sort", help=text("cli.covoiturage.sort_help"))] = False,
    territory: Annotated[
        Path | None, typer.Option(help=text("cli.covoiturage.territory_help"), metavar="FILE", exists=True)
    ] = None,
    budget_cents: Annotated[int | None, typer.Option(min=0, help=text("cli.covoiturage.budget_help"))] = None,
    counters_before: Annotated[
        Path | None, typer.Option(help=text("cli.covoiturage.counters_before_help"), metavar="FILE", exists=True)
    ] = None,
) -> None:
    """Decide journeys, batch by batch."""
    beside = {
        "territory_selector": None if territory is None else _read_json(territory),
        "budget_cents": budget_cents,
        "counters_before": None if counters_before is None else _read_json(counters_before),
    }
    run = _Run(check=check, check_stateless=check_stateless, counters=counters, brief=brief, sort=sort)
    try:
        policies = _read_policies(policy)
        with opened(journeys) as lines:
            _decide_lines(lines, policies, policy_id, beside, run)
    except (BadInput, OSError) as error:
        say_error(error_sentence(error) if isinstance(error, BadInput) else f"{error.filename} : {error.strerror}")
        raise typer.Exit(BAD_INPUT) from None
    if any(isinstance(one, BadInput) for one in policies.values()):
        raise typer.Exit(BAD_INPUT)
    raise typer.Exit(run.exit_code())


@app.command("check-policy", help=text("cli.covoiturage.check_policy_help"))
def check_policy(
    file: Annotated[Path, typer.Argument(help=text("cli.covoiturage.policy_help"), metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Say what is odd in the policies of a file; those that are wrong are refused."""
    from covoiturage.policy.remarks import list_remarks

    try:
        read = _read_policies(file)
    except (BadInput, OSError) as error:
        say_error(error_sentence(error) if isinstance(error, BadInput) else f"{error.filename} : {error.strerror}")
        raise typer.Exit(BAD_INPUT) from None
    policies = {policy_id: policy for policy_id, policy in read.items() if not isinstance(policy, BadInput)}
    remarks = {policy_id: list_remarks(policy) for policy_id, policy in policies.items()}
    if as_json:
        say_json(
            [
                {
                    "policy": policy_id,
                    "policy_sha256": policies[policy_id].version,
                    "level": policies[policy_id].level,
                    "findings": [{**one.as_dict(), "sentence": finding_sentence(one)} for one in found],
                }
                for policy_id, found in remarks.items()
            ]
        )
    else:
        for policy_id, found in remarks.items():
            version = policies[policy_id].version
            out.print(
                text("cli.covoiturage.policy_read", policy=policy_id or file.name, version=version[:12]), markup=False
            )
            for one in found:
                out.print(f"  {one.file} : {finding_sentence(one)}", markup=False, highlight=False, soft_wrap=True)
    if len(policies) < len(read):
        raise typer.Exit(BAD_INPUT)
    raise typer.Exit(ExitCode.NO if any(remarks.values()) else ExitCode.OK)


@app.command(help=text("cli.covoiturage.declare_help"))
def declare(
    file: Annotated[Path, typer.Argument(help=text("cli.covoiturage.declare_file_help"), metavar="FILE", exists=True)],
) -> None:
    """Keep finished carpools, one JSON object a line; each is its own idempotency key."""
    from mobigo.services.covoiturage.declaring import declare_all

    lines = [(number, line) for number, line in enumerate(file.read_bytes().splitlines(), 1) if line.strip()]
    n_refused = 0
    with (
        opened_database() as (engine, _keys, now),
        progress(text("cli.covoiturage.declaring"), len(lines)) as bar,
    ):
        for begin in range(0, len(lines), _AT_ONCE):
            piece = lines[begin : begin + _AT_ONCE]
            read = [_object_of(line) for _number, line in piece]
            given = [(one, f"command:{one.get('carpool_id')}") for one in read if one is not None]
            answers = iter(declare_all(engine, given, _ACTOR, now))
            for (number, _line), one in zip(piece, read, strict=True):
                answer = BadInput("line_is_no_object") if one is None else next(answers)
                if isinstance(answer, MobigoError):
                    n_refused += 1
                    said = f"{file}:{number} : {error_sentence(answer)}"
                    err.print(said, markup=False, highlight=False, soft_wrap=True)
                else:
                    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
            bar.update(bar.task_ids[0], advance=len(piece))
    raise typer.Exit(BAD_INPUT if n_refused else ExitCode.OK)


def _object_of(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line, if it is one."""
    try:
        given = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return given if isinstance(given, dict) else None


@app.command(help=text("cli.covoiturage.settle_help"))
def settle(month: Month) -> None:
    """Decide what is due of a month, and enter it in the books."""
    from mobigo.services.covoiturage.paying import list_all_months
    from mobigo.services.covoiturage.settling import settle as decide_month
    from mobigo.services.streets import open_drives

    with opened_database() as (engine, keys, now):
        n_waiting = next((one.n_waiting for one, _ in list_all_months(engine) if one.month == month), 0)
        with progress(text("cli.covoiturage.settling", month=month), n_waiting) as bar:
            advance = lambda n: bar.update(bar.task_ids[0], advance=n)  # noqa: E731  the bar is of this block
            drives = open_drives(settings().data_dir)
            settled = decide_month(engine, month, now, keys=keys, drives=drives, progress=advance)
    say_json(settled.as_dict())
    raise typer.Exit(STILL_OPEN if settled.pending else ExitCode.OK)


@app.command(help=text("cli.covoiturage.pay_help"))
def pay(
    month: Month,
    folder: Annotated[Path | None, typer.Option("--out", help=text("cli.covoiturage.out_help"), metavar="DIR")] = None,
    bank_file: Annotated[
        Path | None, typer.Option("--confirm", help=text("cli.covoiturage.confirm_help"), metavar="FILE", exists=True)
    ] = None,
) -> None:
    """Propose a month's payments, write the files once they are approved, or enter the bank's answer."""
    from covoiturage.sepa import Debtor
    from mobigo.services.covoiturage import paying

    with opened_database() as (engine, keys, now):
        if bank_file is not None:
            say_json(msgspec.to_builtins(paying.confirm(engine, bank_file.read_bytes(), _ACTOR, now)))
            raise typer.Exit(ExitCode.OK)
        batch = paying.find_month_batch(engine, month)
        if batch is None or batch.kept.approved_by is None:
            batch = paying.prepare_batch(engine, month, _ACTOR, now)
        is_approved = batch.kept.approved_by is not None
        if is_approved and folder is not None:
            chosen = settings()
            if not chosen.payer_iban:
                raise Conflict("no_payer_account")
            debtor = Debtor(chosen.payer_name, chosen.payer_iban, chosen.payer_bic or None)
            folder.mkdir(parents=True, exist_ok=True)
            for name, body in paying.render_order(engine, keys, month, debtor, _ACTOR, now).items():
                (folder / name).write_bytes(body)
    say_json(
        {
            "batch": batch.kept.id,
            "approved": is_approved,
            "drivers": len(batch.items),
            "total_cents": batch.kept.total_cents,
            "carried_over_cents": batch.kept.carried_over_cents,
        }
    )
    if not is_approved:
        say_warning(text("cli.covoiturage.awaits_approval", month=month))
    raise typer.Exit(ExitCode.OK if is_approved else ExitCode.NO)


@app.command(help=text("cli.covoiturage.publish_help"))
def publish(
    month: Annotated[
        str | None, typer.Option("--month", help=text("cli.covoiturage.publish_month_help"), metavar="AAAA-MM")
    ] = None,
) -> None:
    """Publish a month as open data, or every month that is over and decided."""
    from mobigo.services.covoiturage.opening import publish_due, publish_month

    with opened_database() as (engine, _keys, now):
        folder = settings().data_dir
        if month is None:
            done = publish_due(engine, folder, _ACTOR, now)
        else:
            done = [publish_month(engine, folder, month, _ACTOR, now)]
    for one in done:
        say_json({"is_new": one.is_new, **one.manifest})
    if not done:
        err.print(text("cli.covoiturage.nothing_to_publish"), markup=False)


@contextmanager
def opened_database() -> Iterator[tuple[Engine, Keys, datetime]]:
    """The database of this run, its keys, and the present instant."""
    from mobigo.security import open_keys
    from mobigo.store.base import migrate, open_engine

    chosen = settings()
    engine = open_engine(chosen.database_address())
    try:
        migrate(engine)
        yield engine, open_keys(chosen.secret_key, chosen.data_dir), datetime.now(UTC)
    finally:
        engine.dispose()


class _Run:
    """One run of `decide`: what is printed, and what was found."""

    def __init__(self, *, check: bool, check_stateless: bool, counters: bool, brief: bool, sort: bool) -> None:
        self._check, self._check_stateless = check, check_stateless
        self._counters, self._brief, self._sort = counters, brief, sort
        self.n_differences = self.n_unreadable = 0
        self._write = sys.stdout.write
        self._encode = msgspec.json.Encoder().encode

    def decide(self, batch: Batch) -> None:
        """Decide a batch, print its lines, compare where that was asked."""
        from mobigo.services.covoiturage.deciding import Unreadable, decide_batch

        for decided in decide_batch(batch, in_order_of_end=self._sort):
            if isinstance(decided, Unreadable):
                self.say_unreadable(batch.id, decided.index, decided.error)
                continue
            if self._brief:
                told: dict[str, Any] = {
                    "batch": batch.id,
                    "index": decided.index,
                    "stateless_cents": decided.stateless_cents,
                    "amount_cents": decided.amount_cents,
                }
            else:
                told = decided.line()
            self._say(told)
            if self._check and batch.expected_cents is not None:
                self._compare(batch, "amount_cents", decided.index, batch.expected_cents, decided.amount_cents)
            if self._check_stateless and batch.stateless_cents is not None:
                self._compare(batch, "stateless_cents", decided.index, batch.stateless_cents, decided.stateless_cents)
        if self._counters:
            self._say({"batch": batch.id, "counters_after": batch.counters.as_rows()})

    def say_unreadable(self, batch: object, index: int | None, error: BadInput) -> None:
        """Say on standard error why a journey or a line was not decided."""
        self.n_unreadable += 1
        where = "journey_refused" if index is not None else "line_refused"
        sentence = error_sentence(error)
        err.print(
            text(f"cli.covoiturage.{where}", batch=str(batch), index=str(index), sentence=sentence),
            markup=False,
            soft_wrap=True,
        )

    def exit_code(self) -> int:
        """2 when something could not be read, 1 when an amount differs, else 0."""
        if self.n_differences > _READABLE_FROM:
            err.print(text("cli.covoiturage.n_differences", n=self.n_differences))
        return BAD_INPUT if self.n_unreadable else ExitCode.NO if self.n_differences else ExitCode.OK

    def _say(self, told: dict[str, Any]) -> None:
        self._write(self._encode(told).decode() + "\n")

    def _compare(self, batch: Batch, what: str, index: int, expected: list[int], got: int) -> None:
        if expected[index] == got:
            return
        self.n_differences += 1
        if self.n_differences <= _READABLE_FROM:
            facts = {"batch": str(batch.id), "index": str(index), "expected": str(expected[index]), "got": str(got)}
            err.print(text(f"cli.covoiturage.differs_{what}", **facts), markup=False, soft_wrap=True)


def read_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """Each line's number from 0 and what it holds as JSON, None where it holds none; empty lines are left out."""
    decode = msgspec.json.Decoder().decode
    for number, line in enumerate(lines):
        told = line.removeprefix(codecs.BOM_UTF8) if number == 0 else line
        if told.strip():
            try:
                yield number, decode(told)
            except (msgspec.DecodeError, RecursionError):
                yield number, None


def _objects(lines: Iterable[bytes], run: _Run) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of the lines with their numbers, from 0; a line that is none is told and left out."""
    for number, given in read_lines(lines):
        if isinstance(given, dict):
            yield number, given
        else:
            run.say_unreadable(number, None, BadInput("line_is_no_object"))


def _decide_lines(
    lines: Iterable[bytes], policies: Policies, policy_id: str | None, beside: dict[str, Any], run: _Run
) -> None:
    """Decide each line with `journeys` as a batch, and the lines without as one batch, each when it is read."""
    from mobigo.services.covoiturage.deciding import choose_policy, read_batch, read_beside

    objects = _objects(lines, run)

    def decide_batch(number: int, given: dict[str, Any]) -> None:
        try:
            batch = read_batch(given, number, policies, policy_id)
        except BadInput as error:
            run.say_unreadable(number if given.get("id") is None else given["id"], None, error)
        else:
            run.decide(batch)

    def loose(first: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield first
        for number, given in objects:
            if "journeys" in given:
                decide_batch(number, given)
            else:
                yield given

    for number, given in objects:
        if "journeys" in given:
            decide_batch(number, given)
        else:
            run.decide(read_beside(beside, number, choose_policy(policies, policy_id), loose(given)))


def _read_policies(file: Path) -> Policies:
    """The policies of a file; of several, those that are wrong are told, and the others serve.

    Raises:
        BadInput: what is wrong with the only one.
    """
    from covoiturage.policy.language import read_each_policy
    from covoiturage.policy.shipped import shipped_policies

    shipped = shipped_policies().get(str(file))
    if shipped is not None and not file.exists():
        return {shipped.id: shipped}
    found = read_each_policy(file.read_bytes(), toml=file.suffix == ".toml")
    for policy_id, policy in found.items():
        if isinstance(policy, BadInput):
            if len(found) == 1:
                raise policy
            say_error(text("cli.covoiturage.policy_refused", policy=policy_id, sentence=error_sentence(policy)))
    return found


def _read_json(file: Path) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError:
        raise BadInput("line_is_no_object") from None


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """The lines of a file, or of standard input when it is called `-`."""
    if name == "-":
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as lines:
            yield lines
