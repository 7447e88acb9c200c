"""The three Postgres roles. They belong to the cluster, not to a schema, so they stand before the first migration."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.kit.db import Role

# Several databases of one cluster may be migrated at once: whoever loses the race finds the role made.
_CREATE_ROLE = """
do $$ begin
    if not exists (select 1 from pg_roles where rolname = '{role}') then
        begin
            create role {role} nologin nosuperuser nobypassrls;
        exception when duplicate_object or unique_violation then null;
        end;
    end if;
end $$
"""

_JOIN_ROLE = """
do $$ begin
    -- From Postgres 16 on, who makes a role may give it away but not act as it: that is a grant of its own.
    if current_setting('server_version_num')::int >= 160000 then
        if not pg_has_role(current_user, '{role}', 'set') then
            grant {role} to current_user with inherit false, set true;
        end if;
    elsif not pg_has_role(current_user, '{role}', 'member') then
        grant {role} to current_user;
    end if;
end $$
"""


def become_owner(connection: Connection) -> None:
    """Make the roles where they are missing, then act as the owner until this transaction ends.

    Two migrations of one database wait for each other here; the lock ends with the transaction.
    """
    connection.execute(text("select pg_advisory_xact_lock(hashtext('homeroom.migrate'))"))
    for role in Role:
        connection.execute(text(_CREATE_ROLE.format(role=role.value)))
        connection.execute(text(_JOIN_ROLE.format(role=role.value)))
    owner = Role.OWNER.value
    connection.execute(text(f"grant usage, create on schema public to {owner}"))
    connection.execute(text(f"set local role {owner}"))
