"""The routes of operators under /admin, and a tenant's own administration of its keys under /v1/keys."""

from fastapi import Depends

from app.api.admin import audit, keys, own_keys, queues, removal, tenants
from app.api.deps import GUARDED, get_operator
from app.api.wire import edge_router

router = edge_router(prefix="/admin", dependencies=[Depends(get_operator)], responses=GUARDED)
for part in (queues, tenants, removal, keys, audit):
    router.include_router(part.router)

tenant_router = own_keys.router
