"""/v1/llm: the language model of a tenant's own, in place of the deployment's."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.admin.deps import Admin, AdminsHand
from app.api.deps import TheServices
from app.api.problems import refusals
from app.api.wire import JsonResponse, Name, edge_router
from app.tenancy.language_model import InvalidModel, ModelNotFound

router = edge_router("llm")


class ModelWish(BaseModel):
    """An OpenAI-compatible server and one of its models."""

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[Name, Field(examples=["https://models.example.org/v1"])]
    model: Annotated[Name, Field(examples=["tutor-large"])]
    api_key: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=500,
            pattern=r"^[\x21-\x7e]+$",
            description="Kept encrypted and never told again; null: none. Left out: the one that is there stays while "
            "the server stays the same.",
        ),
    ] = None


class ModelDocument(BaseModel):
    base_url: str
    model: str
    has_key: bool
    updated_at: datetime


@router.get(
    "/llm", summary="Read the tenant's model", responses={200: {"model": ModelDocument}, **refusals(ModelNotFound)}
)
async def read_model(admin: Admin, services: TheServices) -> Response:
    """Needs the scope `admin`. 404 where the deployment's model answers."""
    return JsonResponse(asdict(await services.models.read(admin.tenant_id)))


@router.put(
    "/llm", summary="Set the tenant's model", responses={200: {"model": ModelDocument}, **refusals(InvalidModel)}
)
async def put_model(wish: ModelWish, admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`. Workers use it within 5 seconds."""
    keep_key = "api_key" not in wish.model_fields_set
    return JsonResponse(
        asdict(await services.models.put(admin.tenant_id, **wish.model_dump(), keep_key=keep_key, by=by))
    )


@router.delete(
    "/llm",
    status_code=204,
    summary="Remove the tenant's model",
    responses={204: {"description": "It is gone, and its key with it."}, **refusals(ModelNotFound)},
)
async def remove_model(admin: Admin, services: TheServices, by: AdminsHand) -> Response:
    """Needs the scope `admin`. The deployment's model answers again, within 5 seconds."""
    await services.models.remove(admin.tenant_id, by)
    return Response(status_code=204)
