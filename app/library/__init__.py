"""Confirmed material and its search. Workloads put documents in, chat looks things up, and none needs to know another.

`put` and `remove` are in `shelf.py`, `search` in `search.py`, and who reads is in `readers.py`; all join the caller's
transaction, so a document is on the shelf exactly when the change that confirmed it is committed.
"""
