"""Registers the bench's queue; imported first, before anything reads the registry.

It is registered as any other, by one more entry in `app.workloads.WORKLOADS`. Only the place differs: it is no part of
what is shipped, so a process of the bench adds it for itself.
"""

import app.workloads as registered
from bench.ours.spec import WORKLOAD

registered.WORKLOADS = (*registered.WORKLOADS, WORKLOAD)
