"""The emoji short names that alert cards use: https://docs.slack.dev/messaging/formatting-message-text#emoji"""

from __future__ import annotations

import re

EMOJI = {
    "alarm_clock": "⏰", "arrows_counterclockwise": "🔄", "arrow_right": "➡️", "arrow_up": "⬆️",
    "ballot_box_with_check": "☑️",
    "bar_chart": "📊", "bell": "🔔", "no_bell": "🔕", "blue_circle": "🔵", "large_blue_circle": "🔵", "bookmark": "🔖",
    "bug": "🐛", "bulb": "💡", "bust_in_silhouette": "👤", "busts_in_silhouette": "👥", "calendar": "📅", "check": "✔️",
    "clock1": "🕐", "clock3": "🕒", "cloud": "☁️", "computer": "💻", "earth_africa": "🌍", "earth_americas": "🌎",
    "envelope": "✉️", "exclamation": "❗", "eyes": "👀", "file_folder": "📁", "fire": "🔥", "gear": "⚙️",
    "globe_with_meridians": "🌐", "hammer": "🔨", "hammer_and_wrench": "🛠️", "heavy_check_mark": "✔️", "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳", "information_source": "ℹ️", "key": "🔑", "large_green_circle": "🟢",
    "large_orange_circle": "🟠", "large_orange_diamond": "🔶", "large_purple_circle": "🟣", "large_red_square": "🟥",
    "large_yellow_circle": "🟡", "link": "🔗", "lock": "🔒", "unlock": "🔓", "mag": "🔍", "memo": "📝", "new": "🆕",
    "no_entry": "⛔", "no_entry_sign": "🚫", "octagonal_sign": "🛑", "page_facing_up": "📄", "pushpin": "📌",
    "question": "❓", "raised_hand": "✋", "red_circle": "🔴", "repeat": "🔁", "robot_face": "🤖",
    "rotating_light": "🚨",
    "round_pushpin": "📍", "satellite_antenna": "📡", "shield": "🛡️", "skull": "💀", "sleeping": "😴", "sparkles": "✨",
    "stopwatch": "⏱️", "tada": "🎉", "thumbsup": "👍", "+1": "👍", "thumbsdown": "👎", "-1": "👎", "timer_clock": "⏲️",
    "toolbox": "🧰", "triangular_flag_on_post": "🚩", "warning": "⚠️", "wastebasket": "🗑️", "wave": "👋",
    "white_check_mark": "✅", "white_circle": "⚪", "black_circle": "⚫", "wrench": "🔧", "x": "❌",
    "zap": "⚡", "zzz": "💤",
}  # fmt: skip

_NAME = re.compile(r":([a-z0-9_+-]+):")


def with_emoji(text: str) -> str:
    """The text with known short names replaced; unknown ones stay."""
    return _NAME.sub(lambda found: EMOJI.get(found[1], found[0]), text)
