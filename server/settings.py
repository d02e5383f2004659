"""The operator's settings: every value comes from an environment variable `NUONG_<NAME>` or has a working default.

A value that does not fit is one sentence that names the variable (`SettingsError`), never a traceback. Secrets are
`SecretStr`, so that printing the settings prints stars.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "NUONG_"
SCHEMES = ("sqlite", "postgresql", "postgres")

Seconds = Annotated[int, Field(gt=0)]
Bytes = Annotated[int, Field(gt=0)]


class SettingsError(Exception):
    """A setting is missing or does not fit; the message names its variable."""


MOST_WORKERS = 64


class Settings(BaseSettings):
    """The settings of one server process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    #: How many processes serve; more than one need PostgreSQL.
    workers: Annotated[int, Field(ge=1, le=MOST_WORKERS)] = 1
    #: Addresses or networks, separated by commas, of the proxies whose `X-Forwarded-For` tells a client's address.
    trusted_proxies: str | None = None
    #: The address at which people open the app, where a proxy changes `Host` on the way.
    public_url: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: str = "sqlite:///var/nuong.db"
    database_pool: Annotated[int, Field(ge=1, le=200)] = 10
    media_dir: Path = Path("var/media")
    pwa_dir: Path = Path("pwa/dist")
    #: Below this much free space the server takes no uploads and `/readyz` says so, instead of failing half-way.
    disk_reserve_bytes: Bytes = 200_000_000

    #: Seals the private signing keys in the database. Several processes on one database must be given the same one;
    #: where it is absent, a random one is kept in `secret_file`, readable by the server's account only.
    secret: SecretStr | None = None
    secret_file: Path = Path("var/secret")
    #: `/metrics` answers whoever sends this as a bearer token; without it, only clients on the same machine.
    metrics_token: SecretStr | None = None

    access_token_s: Seconds = 15 * 60
    refresh_token_s: Seconds = 90 * 24 * 3600
    #: Wrong passwords of a name at one address; and of an address over all names, or a name over all addresses.
    login_attempts: Annotated[int, Field(ge=1)] = 5
    login_attempts_widely: Annotated[int, Field(ge=1)] = 50
    login_lock_s: Seconds = 30
    login_lock_max_s: Seconds = 3600
    #: Tries to sign in or to renew a sign-in that one address has at once, and how many it gets back in a minute.
    login_burst: Annotated[int, Field(ge=1)] = 200
    login_per_minute: Annotated[float, Field(gt=0)] = 120

    request_bytes: Bytes = 10_000_000
    media_bytes: Bytes = 100_000_000

    #: How long a request's head may take to arrive, and in which intervals its body must have gone on.
    head_timeout_s: Seconds = 20
    body_timeout_s: Seconds = 60

    #: A CouchDB beside this server that every scope is carried to, by one-minute tokens of this server's key.
    couchdb_url: str | None = None

    #: Whether this process follows the journal (one of those that do leads; the others stand by).
    follow: bool = True
    #: Where a reviewer is told to doubt: metres from the commune's point (communes reach some 25 km), metres of the
    #: position's own accuracy, and how far a phone's clock may be ahead of or behind the moment of arrival.
    outside_area_m: Annotated[float, Field(gt=0)] = 25_000
    poor_gps_m: Annotated[float, Field(gt=0)] = 30
    clock_ahead_s: Seconds = 10 * 60
    clock_behind_s: Seconds = 180 * 24 * 3600
    #: From which sum of weights (`sync/matching/duplicates.py`) two records are shown to a person as perhaps one
    #: household.
    duplicate_score: Annotated[float, Field(gt=0)] = 5.0

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        # The value may hold a password, so that no message repeats it.
        try:
            scheme = make_url(value).get_backend_name()
        except ArgumentError:
            raise ValueError("is not a database URL such as sqlite:///var/nuong.db") from None
        if scheme not in SCHEMES:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("couchdb_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^/@?#\s]+(/[^?#\s]*)?", value):
            raise ValueError("is no address such as http://couchdb:5984, without a name or a password in it")
        return value or None

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^/@?#\s]+/?", value):
            raise ValueError("is no address such as https://khaosat.example.vn, without a path")
        return value or None

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        names = [name.strip() for name in (value or "").split(",") if name.strip()]
        for name in names:
            try:
                ip_network(name)
            except ValueError:
                raise ValueError(f"{name} is no address or network such as 10.0.0.0/8") from None
        return ",".join(names) or None

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("needs at least 32 characters")
        return value


def load_settings() -> Settings:
    """Return the settings of this process's environment; raises `SettingsError`."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{PREFIX}{name}: {reason}") from None
