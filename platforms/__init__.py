"""The places that posts are written for, by type."""

from platforms.base import Platform
from platforms.devto import DevTo
from platforms.hashnode import Hashnode
from platforms.linkedin import LinkedIn

PLATFORMS: dict[str, Platform] = {
    "HASHNODE": Hashnode(),
    "DEVTO": DevTo(),
    "LINKEDIN": LinkedIn(),
}
NAMES = {kind: platform.rules.name for kind, platform in PLATFORMS.items()}
"""What people call each type."""
