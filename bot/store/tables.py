"""Every table of ours. Names start with `tocsin_`, because a SQLite file also holds the durable engine's tables."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.columns import Document, Moment, Span, Words

metadata = sa.MetaData()

rules = sa.Table(
    "tocsin_rules",
    metadata,
    sa.Column("rule_id", sa.Text, primary_key=True),
    sa.Column("watermark", Moment),
    sa.Column("looked_at", Moment),
    sa.Column("rows", sa.Integer, nullable=False, default=0),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("problem", Words, nullable=False, default=""),
    sa.Column("failed_at", Moment),
)

fingerprints = sa.Table(
    "tocsin_fingerprints",
    metadata,
    sa.Column("rule_id", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("event_at", Moment, nullable=False),
    sa.Index("tocsin_fingerprints_by_time", "rule_id", "event_at"),
)

incidents = sa.Table(
    "tocsin_incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("group_key", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("rule_id", sa.Text, nullable=False),
    sa.Column("rule_name", Words, nullable=False),
    sa.Column("description", Words, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("who", Words, nullable=False),
    sa.Column("place", Words, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("owner_id", sa.Text),
    sa.Column("owner_name", Words),
    sa.Column("classification", sa.Text),
    sa.Column("comment", Words, nullable=False, default=""),
    sa.Column("last_action", sa.Text),
    sa.Column("last_id", sa.Text),
    sa.Column("last_name", Words),
    sa.Column("last_at", Moment),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("group_key", "generation", name="tocsin_incidents_generations"),
    sa.Index("tocsin_incidents_by_creation", "created_at"),
)

findings = sa.Table(
    "tocsin_findings",
    metadata,
    sa.Column("incident_id", sa.ForeignKey("tocsin_incidents.id"), primary_key=True),
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("what", Words, nullable=False),
    sa.Column("target", Words, nullable=False),
    sa.Column("addresses", Document, nullable=False),
    sa.Column("row", Document, nullable=False),
)

sightings = sa.Table(
    "tocsin_sightings",
    metadata,
    sa.Column("incident_id", sa.ForeignKey("tocsin_incidents.id"), primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("tocsin_sightings_by_address", "address"),
)

reputations = sa.Table(
    "tocsin_reputations",
    metadata,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("window_days", sa.Integer, primary_key=True),
    sa.Column("found", Document),
    sa.Column("found_at", Moment),
    sa.Column("failure", Document),
    sa.Column("failed_at", Moment),
)

quota = sa.Table(
    "tocsin_quota",
    metadata,
    sa.Column("endpoint", sa.Text, primary_key=True),
    sa.Column("daily_limit", sa.Integer, nullable=False),
    sa.Column("remaining", sa.Integer, nullable=False),
    sa.Column("counted_at", Moment),
    sa.Column("closed_until", Moment),
)

deliveries = sa.Table(
    "tocsin_deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("thread", sa.Text),
    sa.Column("body", Document, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("unsure", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_tried_at", Moment),
    sa.Column("claimed_by", sa.Text),
    sa.Column("claimed_until", Moment),
    sa.Column("posted_channel", sa.Text),
    sa.Column("posted_ts", sa.Text),
    sa.Column("drawn", sa.Integer, nullable=False, default=0),
    sa.Column("problem", Words, nullable=False, default=""),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("posted_at", Moment),
    sa.Index("tocsin_deliveries_by_subject", "subject"),
    sa.Index("tocsin_deliveries_by_state", "state", "kind"),
)

requests = sa.Table(
    "tocsin_requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("incident_id", sa.ForeignKey("tocsin_incidents.id"), nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("ttl", Span, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("requested_id", sa.Text, nullable=False),
    sa.Column("requested_name", Words, nullable=False),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("decide_by", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decided_id", sa.Text),
    sa.Column("decided_name", Words),
    sa.Column("decided_at", Moment),
    sa.Column("ends_at", Moment),
    sa.Index("tocsin_requests_in_force", "state", "ends_at"),
    sa.Index("tocsin_requests_by_incident", "incident_id"),
    sa.Index("tocsin_requests_by_address", "address"),
)

audit = sa.Table(
    "tocsin_audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", Words, nullable=False),
    sa.Column("action", Words, nullable=False),
    sa.Column("subject", Words, nullable=False),
    sa.Column("before", Document, nullable=False),
    sa.Column("after", Document, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("seal", sa.Text, nullable=False),
    sa.Index("tocsin_audit_by_subject", "subject"),
)

audit_head = sa.Table(
    "tocsin_audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("seal", sa.Text, nullable=False),
)

inbox = sa.Table(
    "tocsin_inbox",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("received_at", Moment, nullable=False),
    sa.Index("tocsin_inbox_by_time", "received_at"),
)

lookups = sa.Table(
    "tocsin_lookups",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("answer_at", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Index("tocsin_lookups_waiting", "done_at", "asked_at"),
)

members = sa.Table(
    "tocsin_members",
    metadata,
    sa.Column("group_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, primary_key=True),
)

people = sa.Table(
    "tocsin_people",
    metadata,
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("name", Words, nullable=False),
)
