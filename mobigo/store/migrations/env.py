"""Alembic's entry: migrations run on the engine that `mobigo.store.base` hands over."""

from alembic import context
from sqlmodel import SQLModel

from mobigo.store import (  # noqa: F401  the tables register themselves by being imported
    audit,
    consents,
    jobs,
    network,
)
from mobigo.store.covoiturage import (  # noqa: F401  likewise
    bookings,
    disputes,
    lines,
    offers,
    outings,
    own_bookings,
    own_offers,
    partners,
    policies,
    registry_messages,
    revisions,
)
from mobigo.store.covoiturage import rows as _covoiturage  # noqa: F401  likewise
from mobigo.store.ledger import rows as _ledger  # noqa: F401  likewise
from mobigo.store.people import rows as _people  # noqa: F401  likewise
from mobigo.store.scolaire import boardings as _boardings  # noqa: F401  likewise
from mobigo.store.scolaire import cards as _cards  # noqa: F401  likewise
from mobigo.store.scolaire import contracts as _contracts  # noqa: F401  likewise
from mobigo.store.scolaire import family_rows as _families  # noqa: F401  likewise
from mobigo.store.scolaire import messages as _messages  # noqa: F401  likewise
from mobigo.store.scolaire import publications as _publications  # noqa: F401  likewise
from mobigo.store.scolaire import rows as _scolaire  # noqa: F401  likewise
from mobigo.store.scolaire import searches as _searches  # noqa: F401  likewise
from mobigo.store.scolaire import stop_cases as _stop_cases  # noqa: F401  likewise
from mobigo.store.scolaire import studies as _studies  # noqa: F401  likewise

TURN = 0x6D6F6269676F  # any number that no other lock of ours has

with context.config.attributes["engine"].begin() as connection:
    # A migration is whole or not at all; a second process that starts at the same time waits, then finds the
    # work done. On SQLite the transaction itself is that turn.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, transactional_ddl=True
    )
    context.run_migrations()
