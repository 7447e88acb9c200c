"""NetworkPolicies: nothing comes in or goes out but what is named here."""

from __future__ import annotations

from app.core.manifests import names
from app.core.manifests.document import Document, yaml
from app.engine.workload import Workload

EVERYBODY: Document = {"matchLabels": {"app.kubernetes.io/name": "homeroom"}}
DNS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})
POSTGRES, REDIS, HTTPS = 5432, 6379, 443


def render(workloads: tuple[Workload, ...]) -> str:
    # JWTs' keys, models and buckets are elsewhere. A model in the cluster needs a policy of its own.
    callers = ["api", *(each.name for each in workloads if each.tools is not None or each.keeps_files)]
    return yaml(
        f"""
Nothing comes in or goes out but what is named here. Postgres ({POSTGRES}) and Redis ({REDIS}) are allowed wherever
they are: narrow that to their addresses in an overlay. The API's /metrics and the workers' probes are open to the
cluster, and tell of no tenant.
""",
        _policy("nothing", EVERYBODY, policyTypes=["Ingress", "Egress"]),
        _policy(
            "servers", EVERYBODY, policyTypes=["Egress"], egress=[{"ports": [*DNS, *map(_tcp, (POSTGRES, REDIS))]}]
        ),
        _policy("outside", _components(callers), policyTypes=["Egress"], egress=[{"ports": [_tcp(HTTPS)]}]),
        _policy("api", _components(["api"]), policyTypes=["Ingress"], ingress=[{"ports": [_tcp(names.API_PORT)]}]),
        _policy(
            "probes",
            _components([each.name for each in workloads]),
            policyTypes=["Ingress"],
            ingress=[{"from": [{"namespaceSelector": {}}], "ports": [_tcp(names.PROBE_PORT)]}],
        ),
    )


def _policy(name: str, pods: Document, **spec: object) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": names.metadata("network", f"homeroom-{name}"),
        "spec": {"podSelector": pods, **spec},
    }


def _components(components: list[str]) -> Document:
    chosen = {"key": "app.kubernetes.io/component", "operator": "In", "values": components}
    return EVERYBODY | {"matchExpressions": [chosen]}


def _tcp(port: int) -> Document:
    return {"protocol": "TCP", "port": port}
