"""The contract of a platform: its limits, and what it will not take about a post."""

from typing import Protocol

from models.values import PlatformRules, Post


class Platform(Protocol):
    """A place that posts are written for."""

    rules: PlatformRules

    def check(self, post: Post) -> list[str]:
        """One clear sentence for each rule of the platform that the post breaks; empty when it would be
        taken."""
        ...
