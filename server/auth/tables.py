"""Tables of people, grants, enrolments, refresh tokens, signing keys, failed sign-ins and the audit trail."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from server.platform.db.metadata import metadata
from server.platform.db.types import Json, UtcDateTime

people = Table(
    "people",
    metadata,
    Column("id", String(36), primary_key=True),
    # As it is compared: NFC and folded case. What people type differs by keyboard.
    Column("username", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("birth_year", Integer),
    Column("locale", String(8), nullable=False),
    Column("password", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
)

grants = Table(
    "grants",
    metadata,
    Column("person", ForeignKey("people.id"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("project", String(32), primary_key=True),
    Column("unit", String(40), primary_key=True),
)

#: A person on a device. `highest_number` and `safe_number` are what the sync door last told the device; the grants at
#: its last completed exchange decide about work that was saved before rights changed.
enrolments = Table(
    "enrolments",
    metadata,
    Column("id", String(43), primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("jwk", Json, nullable=False),
    Column("label", String(200), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("exchanged_at", UtcDateTime),
    Column("exchange_grants", Json),
    Column("highest_number", BigInteger, nullable=False, default=0),
    Column("safe_number", BigInteger, nullable=False, default=0),
    #: What the phone last said of itself: its app, free space, and whether its browser keeps the store.
    Column("device", Json),
    Index(None, "person"),
)

#: Only digests of tokens are kept. `parent` is the token that this one replaced, `family` the sign-in it began with.
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("family", String(36), nullable=False),
    Column("parent", String(64)),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("enrolment", ForeignKey("enrolments.id")),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("superseded_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    #: Of the sign-in, and of this token: what its person sees of it. Null from before they were kept.
    Column("began_at", UtcDateTime),
    Column("issued_at", UtcDateTime),
    Column("label", String(200)),
    Index(None, "family"),
    Index(None, "parent"),
    Index(None, "person"),
)

#: When somebody's sign-ins were last ended all together, or those on a device: hubs hear of it and end theirs.
#: `holder` is the person or the enrolment. One row each, however often.
ended_sign_ins = Table(
    "ended_sign_ins",
    metadata,
    Column("holder", String(43), primary_key=True),
    Column("is_person", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

#: `sealed` is the private key under the server's secret, so that a copy of the database signs nothing.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("jwk", Json, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
)

#: Keyed by a digest (see `lockout`): people type passwords into the field for names. Unknown names are counted alike.
login_failures = Table(
    "login_failures",
    metadata,
    Column("counter", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("locked_until", UtcDateTime),
    Index(None, "failed_at"),
)

#: From which address which name has signed in: the digest that counts its failures there.
known_places = Table(
    "known_places",
    metadata,
    Column("pair", String(64), primary_key=True),
    Column("signed_in_at", UtcDateTime, nullable=False),
    Index(None, "signed_in_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person", String(36)),
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("details", Json, nullable=False),
    Index(None, "at"),
    Index(None, "subject"),
)
