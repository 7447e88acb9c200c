"""Worker settings, one module a queue, all built from the workloads' specs."""
