"""The pages through HTTP, on the committed sample; with people, on a database of the test's own."""

import httpx
import pytest

from mobigo.api.deps import FixedSnapshot
from mobigo.app import make_app
from mobigo.security import Role, hash_password
from mobigo.services.people.signing import let_in
from mobigo.settings import Settings
from mobigo.store.base import transaction
from mobigo.store.people.accounts import Identity, add_person, set_password
from mobigo.store.people.roles import give_role
from tests.worlds.accounts import HERE, NOON, PASSWORD
from tests.worlds.site import sample_snapshot, serving
from tests.worlds.visiting import place


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    return sample_snapshot(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def client(sample, tmp_path_factory):
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))
    with (
        serving(make_app(FixedSnapshot(sample), settings)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def site(database_address, sample, tmp_path):
    with place(sample, tmp_path / "data", database_url=database_address) as site:
        yield site


@pytest.fixture(scope="session")
def hashed():
    """The hash of everybody's password: making one takes long, on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture
def visit(site, hashed):
    """New visitors; with a name, somebody of that name is made, with these roles, and is signed in."""

    def visit(name="", *roles):
        visitor = site.visitor()
        if name:
            keys, identity = site.people.keys, Identity(f"{name} Durand", f"{name.lower()}@exemple.test")
            with transaction(site.people.engine) as session:
                visitor.person = add_person(session, keys, identity, NOON)
                set_password(session, visitor.person.person_id, hashed, NOON)
                for role in (Role.TRAVELLER, *roles):
                    give_role(session, visitor.person.person_id, role, "system:test", "", NOON)
                token = let_in(session, keys, visitor.person, "password", HERE, NOON).token
            visitor.client.cookies.set("mobigo", f"s.{token}")
        return visitor

    return visit


@pytest.fixture
def told(site):
    """The lines of the audit log of one family of actions, the last first."""
    return lambda action="personal": list(reversed(site.people.told(action)))
