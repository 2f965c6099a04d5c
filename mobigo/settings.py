"""Settings: what an operator may change, from `MOBIGO_*` variables or a `.env` file.

Read by `mobigo.app` and `mobigo.cli` only, and handed down as plain values.
Every setting stands in `.env.example` with its default; a test compares them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field per variable: `data_dir` is `MOBIGO_DATA_DIR`."""

    model_config = SettingsConfigDict(env_prefix="MOBIGO_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path("var"), description="Where everything built and received is kept.")
    database_url: str = Field(
        default="", description="SQLAlchemy address of the database; empty: a SQLite file in the data directory."
    )
    secret_key: str = Field(
        default="",
        repr=False,
        description="Key that all others are made from, 32 letters or more; empty: a file of the data directory.",
    )
    sources_file: Path = Field(
        default=Path("data/gtfs/sources.toml"),
        description="Where the feeds of the region are declared; it may be absent.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the server listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that the server listens on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What the log holds at least: debug, info, warning or error."
    )
    log_format: Literal["json", "plain"] = Field(
        default="json", description="How the log is written: json, one object a line, or plain."
    )
    workers: int = Field(default=1, ge=1, le=64, description="Server processes; they share one memory-mapped network.")
    search_threads: int = Field(default=1, ge=1, le=64, description="Searches that one process runs at once.")
    public_url: str = Field(
        default="",
        description="Address of the site as travellers see it, without a slash at the end; empty: as requested.",
    )
    mail_url: str = Field(
        default="",
        repr=False,
        description="Mail server, as in smtp://user:password@mail.example; empty: mail is written into files.",
    )
    mail_sender: str = Field(default="", description="Address that mail is sent from; needed with a mail server.")
    sms_url: str = Field(
        default="",
        repr=False,
        description="Gateway that text messages are posted to, https://…; empty: they are written into files.",
    )
    sms_token: str = Field(
        default="", repr=False, description="What that gateway is shown (Authorization: Bearer …); empty: nothing."
    )
    operator_name: str = Field(default="", description="Who answers for this service, shown at the foot of the pages.")
    operator_phone: str = Field(default="", description="Telephone number of the agents; empty: none is shown.")
    operator_email: str = Field(default="", description="Address for questions and reports; empty: none is shown.")
    oidc_issuer: str = Field(
        default="", description="Address of an OpenID Connect provider that people may sign in by; empty: none."
    )
    oidc_client_id: str = Field(default="", description="How that provider knows this site.")
    oidc_client_secret: str = Field(
        default="", repr=False, description="What this site shows that provider; empty for a public client."
    )
    oidc_name: str = Field(default="", description="Name of that provider on the pages; empty: that of its server.")
    payer_name: str = Field(default="", description="Name of the account that drivers of carpools are paid from.")
    payer_iban: str = Field(default="", repr=False, description="IBAN of that account; without it nobody is paid.")
    payer_bic: str = Field(default="", description="BIC of its bank; empty: the IBAN says it.")
    registry_url: str = Field(
        default="",
        description="Address of the national registry of carpools, with its version; empty: it is told nothing.",
    )
    registry_token: str = Field(
        default="", repr=False, description="Our keys there, as access:secret; or a token that does not end."
    )
    registry_siret: str = Field(default="", description="SIRET of who pays the incentives, as the registry is told.")
    gate_trips_drop_pct: float = Field(
        default=10.0,
        ge=0,
        le=100,
        description="A new network with more than this share of trips lost in 14 days is held.",
    )
    gate_stops_drop_pct: float = Field(
        default=5.0, ge=0, le=100, description="A new network with more than this share of stops lost is held."
    )
    gate_horizon_days: int = Field(
        default=14, ge=0, description="A new network that ends sooner than this many days from now is held."
    )
    gate_protected_lines: list[str] = Field(
        default=[], description="Route ids (JSON list) that a new network must still hold."
    )
    standard_covoiturage_open: bool = Field(
        default=False,
        description="Whether the interface for carpool operators answers without a key: for trying, with no real data.",
    )
    standard_covoiturage_calls_per_minute: int = Field(
        default=30_000,
        ge=1,
        description="Calls that one key, or without keys one address, may make in a minute to one server process.",
    )
    releases_kept: int = Field(default=3, ge=1, description="Releases of the network that are kept, the newest first.")

    def letters_dir(self) -> Path:
        """Where text messages are written, and mail without a server."""
        return self.data_dir / "letters"

    def site_address(self) -> str:
        """The address of the site that letters speak of."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def database_address(self) -> str:
        """The address of the database, the default one written out."""
        return self.database_url or f"sqlite:///{self.data_dir / 'mobigo.sqlite3'}"
