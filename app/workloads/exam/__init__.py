"""The exam workload."""
