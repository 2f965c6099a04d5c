"""People: identities, roles, sessions, API keys, and what was tried at the door."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _instant(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, index=index)


def _person(*, nullable: bool = False) -> sa.Column[str]:
    return sa.Column("person_id", sa.String(), sa.ForeignKey("person.id"), nullable=nullable, index=True)


def _key_person() -> sa.Column[str]:
    return sa.Column("person_id", sa.String(), sa.ForeignKey("person.id"), primary_key=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "person",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("pseudonym", sa.String(), nullable=False, unique=True),
        sa.Column("reference", sa.String(), nullable=False, unique=True),
        sa.Column("state", sa.String(), nullable=False),
        _instant("made_at"),
    )
    op.create_table(
        "identity",
        _key_person(),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("iban", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.String(), nullable=True, index=True),
        sa.Column("email_index", sa.String(), nullable=True, unique=True),
        sa.Column("phone_index", sa.String(), nullable=True, unique=True),
        _instant("email_verified_at", nullable=True),
        _instant("phone_verified_at", nullable=True),
    )
    op.create_table(
        "password",
        _key_person(),
        sa.Column("hash", sa.String(), nullable=False),
        _instant("set_at"),
    )
    op.create_table(
        "outside_sign_in",
        sa.Column("subject_index", sa.String(), primary_key=True),
        _person(),
        sa.Column("issuer", sa.String(), nullable=False),
        _instant("made_at"),
    )
    op.create_table(
        "role_given",
        sa.Column("id", sa.Integer(), primary_key=True),
        _person(),
        sa.Column("role", sa.String(), nullable=False),
        _instant("given_at"),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        _instant("taken_at", nullable=True),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("taken_why", sa.String(), nullable=False),
    )
    held = sa.text("taken_at IS NULL")
    op.create_index(
        "ix_role_given_held",
        "role_given",
        ["person_id", "role"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        _person(),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        _instant("made_at"),
        _instant("seen_at"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("secret_hash", sa.String(), nullable=False),
        _person(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("calls_per_minute", sa.Integer(), nullable=False),
        _instant("made_at"),
        _instant("expires_at"),
        _instant("revoked_at", nullable=True),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("n_calls", sa.Integer(), nullable=False),
    )
    op.create_table(
        "door_try",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        _instant("at", index=True),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_door_try_account", "door_try", ["kind", "account", "at"])
    op.create_index("ix_door_try_address", "door_try", ["kind", "address", "at"])
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("purpose", sa.String(), nullable=False),
        _person(nullable=True),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _instant("made_at"),
        _instant("expires_at", index=True),
        sa.Column("n_tries", sa.Integer(), nullable=False),
        _instant("used_at", nullable=True),
    )


def downgrade() -> None:
    """Undo."""
    for table in (
        "one_time_code",
        "door_try",
        "api_key",
        "session",
        "role_given",
        "outside_sign_in",
        "password",
        "identity",
        "person",
    ):
        op.drop_table(table)
