"""What several test files need: a deployment's parts in this process, real processes, and waiting for conditions."""
