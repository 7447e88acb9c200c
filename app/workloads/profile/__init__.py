"""The profile workload."""
