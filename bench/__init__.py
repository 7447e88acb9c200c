"""Homeroom's engine measured beside other Python queues: `make bench`, or `python -m bench --help`."""
