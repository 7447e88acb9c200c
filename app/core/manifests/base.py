"""deploy/k8s/base: one Deployment per queue, the API, the migration, and what they stand on."""

from __future__ import annotations

from app import __version__
from app.core.manifests import names, network, pods
from app.core.manifests.document import Document, yaml
from app.engine.workload import Workload

FOLDER = "deploy/k8s/base"

SETTINGS = {"APP_ENV": "production", "LOG_FORMAT": "json", "STORAGE_DIR": names.FILES_DIR}

STARTUP = {"periodSeconds": 2, "failureThreshold": 45}  # STARTUP_WAIT_SECONDS, and a slow node


def render(workloads: tuple[Workload, ...]) -> dict[str, str]:
    files = {f"{each.name}.yaml": _worker(each, workloads) for each in workloads} | {
        "api.yaml": _api(workloads),
        "migrate.yaml": _migrate(),
        "network.yaml": network.render(workloads),
        "files.yaml": _files(),
    }
    kustomization = _kustomization(sorted(files))
    return {f"{FOLDER}/{name}": text for name, text in (files | {"kustomization.yaml": kustomization}).items()}


def _kustomization(resources: list[str]) -> str:
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
        "configMapGenerator": [
            {"name": names.SETTINGS, "literals": [f"{name}={value}" for name, value in SETTINGS.items()]}
        ],
    }
    return yaml(
        f"""
Everything but the two servers. It reads a Secret `{names.SECRET}` with {", ".join(names.REQUIRED)}, and where there are
any {", ".join(names.OF_ALL + names.OF_THE_API + names.OF_THE_MODEL)},
{", ".join(names.OF_STORAGE)} and a queue's own <QUEUE>_REDIS_URL.
Settings (.env.example) come from the ConfigMap, which an overlay extends: `configMapGenerator` with `behavior: merge`.
Its name ends with a hash of what it holds, so pods are renewed when a setting changes.
""",
        document,
    )


def _worker(workload: Workload, workloads: tuple[Workload, ...]) -> str:
    name, scaling = workload.name, workload.scaling
    container: Document = {
        "name": "worker",
        "image": names.image(names.target(workload)),
        **({"args": arguments} if (arguments := names.arguments(workload, workloads)) else {}),
        **pods.environment(
            _optional(workload, workloads),
            own={"WORKER_PROBE_HOST": "0.0.0.0", "WORKER_PROBE_PORT": names.PROBE_PORT},  # noqa: S104 - a pod's own
        ),
        "ports": [{"name": "probe", "containerPort": names.PROBE_PORT}],
        "startupProbe": pods.http_probe("/healthz", "probe", **STARTUP),
        "livenessProbe": pods.http_probe("/healthz", "probe", periodSeconds=10, failureThreshold=3),
        "readinessProbe": pods.http_probe("/readyz", "probe", periodSeconds=5, failureThreshold=2),
        "resources": pods.resources(scaling.cpu, scaling.memory_mib, scaling.memory_limit_mib),
    }
    template = pods.pod(
        name,
        container,
        grace=names.grace_seconds(workload),
        port=names.PROBE_PORT,
        tmp="2Gi" if workload.keeps_files else "256Mi",
        files=workload.keeps_files,
        topologySpreadConstraints=pods.spread(name),
    )
    return yaml(
        f"""
The {name} queue: {workload.summary.lower()}. On SIGTERM a worker has {workload.grace:g} s to end what it runs, and
{names.GRACE_MARGIN} s to hand the rest back; whoever sets {name.upper()}_GRACE_SECONDS raises the pod's grace
period too. There is no limit on CPU: what is idle on a node may be used, and a
worker that is held back would only keep its jobs longer.
""",
        pods.service_account(name),
        pods.deployment(name, template, replicas=scaling.min_replicas),
        pods.disruption_budget(name),
    )


def _optional(workload: Workload, workloads: tuple[Workload, ...]) -> list[str]:
    """Every worker submits: a queue's Redis may be asked for by each."""
    secrets = [*names.OF_ALL, *names.redis_variables(workloads)]
    if workload.tools is not None:
        secrets += names.OF_THE_MODEL
    if workload.keeps_files:
        secrets += names.OF_STORAGE
    return secrets


def _api(workloads: tuple[Workload, ...]) -> str:
    container: Document = {
        "name": "api",
        "image": names.image("api"),
        **pods.environment(
            [*names.OF_ALL, *names.OF_THE_API, *names.OF_STORAGE, *names.redis_variables(workloads)],
        ),
        "ports": [{"name": "http", "containerPort": names.API_PORT}],
        "startupProbe": pods.http_probe("/healthz", "http", **STARTUP),
        "livenessProbe": pods.http_probe("/healthz", "http", periodSeconds=10, failureThreshold=3),
        "readinessProbe": pods.http_probe("/readyz", "http", periodSeconds=5, failureThreshold=2),
        # Load balancers hear late that a pod is leaving: it serves on meanwhile.
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "resources": pods.resources(0.5, 256, 768),
    }
    template = pods.pod(
        "api",
        container,
        grace=names.API_GRACE,
        port=names.API_PORT,
        tmp="1Gi",
        files=True,
        topologySpreadConstraints=pods.spread("api"),
    )
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata("api"),
        "spec": {
            "selector": names.selector("api"),
            "ports": [{"name": "http", "port": names.API_PORT, "targetPort": "http"}],
        },
    }
    return yaml(
        """
The API. What leads to it from outside (an Ingress or a Gateway, TLS, a host's name) is the platform's: route all paths
but /metrics, and let event streams stay open.
""",
        pods.service_account("api"),
        pods.deployment("api", template, replicas=2),
        service,
        pods.disruption_budget("api"),
    )


def _migrate() -> str:
    container: Document = {
        "name": "migrate",
        "image": names.image("migrate"),
        **pods.environment([]),
        "resources": pods.resources(0.1, 128, 384),
    }
    template = pods.pod("migrate", container, grace=30, port=None, tmp="64Mi", restartPolicy="Never")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": names.metadata("migrate", f"homeroom-migrate-{__version__.replace('.', '-').replace('+', '-')}"),
        "spec": {
            "backoffLimit": 6,
            "activeDeadlineSeconds": 1800,
            "ttlSecondsAfterFinished": 3600,
            "template": template,
        },
    }
    return yaml(
        """
Brings the schema up to this release. A Job cannot be changed, so its name has the release in it; who deploys another
image under the same release deletes the Job first. Pods of the new release end and come again until it is done, those
of the one before serve on: migrations expand before they contract.
""",
        pods.service_account("migrate"),
        job,
    )


def _files() -> str:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": names.metadata("files", names.FILES),
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "50Gi"}}},
    }
    return yaml(
        """
What is uploaded, for the API and for the workers that read or remove it. They run on several nodes, so the volume's
class must allow that (NFS, CephFS, a cloud's file store); else take the component `s3` and a bucket.
""",
        claim,
    )
