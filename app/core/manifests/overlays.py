"""deploy/k8s/overlays: one that runs by itself on a developer's cluster, and one for production."""

from __future__ import annotations

from app import __version__
from app.core.manifests import names, servers
from app.core.manifests.document import Document, yaml
from app.core.manifests.patches import json_patch, without_replicas
from app.engine.workload import Workload

FOLDER = "deploy/k8s/overlays"

MOST_API_REPLICAS = 10
BUSY_PERCENT = 70


def render(_workloads: tuple[Workload, ...]) -> dict[str, str]:
    return {
        f"{FOLDER}/dev/kustomization.yaml": _dev(),
        f"{FOLDER}/dev/servers.yaml": servers.render(),
        f"{FOLDER}/dev/namespace.yaml": _namespace(),
        f"{FOLDER}/production/kustomization.yaml": _production(),
        f"{FOLDER}/production/namespace.yaml": _namespace(),
        f"{FOLDER}/production/autoscaler.yaml": _autoscaler(),
    }


def _dev() -> str:
    settings = ["APP_ENV=development", "LOG_LEVEL=debug", "DIAGNOSTICS=true"]
    claim: list[Document] = [
        {"op": "replace", "path": "/spec/accessModes", "value": ["ReadWriteOnce"]},
        {"op": "replace", "path": "/spec/resources/requests/storage", "value": "1Gi"},
    ]
    return yaml(
        """
Everything on a cluster of one node (kind, minikube, k3s), both servers included:

    for target in api chat upload profile base migrate; do
      docker build --target $target --tag homeroom-$target:VERSION .   # and load them into the cluster
    done
    kubectl apply -k deploy/k8s/overlays/dev
    kubectl -n homeroom port-forward svc/homeroom-api 8000

Its passwords are known to everybody, and its servers forget with their pods.
""".replace("VERSION", __version__),
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": names.NAMESPACE,
            "resources": ["namespace.yaml", "servers.yaml", "../../base"],
            "configMapGenerator": [{"name": names.SETTINGS, "behavior": "merge", "literals": settings}],
            "patches": [
                {"target": {"kind": "PersistentVolumeClaim", "name": names.FILES}, "patch": json_patch(claim)},
                {
                    "target": {"kind": "Deployment", "name": "homeroom-api"},
                    "patch": json_patch([{"op": "replace", "path": "/spec/replicas", "value": 1}]),
                },
            ],
        },
    )


def _production() -> str:
    return yaml(
        f"""
Production. Before the first apply the Secret has to be there, made by hand or by your secret store:

    kubectl create namespace {names.NAMESPACE}
    kubectl -n {names.NAMESPACE} create secret generic {names.SECRET} \\
      --from-literal=DATABASE_URL=postgresql://... --from-literal=REDIS_URL=rediss://... \\
      --from-literal=MASTER_KEY="$(openssl rand -hex 32)" --from-literal=ADMIN_KEY="$(openssl rand -hex 32)"

What is yours goes into an overlay of your own with `resources: [../production]`: `images` (where your registry keeps
them), settings, a class for the volume or the component `s3`, an Ingress, narrower NetworkPolicies.
""",
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": names.NAMESPACE,
            "resources": ["namespace.yaml", "autoscaler.yaml", "../../base"],
            "components": ["../../components/keda"],
            "patches": [without_replicas("api")],
        },
    )


def _namespace() -> str:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return yaml(
        "The cluster itself refuses a pod here that is more than an ordinary process.",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": names.NAMESPACE, "labels": levels}},
    )


def _autoscaler() -> str:
    """By its processors: what an API does is encoding and signing, and it waits for Postgres in between."""
    busy = {"type": "Utilization", "averageUtilization": BUSY_PERCENT}
    return yaml(
        "The API scales on its processors (metrics-server has to be there). Queues are KEDA's.",
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": names.metadata("api"),
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "homeroom-api"},
                "minReplicas": 2,
                "maxReplicas": MOST_API_REPLICAS,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
            },
        },
    )
