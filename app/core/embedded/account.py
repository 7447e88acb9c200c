"""Whom Postgres runs as. It refuses to be root, so a root launcher needs an ordinary account that reaches the files."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.kit.errors import ConfigurationError

# Enters the directory and runs the program: the kernel itself says whether the account can, access lists included.
PROBE = 'cd "$1" && exec "$2" --version'


@dataclass(frozen=True)
class Account:
    """A user to run commands as; None is whoever we are."""

    user: int | None = None
    group: int | None = None
    passes_closed_directories: bool = False

    def command(self, command: Sequence[str | Path]) -> list[str]:
        """The command line to start; with closed directories in the way, by way of setpriv (util-linux).

        The capability lets the account through directories that are not ours to open with a chmod. It is no more than
        root already had.
        """
        words = [str(part) for part in command]
        if not self.passes_closed_directories:
            return words
        switch = ["setpriv", f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups"]
        capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        # Without it access(2), by which Postgres' programs look for each other, ignores what ordinary users may do.
        counted_by_access = ["--securebits=+no_setuid_fixup"]
        return [*switch, *capability, *counted_by_access, "--", *words]

    @property
    def switched_user(self) -> int | None:
        """The user that the spawner must switch to itself; None where setpriv does it, or nobody has to."""
        return None if self.passes_closed_directories else self.user

    @property
    def switched_group(self) -> int | None:
        return None if self.passes_closed_directories else self.group

    def run(self, command: Sequence[str | Path], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run to the end and capture what it says."""
        return subprocess.run(  # noqa: S603 - our own programs with our own paths
            self.command(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            user=self.switched_user,
            group=self.switched_group,
            extra_groups=None if self.switched_user is None else [],
            check=False,
        )

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or directory of ours."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def reaches(self, directory: Path, program: Path, environment: dict[str, str]) -> bool:
        try:
            return self.run(["sh", "-c", PROBE, "sh", directory, program], environment).returncode == 0
        except OSError:  # no setpriv on this machine
            return False


def choose(cluster: Path, program: Path, environment: dict[str, str]) -> Account:
    """The account for a Postgres with its data in `cluster` (which may not exist yet, its parent does)."""
    if os.geteuid() != 0:
        return Account()
    user, group = _owner(cluster)
    for account in (Account(user, group), Account(user, group, passes_closed_directories=True)):
        if account.reaches(cluster.parent, program, environment):
            return account
    raise ConfigurationError(
        f"Postgres refuses to run as root, and user {user} can enter {cluster.parent} and run {program} neither by "
        "itself nor through setpriv with the capability dac_override.",
        cure="Choose another --data-dir, in a directory that everyone may enter, or run this as an ordinary user.",
    )


def _owner(cluster: Path) -> tuple[int, int]:
    """Who owns existing data runs them; new data belong to nobody."""
    if cluster.exists():
        return cluster.stat().st_uid, cluster.stat().st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid
