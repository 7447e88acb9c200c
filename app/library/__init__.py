"""Confirmed material and its search. Workloads put documents in, chat looks things up, and none needs to know another.

`put` and `remove` are in `shelf.py`, `search` in `search.py`; both join the caller's transaction, so a document is on
the shelf exactly when the change that confirmed it is committed.
"""
