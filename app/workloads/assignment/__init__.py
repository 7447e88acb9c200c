"""The assignment workload."""
