"""deploy/k8s/components: KEDA scales the queues; files in S3 instead of a volume."""

from __future__ import annotations

from app.core.manifests import names
from app.core.manifests.document import Document, yaml
from app.core.manifests.patches import deployment, json_patch, without_replicas
from app.engine.workload import Workload

FOLDER = "deploy/k8s/components"

METRICS = f"http://homeroom-api.{names.NAMESPACE}.svc:{names.API_PORT}/metrics"
POLL = 5  # seconds: the API reads the ledger no more often
UP_PERIOD = 15
DOWN_STABLE = 300  # seconds that less has to suffice before workers go


def render(workloads: tuple[Workload, ...]) -> dict[str, str]:
    files = {f"{FOLDER}/keda/{each.name}.yaml": _scaled(each) for each in workloads}
    return files | {
        f"{FOLDER}/keda/kustomization.yaml": _keda(workloads),
        f"{FOLDER}/s3/kustomization.yaml": _s3(workloads),
    }


def _scaled(workload: Workload) -> str:
    queue, scaling = workload.name, workload.scaling
    document: Document = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": names.metadata(queue),
        "spec": {
            "scaleTargetRef": {"name": f"homeroom-{queue}"},
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            "pollingInterval": POLL,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": BEHAVIOR}},
            "triggers": [
                _trigger("demand", "AverageValue", f'homeroom_queue_demand{{queue="{queue}"}}', workload.concurrency),
                _trigger("age", "Value", f'homeroom_queue_lag_seconds{{queue="{queue}"}}', scaling.target_age_seconds),
            ],
        },
    }
    return yaml(
        f"""
Workers of the {queue} queue: as many as its jobs have use for ({workload.concurrency} jobs a worker), and more, in
proportion, where the oldest that only lacks a slot waits longer than {scaling.target_age_seconds} s. Jobs behind
their lane count for neither, and a paused queue asks for nobody.

There is no `fallback`: while the figures are missing, the autoscaler keeps the workers that it has.
""",
        document,
    )


def _trigger(name: str, kind: str, figure: str, target: int) -> Document:
    return {
        "type": "metrics-api",
        "name": name,
        "metricType": kind,
        "metadata": {"url": METRICS, "format": "prometheus", "valueLocation": figure, "targetValue": str(target)},
    }


# Up at once, by doubling or by four; down slowly, since a burst seldom comes alone.
BEHAVIOR: Document = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": UP_PERIOD},
            {"type": "Pods", "value": 4, "periodSeconds": UP_PERIOD},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": DOWN_STABLE,
        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
    },
}


def _keda(workloads: tuple[Workload, ...]) -> str:
    return yaml(
        f"""
KEDA scales each queue on what the API tells at {METRICS}.
KEDA itself (2.15 or newer) is the platform's. The Deployments lose their number of replicas, which is the autoscaler's
to say: an apply would reset it.
""",
        _component(
            resources=[f"{each.name}.yaml" for each in sorted(workloads, key=lambda each: each.name)],
            patches=[without_replicas(each.name) for each in workloads],
        ),
    )


def _s3(workloads: tuple[Workload, ...]) -> str:
    users = ["api", *(each.name for each in workloads if each.keeps_files)]
    gone: Document = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": names.FILES},
        "$patch": "delete",
    }
    own = [{"op": "replace", "path": "/spec/template/spec/volumes/1", "value": {"name": "files", "emptyDir": {}}}]
    return yaml(
        """
Uploads in a bucket instead of a shared volume. The overlay sets STORAGE_URL=s3://bucket/prefix, and STORAGE_ENDPOINT or
STORAGE_REGION where needed; keys come from the Secret, or from the rights of the ServiceAccounts.
""",
        _component(
            patches=[
                {"target": {"kind": "PersistentVolumeClaim", "name": names.FILES}, "patch": json_patch(gone)},
                *({"target": deployment(each), "patch": json_patch(own)} for each in users),
            ]
        ),
    )


def _component(**parts: object) -> Document:
    return {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", **parts}
