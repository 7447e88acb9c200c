"""The base workload."""
