import pytest

from mobigo.security import Keys
from mobigo.store.base import transaction
from mobigo.store.ledger.books import Books
from tests.worlds.books import REGION

KEYS = Keys.of("a key for trying things, and long enough".replace(" ", "-"))


@pytest.fixture
def keys():
    """The keys of an installation."""
    return KEYS


@pytest.fixture
def books(engine):
    """A database whose books are open."""
    with transaction(engine) as session:
        opened = Books(session)
        opened.open(REGION)
        opened.flush()
    return engine
