"""The other queues. Each folder has its pinned requirements and one module: its worker and its producer."""
