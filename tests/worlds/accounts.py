"""People with accounts, made and let in through the services, at an hour that the test says."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from mobigo.security import Role, hash_password
from mobigo.services.people import signing
from mobigo.services.people.administration import Details, write_person_made
from mobigo.services.people.messages import MESSAGE_JOB, find_message
from mobigo.services.people.signing import Where
from mobigo.store.audit import AuditFilter, list_lines
from mobigo.store.base import reading, transaction
from mobigo.store.jobs import JobState, list_jobs

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PASSWORD = "une phrase assez longue"
HERE = Where("192.0.2.7", "Firefox · Linux")


@cache
def _hashed():
    return hash_password(PASSWORD)


class World:
    """What tests do with people, in few words."""

    def __init__(self, engine, keys):
        self.engine, self.keys = engine, keys

    def add(self, name="Camille Durand", email="camille@exemple.test", phone="", roles=()):
        """Somebody made as `mobigo people add` does, but for the hash of their password: it is made once."""
        told = Details(name, email, phone).read()
        with transaction(self.engine) as session:
            return write_person_made(session, self.keys, told, _hashed(), roles, "system:cli", NOON)

    def sign_in(self, contact="camille@exemple.test", password=PASSWORD, now=NOON, where=HERE):
        return signing.sign_in(self.engine, self.keys, contact, password, where, now)

    def let_in(self, person, now=NOON):
        """A session of somebody, without asking for a password: looking at one takes long, on purpose."""
        with transaction(self.engine) as session:
            return signing.let_in(session, self.keys, person, "password", HERE, now)

    def principal(self, role, name="Dominique Petit", email="dominique@exemple.test"):
        return self.let_in(self.add(name, email, roles=[role])).principal

    @property
    def administrator(self):
        return self.principal(Role.ADMINISTRATOR, "Alix Martin", "alix@exemple.test")

    def letters(self, now=NOON):
        """What is to be sent, the first first."""
        with reading(self.engine) as session:
            jobs = [job for job in list_jobs(session, [JobState.WAITING], 99) if job.kind == MESSAGE_JOB]
        codes = [job.payload["code_id"] for job in sorted(jobs, key=lambda job: job.job_id)]
        found = (find_message(self.engine, self.keys, code, "https://mobigo.exemple.test", now) for code in codes)
        return [letter for letter in found if letter]

    def last_code(self, now=NOON):
        words = self.letters(now)[-1].body.split()
        return next(word for word in words if len(word.strip(".")) == 11 and word[5] == "-").strip(".")

    def told(self, action="people"):
        """Action and facts of each line of the audit log, the first first."""
        with reading(self.engine) as session:
            lines = [each.line for each in list_lines(session, AuditFilter(action=action), limit=99)]
        return list(reversed(lines))
