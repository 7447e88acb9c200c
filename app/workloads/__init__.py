"""Every queue of this deployment. A new one is one folder and one line here (docs/ADD_A_QUEUE.md)."""

from app.engine.workload import Workload
from app.workloads.assignment.spec import WORKLOAD as ASSIGNMENT
from app.workloads.base.spec import WORKLOAD as BASE
from app.workloads.chat.spec import WORKLOAD as CHAT
from app.workloads.exam.spec import WORKLOAD as EXAM
from app.workloads.profile.spec import WORKLOAD as PROFILE

WORKLOADS: tuple[Workload, ...] = (CHAT, EXAM, ASSIGNMENT, PROFILE, BASE)
