"""A tenant's agents: prompts with names, and how a model is to be asked with them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.errors import Refusal
from app.tenancy.audit import Hand, record
from app.workloads.chat.models import ChatAgent


class AgentNotFound(Refusal):
    status = 404
    code = "agent_not_found"
    title = "There is no such agent"
    cure = "GET /v1/agents lists them; PUT /v1/agents/{name} makes one."


async def list_agents(session: AsyncSession, tenant_id: str, *, after: str, limit: int) -> Sequence[ChatAgent]:
    """By name; one more than the limit."""
    name = func.convert_to(ChatAgent.name, "UTF8")  # the same order under every collation of a database
    mine = select(ChatAgent).where(ChatAgent.tenant_id == tenant_id, name > func.convert_to(after, "UTF8"))
    return (await session.scalars(mine.order_by(name).limit(limit + 1))).all()


async def get_agent(session: AsyncSession, tenant_id: str, name: str) -> ChatAgent:
    agent = await session.get(ChatAgent, (tenant_id, name), populate_existing=True)
    if agent is None:
        raise AgentNotFound("No agent of this tenant has this name.")
    return agent


async def put_agent(
    session: AsyncSession, tenant_id: str, name: str, values: dict[str, object], by: Hand
) -> tuple[ChatAgent, bool]:
    """Make or change an agent; the agent, and whether it is new. Turns that wait are answered as it is then."""
    # xmax names the transaction that replaced a row; of a row that was just inserted it is 0.
    created: bool = (
        await session.execute(
            insert(ChatAgent)
            .values(tenant_id=tenant_id, name=name, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values | {"updated_at": func.now()})
            .returning(literal_column("xmax = 0"))
        )
    ).scalar_one()
    await record(session, tenant_id, by.deed("agent.put", name, created=created))
    return await get_agent(session, tenant_id, name), created


async def remove_agent(session: AsyncSession, tenant_id: str, name: str, by: Hand) -> None:
    await get_agent(session, tenant_id, name)
    await session.execute(delete(ChatAgent).where(ChatAgent.tenant_id == tenant_id, ChatAgent.name == name))
    await record(session, tenant_id, by.deed("agent.remove", name))
