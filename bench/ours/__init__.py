"""Homeroom as a contestant: a queue of the bench's own on the engine as it is.

The queue is registered as any other, by one more entry in `app.workloads.WORKLOADS`; only the place differs, since it must
not be part of what is shipped. Importing this package first is what registers it.
"""

import app.workloads as registered
from bench.ours.spec import WORKLOAD

registered.WORKLOADS = (*registered.WORKLOADS, WORKLOAD)
