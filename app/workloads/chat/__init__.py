"""The chat workload."""
