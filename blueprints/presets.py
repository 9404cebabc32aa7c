"""Ready-made schedules, which fill the fields of a job's form."""

import json
from dataclasses import dataclass

from blueprints.forms import Filled, Form

WEEKDAYS = ["1", "2", "3", "4", "5"]


@dataclass(frozen=True, slots=True)
class Preset:
    """`fields` by the form's names."""

    key: str
    label: str
    fields: dict[str, str | list[str]]

    @property
    def fill(self) -> str:
        return json.dumps(self.fields)


PRESETS = (
    Preset(
        "weekday-mornings",
        "Weekday mornings",
        {"frequency": "WEEKLY", "dayOfWeek": WEEKDAYS, "time": "09:00"},
    ),
    Preset(
        "friday-afternoons",
        "Friday afternoons",
        {"frequency": "WEEKLY", "dayOfWeek": ["5"], "time": "16:00"},
    ),
    Preset(
        "first-of-the-month",
        "First of the month",
        {"frequency": "MONTHLY", "dayOfMonth": "1", "time": "09:00"},
    ),
    Preset("twice-a-month", "Twice a month", {"frequency": "CUSTOM", "expression": "0 9 1,15 * *"}),
    Preset("every-hour", "Every hour", {"frequency": "CUSTOM", "expression": "0 * * * *"}),
)
_BY_KEY = {preset.key: preset for preset in PRESETS}


def fill(form: Form, key: str | None) -> Form:
    """The form with the preset's fields; as it was where there is no such preset."""
    preset = _BY_KEY.get(key or "")
    if preset is None:
        return form
    filled = Filled(form)
    for name, value in preset.fields.items():
        filled.setlist(name, value if isinstance(value, list) else [value])
    return filled
