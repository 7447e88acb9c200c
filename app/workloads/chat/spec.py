"""The chat queue: data only; everything else is derived from it."""

from app.engine.workload import JobKind, Scaling, Workload
from app.kit.backoff import Backoff
from app.workloads.chat.schemas import ChatReply, ChatRequest

WORKLOAD = Workload(
    name="chat",
    redis_db=3,
    summary="Tutoring replies, strictly serial per lane",
    kinds=(
        JobKind(
            name="chat.reply",
            task="app.workloads.chat.tasks:reply",
            input=ChatRequest,
            result=ChatReply,
            summary="Answers one turn of a conversation",
            timeout=180.0,
            max_attempts=5,
            max_losses=10,  # it only waits for a model, beside 49 others: what kills its worker is hardly it
            backoff=Backoff(first=1.0, cap=8.0),  # the lane waits meanwhile: 1 + 2 + 4 + 8 s at most
            permits=("llm_total", "llm_{role}"),
            lanes=False,
            placement="app.workloads.chat.placement:place",
            alongside="app.workloads.chat.placement:keep_turn",
            reach="app.workloads.chat.placement:reach",
        ),
    ),
    concurrency=50,
    grace=60.0,
    routes="app.workloads.chat.routes:router",
    tools="app.workloads.chat.tools:open_tools",
    scaling=Scaling(
        min_replicas=1, max_replicas=50, target_age_seconds=2, cpu=0.5, memory_mib=256, memory_limit_mib=768
    ),
)
