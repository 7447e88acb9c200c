"""`homeroom manifests`: the files are what the specs say, and Kubernetes and KEDA take them as they are."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from cloudcoil.models.keda import v1alpha1 as keda

from app.cli import main
from app.core import manifests
from app.core.manifests.keda import METRICS
from app.engine.workload import Workload
from app.workloads import WORKLOADS
from tests.contract.test_deploy_files import ROOT, targets
from tests.support.kustomize import Document, build, documents

OVERLAYS = ("dev", "production")
KUBERNETES = ("1.33", "1.37")  # the oldest that is still looked after when this is written, and the newest
QUEUES = [each.name for each in WORKLOADS]
SECRETS = {
    *("DATABASE_URL", "REDIS_URL", "MASTER_KEY", "DATABASE_APP_URL", "DATABASE_ENGINE_URL", "MASTER_KEY_PREVIOUS"),
    *("ADMIN_KEY", "LLM_API_KEY", "STORAGE_ACCESS_KEY_ID", "STORAGE_SECRET_ACCESS_KEY"),
}


@functools.cache
def overlay(name: str) -> list[Document]:
    return build(ROOT / "deploy" / "k8s" / "overlays" / name)


def named(kind: str, name: str, of: str = "production") -> Document:
    (found,) = (each for each in overlay(of) if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def pods(of: str = "production") -> dict[str, Document]:
    """The pods of ours, by component."""
    templates = [each["spec"]["template"] for each in overlay(of) if each["kind"] in ("Deployment", "Job")]
    return {
        each["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"]
        for each in templates
        if each["metadata"]["labels"]["app.kubernetes.io/name"] == "homeroom"
    }


def variables(container: Document) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in container["env"]}


def test_no_rendered_file_is_stale() -> None:
    assert manifests.stale(ROOT) == [], "Cure: homeroom manifests"


def test_check_tells_what_is_stale_and_the_command_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["manifests", "--out", str(tmp_path)]
    assert main([*command, "--check"]) == 1
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    chat, gone = tmp_path / "deploy/k8s/base/chat.yaml", tmp_path / "deploy/k8s/base/gone.yaml"
    rendered = chat.read_text()
    chat.write_text(rendered.replace("terminationGracePeriodSeconds: 75", "terminationGracePeriodSeconds: 5"))
    gone.write_text(rendered)  # of a queue that is no more
    mine = tmp_path / "deploy/k8s/overlays/mine.yaml"
    mine.write_text("kind: Mine\n")
    capsys.readouterr()
    assert main([*command, "--check"]) == 1
    assert capsys.readouterr().out.split() == ["deploy/k8s/base/chat.yaml", "deploy/k8s/base/gone.yaml"]
    assert main(command) == 0
    assert (chat.read_text(), gone.exists(), mine.exists()) == (rendered, False, True)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_kubernetes_takes_every_document(name: str, version: str) -> None:
    for each in overlay(name):
        if each["apiVersion"] != "keda.sh/v1alpha1":
            kubernetes_validate.validate(each, version, strict=True)


def test_what_kubernetes_does_not_know_is_seen() -> None:
    wrong = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}, "automountToken": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


def keda_knows(document: Document) -> bool:
    """The model drops what the CRD does not have: a field that does not come back is unknown."""
    read = keda.ScaledObject.model_validate(document)
    return bool(read.model_dump(by_alias=True, exclude_none=True, mode="json") == document)


@pytest.mark.parametrize("queue", QUEUES)
def test_keda_takes_every_scaled_object(queue: str) -> None:
    document = named("ScaledObject", f"homeroom-{queue}")
    assert keda_knows(document)
    spec = document["spec"]
    assert not keda_knows(document | {"spec": spec | {"minReplicas": 1}})
    with pytest.raises(ValueError, match="triggers"):
        keda_knows(document | {"spec": {"scaleTargetRef": spec["scaleTargetRef"]}})


@pytest.mark.parametrize("name", OVERLAYS)
def test_kustomize_builds_what_the_tests_read(name: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine; the other tests read the overlays by a reader of their own")
    folder = ROOT / "deploy" / "k8s" / "overlays" / name
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def by_name(found: list[Document]) -> dict[tuple[str, str], Document]:
        return {(each["kind"], each["metadata"]["name"]): each for each in found}

    assert by_name(documents(re.sub(r"(homeroom-settings)-\w{10}\b", r"\1", done.stdout))) == by_name(overlay(name))


def test_each_queue_has_its_deployment_and_the_api_and_the_migration_theirs() -> None:
    for name in OVERLAYS:
        assert pods(name).keys() == {*QUEUES, "api", "migrate"}


@pytest.mark.parametrize("workload", WORKLOADS, ids=QUEUES)
def test_a_worker_is_what_its_spec_says(workload: Workload) -> None:
    pod = pods()[workload.name]
    (container,) = pod["containers"]
    target = container["image"].removeprefix("homeroom-").partition(":")[0]
    shared = [each for each in WORKLOADS if each.run_script == workload.run_script]
    expected = ["python", workload.run_script, *([workload.name] if len(shared) > 1 else [])]
    assert targets()[target].argv(container.get("args", [])) == expected
    assert pod["terminationGracePeriodSeconds"] > workload.grace
    assert ("files" in {each["name"] for each in pod["volumes"]}) is workload.keeps_files
    assert container["resources"]["limits"] == {"memory": f"{workload.scaling.memory_limit_mib}Mi"}
    assert variables(container)["WORKER_PROBE_HOST"] == "0.0.0.0"
    assert variables(container)["WORKER_PROBE_PORT"] == str(container["ports"][0]["containerPort"])


def test_whoever_serves_is_probed() -> None:
    for component, pod in pods().items():
        (container,) = pod["containers"]
        probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")
                  if component != "migrate"}  # fmt: skip
        expected = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        assert probes == ({} if component == "migrate" else expected), component


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_is_an_ordinary_process(name: str) -> None:
    """What the namespace's `restricted` level demands, and more."""
    (namespace,) = (each for each in overlay(name) if each["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for each in overlay(name):
        if each["kind"] not in ("Deployment", "Job"):
            continue
        pod = each["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_pods_have_the_user_and_the_folder_of_the_image() -> None:
    stage = targets()["api"]
    for pod in pods().values():
        context = pod["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == stage.last("USER")
    folder = named("ConfigMap", "homeroom-settings")["data"]["STORAGE_DIR"]
    assert any(folder in text for text in stage.every("RUN"))
    mounted = [each for each in pods()["api"]["containers"][0]["volumeMounts"] if each["name"] == "files"]
    assert [each["mountPath"] for each in mounted] == [folder]


def test_secrets_come_by_reference_and_only_to_those_who_need_them() -> None:
    for component, pod in pods().items():
        for each in pod["containers"][0]["env"]:
            if "valueFrom" in each:
                reference = each["valueFrom"]["secretKeyRef"]
                assert (reference["name"], reference["key"]) == ("homeroom", each["name"])
            else:
                assert each["name"].startswith("WORKER_PROBE_")
        told = variables(pod["containers"][0]).keys()
        assert ("ADMIN_KEY" in told) is (component == "api")
        own = {each.name for each in WORKLOADS if each.tools is not None}
        assert ("LLM_API_KEY" in told) is (component in own)
    assert not any(each["kind"] == "Secret" for each in overlay("production"))


def test_every_variable_is_one_that_homeroom_reads() -> None:
    documented = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    own = {f"{queue.upper()}_REDIS_URL" for queue in QUEUES}
    for name in OVERLAYS:
        assert named("ConfigMap", "homeroom-settings", name)["data"].keys() <= documented
        for pod in pods(name).values():
            told = variables(pod["containers"][0]).keys()
            assert told <= documented
            assert {each for each in told if not each.startswith("WORKER_PROBE_")} <= SECRETS | own


def test_autoscalers_have_the_last_word_on_replicas() -> None:
    for component in (*QUEUES, "api"):
        assert "replicas" not in named("Deployment", f"homeroom-{component}")["spec"]
        assert named("Deployment", f"homeroom-{component}", "dev")["spec"]["replicas"] >= 1
    target = named("HorizontalPodAutoscaler", "homeroom-api")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "homeroom-api")


@pytest.mark.parametrize("workload", WORKLOADS, ids=QUEUES)
def test_a_queue_scales_as_its_spec_says_on_what_the_api_tells(workload: Workload) -> None:
    spec = named("ScaledObject", f"homeroom-{workload.name}")["spec"]
    assert spec["scaleTargetRef"]["name"] == named("Deployment", f"homeroom-{workload.name}")["metadata"]["name"]
    scaling = workload.scaling
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (scaling.min_replicas, scaling.max_replicas)
    assert spec["minReplicaCount"] >= 1
    assert "idleReplicaCount" not in spec
    assert {each["name"]: each["metadata"]["targetValue"] for each in spec["triggers"]} == {
        "demand": str(workload.concurrency),
        "age": str(scaling.target_age_seconds),
    }
    service = named("Service", "homeroom-api")
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert f"http://{host}:{service['spec']['ports'][0]['port']}/metrics" == METRICS


def test_every_component_has_an_account_without_a_token_and_may_lose_one_pod_at_a_time() -> None:
    for component in pods():
        assert named("ServiceAccount", f"homeroom-{component}")["automountServiceAccountToken"] is False
        assert pods()[component]["serviceAccountName"] == f"homeroom-{component}"
        if component != "migrate":
            assert named("PodDisruptionBudget", f"homeroom-{component}")["spec"]["maxUnavailable"] == 1
            keys = [each["topologyKey"] for each in pods()[component]["topologySpreadConstraints"]]
            assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_nothing_comes_in_but_to_the_api_and_the_probes() -> None:
    policies = [each["spec"] for each in overlay("production") if each["kind"] == "NetworkPolicy"]
    closed = [each for each in policies if "ingress" not in each and "egress" not in each]
    assert [each["policyTypes"] for each in closed] == [["Ingress", "Egress"]]
    assert closed[0]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "homeroom"}}
    doors = {rule["ports"][0]["port"] for each in policies for rule in each.get("ingress", [])}
    assert doors == {8000, 9000}


def test_the_component_for_s3_takes_the_volume_away(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copytree(ROOT / "deploy" / "k8s", tmp_path / "k8s")
    (folder / "kustomization.yaml").write_text(
        "resources: [../k8s/overlays/production]\ncomponents: [../k8s/components/s3]\n"
    )
    built = build(folder)
    assert not any(each["kind"] == "PersistentVolumeClaim" for each in built)
    assert "persistentVolumeClaim" not in str(built)
