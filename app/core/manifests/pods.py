"""What every pod of ours is like: an ordinary user, a root file system that nobody writes to, no token, no rights."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.manifests import names
from app.core.manifests.document import Document

TMP = "/tmp"  # noqa: S108 - the image's HOME; a volume of the pod's own


def pod(
    component: str,
    container: Document,
    *,
    grace: int,
    tmp: str,
    port: int | None,  # where it tells its metrics
    files: bool = False,
    **more: object,
) -> Document:
    scrape = {"prometheus.io/scrape": "true", "prometheus.io/port": str(port), "prometheus.io/path": "/metrics"}
    volumes: list[Document] = [{"name": "tmp", "emptyDir": {"sizeLimit": tmp}}]
    mounts: list[Document] = [{"name": "tmp", "mountPath": TMP}]
    if files:  # always the second: the component `s3` replaces it by its place
        volumes.append({"name": "files", "persistentVolumeClaim": {"claimName": names.FILES}})
        mounts.append({"name": "files", "mountPath": names.FILES_DIR})
    return {
        "metadata": {"labels": names.labels(component)} | ({"annotations": scrape} if port is not None else {}),
        "spec": {
            "serviceAccountName": f"homeroom-{component}",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": names.USER,
                "runAsGroup": names.USER,
                "fsGroup": names.USER,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **more,
            "containers": [container | {"securityContext": CONFINED, "volumeMounts": mounts}],
            "volumes": volumes,
        },
    }


CONFINED: Document = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def resources(cpu: float, memory_mib: int, limit_mib: int) -> Document:
    return {
        "requests": {"cpu": f"{cpu * 1000:g}m", "memory": f"{memory_mib}Mi"},
        "limits": {"memory": f"{limit_mib}Mi"},
    }


def spread(component: str) -> list[Document]:
    """Over zones and hosts as far as there are some; each release for itself, or a rollout would be lopsided."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": names.selector(component)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def environment(
    optional: Sequence[str], *, required: Sequence[str] = names.REQUIRED, own: Document | None = None
) -> dict[str, object]:
    """Settings from the ConfigMap, secrets one by one by reference: a process sees those that it needs."""
    secrets = [_secret(name, {}) for name in required] + [_secret(name, {"optional": True}) for name in optional]
    return {
        "envFrom": [{"configMapRef": {"name": names.SETTINGS}}],
        "env": [{"name": name, "value": str(value)} for name, value in (own or {}).items()] + secrets,
    }


def _secret(name: str, more: Document) -> Document:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": names.SECRET, "key": name, **more}}}


def http_probe(path: str, port: str, **more: int) -> Document:
    return {"httpGet": {"path": path, "port": port}, "timeoutSeconds": 3, **more}


def service_account(component: str) -> Document:
    """One per component, so that a cloud's rights (a bucket, say) can be given to it alone. None reads the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": names.metadata(component),
        "automountServiceAccountToken": False,
    }


def disruption_budget(component: str) -> Document:
    """One at a time. With a single replica that still lets a node be drained: a worker hands back what it runs."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": names.metadata(component),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": names.selector(component)},
        },
    }


def deployment(component: str, template: Document, *, replicas: int) -> Document:
    """New pods come before old ones go, so a rollout takes no capacity away."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": names.metadata(component),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": names.selector(component)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": template,
        },
    }
