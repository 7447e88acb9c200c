"""The routes of operators under /admin, and what a tenant administers itself: /v1/keys, /v1/llm."""

from fastapi import Depends

from app.api.admin import (
    audit,
    job_verbs,
    jobs,
    keys,
    lanes,
    own_keys,
    own_model,
    queues,
    removal,
    replay,
    shares,
    tenants,
)
from app.api.deps import GUARDED, get_operator
from app.api.wire import edge_router

router = edge_router(prefix="/admin", dependencies=[Depends(get_operator)], responses=GUARDED)
for part in (queues, shares, replay, jobs, job_verbs, lanes, tenants, removal, keys, audit):
    router.include_router(part.router)

tenant_router = edge_router()
for part in (own_keys, own_model):
    tenant_router.include_router(part.router)
