"""The contract of a platform: its limits, and what it will not take about a post."""

from typing import Protocol

from models.values import PlatformRules, Post
from platforms.check import Count


class Platform(Protocol):
    """A place that posts are written for."""

    rules: PlatformRules

    def measure(self, post: Post) -> dict[str, Count]:
        """How much the post uses of each limit that can be counted, in the platform's own units, by name:
        `title`, `subtitle`, `content`, `tags` and more, without those that the platform has not."""
        ...

    def check(self, post: Post) -> list[str]:
        """One clear sentence for each rule of the platform that the post breaks; empty when it would be
        taken."""
        ...
