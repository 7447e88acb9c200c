"""docker-compose.yml: the file beside this one, written by hand, and in it a service per worker."""

from __future__ import annotations

from pathlib import Path

from app.core.manifests import names
from app.core.manifests.document import RENDERED
from app.engine.workload import Workload

FILE = "docker-compose.yml"
TEMPLATE = Path(__file__).with_name(FILE)

VALUES = {
    "{rendered}": f"{RENDERED} from the workloads' specs and app/core/manifests/{FILE}.".removeprefix("# "),
    "{probe_port}": names.PROBE_PORT,
    "{api_port}": names.API_PORT,
    "{api_grace}": names.API_GRACE,
    "{files_dir}": names.FILES_DIR,
    "{margin}": names.GRACE_MARGIN,
}
WORKERS = "# {workers}\n"


def render(workloads: tuple[Workload, ...]) -> dict[str, str]:
    text = TEMPLATE.read_text()
    for place, value in VALUES.items():
        text = text.replace(place, str(value))
    return {FILE: text.replace(WORKERS, "".join(f"{_service(each, workloads)}\n" for each in workloads))}


def _service(workload: Workload, workloads: tuple[Workload, ...]) -> str:
    lines = [f"  {workload.name}:", "    <<: *worker", f"    build: {{context: ., target: {names.target(workload)}}}"]
    if arguments := names.arguments(workload, workloads):
        lines.append(f"    command: [{', '.join(arguments)}]")
    if workload.keeps_files:
        lines.append(f'    volumes: ["files:{names.FILES_DIR}"]')
    lines.append(f"    stop_grace_period: {names.grace_seconds(workload)}s")
    lines.append(f"    deploy: {{resources: {{limits: {{memory: {workload.scaling.memory_limit_mib}M, pids: 512}}}}}}")
    return "\n".join(lines) + "\n"
