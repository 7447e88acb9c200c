"""PromQL that is written more than once."""

from __future__ import annotations


def share_of(metric: str, which: str, *, by: str, over: str, least: int, bound: float) -> str:
    """Where more than `bound` of what was counted is of this kind, and it is more than a few."""
    group = f" by ({by})" if by else ""
    part = f"sum{group} (increase({metric}{{{which}}}[{over}]))"
    whole = f"sum{group} (increase({metric}[{over}]))"
    return f"{part} / {whole} > {bound:g} and {part} > {least}"


def per_second(metric: str, which: str = "", *, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{{{which}}}[$__rate_interval]))"


def quantile(share: float, metric: str, which: str = "", *, by: str) -> str:
    return f"histogram_quantile({share:g}, sum by (le, {by}) (rate({metric}_bucket{{{which}}}[$__rate_interval])))"
