"""How a job lives and dies. Knows no workload and no HTTP."""
