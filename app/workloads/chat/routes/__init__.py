"""The routes of chat, by subject."""

from fastapi import APIRouter

from app.workloads.chat.routes import agents, sessions, turns

router = APIRouter()
for part in (turns, sessions, agents):
    router.include_router(part.router)
