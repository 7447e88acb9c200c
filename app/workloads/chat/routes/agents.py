"""/agents: the tenant's own prompts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.admin.deps import Admin, AdminsHand
from app.api.deps import Reader, TheServices
from app.api.pages import IdCursor, Limit, PageIdCursor, cut, page
from app.api.problems import refusals
from app.api.refusals import InvalidCursor
from app.api.wire import JsonResponse, Name, edge_router
from app.workloads.chat import agents
from app.workloads.chat.agents import AgentNotFound
from app.workloads.chat.models import ChatAgent
from app.workloads.chat.schemas import AgentName

router = edge_router("agents")

Prompt = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
NameInPath = Annotated[AgentName, Path(alias="agent", description="The agent's name", examples=["socrates"])]


class AgentWish(BaseModel):
    """How an agent shall be."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[Prompt, Field(description="What the model is told about its part", examples=["Ask, never tell."])]
    model: Annotated[Name | None, Field(description="null: the model of the deployment or of the tenant")] = None
    temperature: Annotated[float | None, Field(ge=0, le=2, description="null: the model's own")] = None
    max_output_tokens: Annotated[int, Field(ge=1, le=8192, strict=True)] = 1024


class AgentDocument(AgentWish):
    name: str
    created_at: datetime
    updated_at: datetime


class AgentPage(BaseModel):
    """By name."""

    data: list[AgentDocument]
    has_more: bool
    next_cursor: str | None


@router.get("/agents", summary="List agents", responses={200: {"model": AgentPage}, **refusals(InvalidCursor)})
async def list_agents(reader: Reader, services: TheServices, cursor: PageIdCursor, limit: Limit = 20) -> Response:
    """The prompts that `agent` of a turn may name."""
    after = cursor.id if cursor is not None else ""
    async with services.database.session(reader.tenant_id) as session:
        rows = await agents.list_agents(session, reader.tenant_id, after=after, limit=limit)
    shown, following = cut(rows, limit, lambda row: IdCursor(row.name))
    return JsonResponse(page([_document(row) for row in shown], following))


@router.get(
    "/agents/{agent}", summary="Read an agent", responses={200: {"model": AgentDocument}, **refusals(AgentNotFound)}
)
async def read_agent(name: NameInPath, reader: Reader, services: TheServices) -> Response:
    async with services.database.session(reader.tenant_id) as session:
        return JsonResponse(_document(await agents.get_agent(session, reader.tenant_id, name)))


@router.put(
    "/agents/{agent}",
    summary="Make or change an agent",
    responses={200: {"model": AgentDocument}, 201: {"model": AgentDocument, "description": "The agent is new."}},
)
async def put_agent(name: NameInPath, wish: AgentWish, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`. Turns that wait are answered by the agent as it is then."""
    async with services.database.session(admin.tenant_id) as session:
        agent, created = await agents.put_agent(session, admin.tenant_id, name, wish.model_dump(), by)
    return JsonResponse(_document(agent), status_code=201 if created else 200)


@router.delete(
    "/agents/{agent}",
    status_code=204,
    summary="Remove an agent",
    responses={204: {"description": "It is gone."}, **refusals(AgentNotFound)},
)
async def remove_agent(name: NameInPath, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`. Turns that wait for it fail with `unknown_agent`."""
    async with services.database.session(admin.tenant_id) as session:
        await agents.remove_agent(session, admin.tenant_id, name, by)
    return Response(status_code=204)


def _document(agent: ChatAgent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "prompt": agent.prompt,
        "model": agent.model,
        "temperature": agent.temperature,
        "max_output_tokens": agent.max_output_tokens,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
    }
