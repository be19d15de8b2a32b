"""one spelling of each address, and links that stop a change of address

Expands the schema; the previous version ignores the new columns. Addresses get the spelling that this version
looks for: the domain in its ASCII form. Until the last process of the previous version has stopped, it does
not find an account by an address with such a domain; this version finds either spelling.
"""

import logging

import sqlalchemy as sa
from alembic import op

from app.mail_addresses import normalize_address

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

USERS = sa.table("users", sa.column("id"), sa.column("email"), sa.column("created_at"))
LINKS = sa.table("mail_links", sa.column("id"), sa.column("email"))
NEW_IN_LINKS = (
    ("agent", sa.String(length=200)),
    ("network", sa.String(length=49)),
    ("change_id", sa.String(length=26)),
    ("changed_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("links_ended_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("mail_links", schema=None) as batch_op:
        for name, kind in NEW_IN_LINKS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.create_index("ix_mail_links_email", ["email"])
    respell_addresses(op.get_bind())


def respell_addresses(connection: sa.Connection) -> None:
    """Store every address as this version does, oldest account first.

    Two accounts may have the same address in two spellings, so both belong to one mailbox. Then the account
    that already has the new spelling, or else the older one, gets it; the other keeps its own spelling, by
    which it is still found.
    """
    for link_id, email in connection.execute(sa.select(LINKS.c.id, LINKS.c.email)).all():
        if email != normalize_address(email):
            this_link = LINKS.update().where(LINKS.c.id == link_id)
            connection.execute(this_link.values(email=normalize_address(email)))
    rows = connection.execute(sa.select(USERS.c.id, USERS.c.email).order_by(USERS.c.created_at, USERS.c.id))
    odd = [(user_id, email) for user_id, email in rows if email != normalize_address(email)]
    for user_id, email in odd:
        address = normalize_address(email)
        holder = connection.scalar(sa.select(USERS.c.id).where(USERS.c.email == address))
        if holder is None:
            this_row = USERS.update().where(USERS.c.id == user_id)
            connection.execute(this_row.values(email=address))
        else:
            log.warning(
                "accounts %s and %s have one mail address in two spellings. Each signs in with its own; "
                "close one of them with its owner.",
                holder,
                user_id,
            )


def downgrade() -> None:
    with op.batch_alter_table("mail_links", schema=None) as batch_op:
        batch_op.drop_index("ix_mail_links_email")
        for name, _ in reversed(NEW_IN_LINKS):
            batch_op.drop_column(name)
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("links_ended_at")
