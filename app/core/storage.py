"""From settings to the storage of files: a folder of this machine, or S3."""

from __future__ import annotations

from pathlib import Path

from app.core.config import StorageSettings
from app.kit.errors import ConfigurationError
from app.storage.local import LocalStorage, RootOf
from app.storage.port import Storage
from app.tenancy.tenants import Policies, TenantNotFound


def build_storage(settings: StorageSettings, policies: Policies) -> Storage:
    if not settings.url:
        return LocalStorage(roots(Path(settings.folder).absolute(), policies))
    try:
        from app.storage.s3 import S3Storage  # noqa: PLC0415 - an extra, loaded where it is used
    except ModuleNotFoundError:
        raise ConfigurationError(
            "STORAGE_URL is set, but what speaks S3 is not installed.",
            cure="Install the extra `s3` (pip install 'homeroom[s3]'), or unset it to keep files in STORAGE_DIR.",
        ) from None
    return S3Storage(settings.url, settings.s3_options())


def roots(folder: Path, policies: Policies) -> RootOf:
    """Each tenant's own folder. Its name ends it wherever it is, so that two tenants may be given the same place."""

    async def root_of(tenant_id: str) -> Path:
        try:
            tenant = await policies.of(tenant_id)
        except TenantNotFound:  # its jobs may outlive its registration
            return folder / tenant_id
        if tenant.uploads_dir is not None:
            return Path(tenant.uploads_dir) / tenant_id
        return (Path(tenant.data_dir) / "uploads" if tenant.data_dir is not None else folder) / tenant_id

    return root_of
