"""The first tables, and the guards of the audit record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE_GUARDS = (
    """
    CREATE TRIGGER tocsin_audit_no_update BEFORE UPDATE ON tocsin_audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only ever added to'); END
    """,
    """
    CREATE TRIGGER tocsin_audit_no_delete BEFORE DELETE ON tocsin_audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only ever added to'); END
    """,
)

_POSTGRESQL_GUARDS = (
    """
    CREATE FUNCTION tocsin_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit record is only ever added to'; END $$
    """,
    """
    CREATE TRIGGER tocsin_audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON tocsin_audit
    FOR EACH STATEMENT EXECUTE FUNCTION tocsin_audit_refuse()
    """,
)


def upgrade() -> None:
    """Make every table."""
    _rules()
    _incidents()
    _reputations()
    _deliveries()
    _requests()
    _people()
    _audit()


def _rules() -> None:
    """How far each rule is, and which rows are known."""
    op.create_table(
        "tocsin_rules",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("watermark", sa.BigInteger()),
        sa.Column("looked_at", sa.BigInteger()),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("rule_id"),
    )
    op.create_table(
        "tocsin_fingerprints",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("event_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "fingerprint"),
    )
    op.create_index("tocsin_fingerprints_by_time", "tocsin_fingerprints", ["rule_id", "event_at"])


def _incidents() -> None:
    """Incidents with their rows and addresses."""
    op.create_table(
        "tocsin_incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Text()),
        sa.Column("owner_name", sa.Text()),
        sa.Column("classification", sa.Text()),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("last_action", sa.Text()),
        sa.Column("last_id", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("last_at", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group_key", "generation", name="tocsin_incidents_generations"),
    )
    op.create_index("tocsin_incidents_by_creation", "tocsin_incidents", ["created_at"])
    op.create_table(
        "tocsin_findings",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["tocsin_incidents.id"]),
        sa.PrimaryKeyConstraint("incident_id", "fingerprint"),
    )
    op.create_table(
        "tocsin_sightings",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["tocsin_incidents.id"]),
        sa.PrimaryKeyConstraint("incident_id", "address"),
    )
    op.create_index("tocsin_sightings_by_address", "tocsin_sightings", ["address"])


def _reputations() -> None:
    """What is known of addresses, and the day's calls."""
    op.create_table(
        "tocsin_reputations",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("found", sa.Text()),
        sa.Column("found_at", sa.BigInteger()),
        sa.Column("failure", sa.Text()),
        sa.Column("failed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("address", "window_days"),
    )
    op.create_table(
        "tocsin_quota",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("daily_limit", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.BigInteger()),
        sa.Column("closed_until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("endpoint"),
    )


def _deliveries() -> None:
    """The outbox."""
    op.create_table(
        "tocsin_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("unsure", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.BigInteger()),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_until", sa.BigInteger()),
        sa.Column("posted_channel", sa.Text()),
        sa.Column("posted_ts", sa.Text()),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tocsin_deliveries_by_state", "tocsin_deliveries", ["state", "kind"])
    op.create_index("tocsin_deliveries_by_subject", "tocsin_deliveries", ["subject"])


def _requests() -> None:
    """Requests to block."""
    op.create_table(
        "tocsin_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("ttl", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_id", sa.Text(), nullable=False),
        sa.Column("requested_name", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decided_id", sa.Text()),
        sa.Column("decided_name", sa.Text()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("ends_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["incident_id"], ["tocsin_incidents.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tocsin_requests_by_address", "tocsin_requests", ["address"])
    op.create_index("tocsin_requests_by_incident", "tocsin_requests", ["incident_id"])
    op.create_index("tocsin_requests_in_force", "tocsin_requests", ["state", "ends_at"])


def _people() -> None:
    """Who is who, and what was taken from the chat platform."""
    op.create_table(
        "tocsin_members",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "user_id"),
    )
    op.create_table(
        "tocsin_people",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "tocsin_inbox",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("tocsin_inbox_by_time", "tocsin_inbox", ["received_at"])
    op.create_table(
        "tocsin_lookups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("answer_at", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tocsin_lookups_waiting", "tocsin_lookups", ["done_at", "asked_at"])


def _audit() -> None:
    """The audit chain, its start, and what refuses to change it."""
    op.create_table(
        "tocsin_audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("tocsin_audit_by_subject", "tocsin_audit", ["subject"])
    op.create_table(
        "tocsin_audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    head = sa.table("tocsin_audit_head", sa.column("id"), sa.column("seq"), sa.column("seal"))
    op.bulk_insert(head, [{"id": 1, "seq": 0, "seal": "0" * 64}])
    for statement in _SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL_GUARDS:
        op.execute(statement)
