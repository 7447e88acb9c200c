"""Homeroom: a multi-tenant job backend for AI classrooms."""

__version__ = "0.1.0"
