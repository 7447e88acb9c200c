"""How many workers may die under a job before it counts as what kills them."""

from __future__ import annotations

from collections.abc import Mapping

# Of kinds that say nothing else. With one loss fewer a job is a suspect and runs alone in its process.
MAX_LOSSES = 3
SUSPECT_LOSSES = MAX_LOSSES - 1


class Tolerance:
    """By kind, of those that differ from MAX_LOSSES; they bear more, never less."""

    def __init__(self, max_losses: Mapping[str, int] | None = None) -> None:
        self._tougher = {kind: most for kind, most in (max_losses or {}).items() if most != MAX_LOSSES}
        if weak := [kind for kind, most in self._tougher.items() if most < MAX_LOSSES]:
            raise ValueError(f"kinds bear at least {MAX_LOSSES} losses, or one bad node fails them: {', '.join(weak)}")

    def suspects(self, kind: str, losses: int) -> bool:
        return losses >= self._tougher.get(kind, MAX_LOSSES) - 1

    @property
    def kinds(self) -> list[str]:
        """For statements, beside `losses`."""
        return list(self._tougher)

    @property
    def losses(self) -> list[int]:
        return list(self._tougher.values())


COMMON = Tolerance()


def is_suspect(kinds: str, losses: str) -> str:
    """The same question of a row `j`, for statements: these are the numbers of their parameters. The first comparison
    answers it for nearly every job."""
    return f"""(j.losses >= {SUSPECT_LOSSES} and j.losses >= coalesce(
        (select most - 1 from unnest({kinds}::text[], {losses}::int[]) as tougher (kind, most)
         where tougher.kind = j.kind), {SUSPECT_LOSSES}))"""
