"""Postgres and Valkey for the development overlay."""

from __future__ import annotations

from app.core.config import DEVELOPMENT_MASTER_KEY
from app.core.manifests import names, pods
from app.core.manifests.document import Document, yaml

PASSWORD = "for-development-only"  # noqa: S105 - it says so
POSTGRES_IMAGE, POSTGRES_USER = "pgvector/pgvector:pg18", 999
REDIS_IMAGE, REDIS_USER = "valkey/valkey:9", 999
REDIS_ARGUMENTS = ("--maxmemory-policy", "noeviction", "--appendonly", "yes", "--save", "")


def render() -> str:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": names.metadata("settings", names.SECRET),
        "stringData": {
            "DATABASE_URL": f"postgresql://homeroom:{PASSWORD}@homeroom-postgres:5432/homeroom",
            "REDIS_URL": f"redis://:{PASSWORD}@homeroom-redis:6379",
            "MASTER_KEY": DEVELOPMENT_MASTER_KEY,
            "ADMIN_KEY": DEVELOPMENT_MASTER_KEY,
        },
    }
    postgres: Document = {
        "image": POSTGRES_IMAGE,
        "args": ["-c", "max_connections=300", "-c", "jit=off"],
        "env": [{"name": "PGDATA", "value": "/data/pg"}, {"name": "POSTGRES_PASSWORD", "value": PASSWORD}],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "--host=127.0.0.1", "--username=homeroom", "--dbname=homeroom"]},
            "periodSeconds": 3,
        },
    }
    redis: Document = {
        "image": REDIS_IMAGE,
        "command": ["valkey-server"],
        "args": [*REDIS_ARGUMENTS, "--requirepass", PASSWORD, "--dir", "/data"],
        "env": [{"name": "VALKEYCLI_AUTH", "value": PASSWORD}],
        "readinessProbe": {"exec": {"command": ["sh", "-c", "valkey-cli ping | grep -q PONG"]}, "periodSeconds": 3},
    }
    return yaml(
        """
Postgres and Valkey for development: one pod each, with data that go with it. As in production Homeroom's login is no
superuser, since row level security binds none.
""",
        secret,
        _login_script(),
        *_server("postgres", postgres, 5432, POSTGRES_USER, scripts=True),
        *_server("redis", redis, 6379, REDIS_USER),
    )


def _login_script() -> Document:
    script = f"create role homeroom login createrole password '{PASSWORD}';\ncreate database homeroom owner homeroom;\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": names.metadata("postgres", "homeroom-postgres-login"),
        "data": {"login.sql": script},
    }


def _server(component: str, container: Document, port: int, user: int, *, scripts: bool = False) -> list[Document]:
    volumes: list[Document] = [{"name": each, "emptyDir": {}} for each in ("data", "tmp", "run")]
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - a volume
    mounts.append({"name": "run", "mountPath": "/var/run/postgresql" if scripts else "/run"})
    if scripts:
        volumes.append({"name": "login", "configMap": {"name": "homeroom-postgres-login"}})
        mounts.append({"name": "login", "mountPath": "/docker-entrypoint-initdb.d"})
    labels = {"app.kubernetes.io/name": f"homeroom-{component}"}
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                container
                | {
                    "name": component,
                    "ports": [{"containerPort": port}],
                    "securityContext": pods.CONFINED,
                    "resources": pods.resources(0.25, 256, 1024),
                    "volumeMounts": mounts,
                }
            ],
            "volumes": volumes,
        },
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": names.metadata(component),
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": labels},
                "template": template,
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": names.metadata(component),
            "spec": {"selector": labels, "ports": [{"port": port}]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": names.metadata(component),
            "spec": {
                "podSelector": {"matchLabels": labels},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {
                        "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "homeroom"}}}],
                        "ports": [{"protocol": "TCP", "port": port}],
                    }
                ],
            },
        },
    ]
