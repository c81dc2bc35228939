"""Headline and instruction of an alert, in Chinese and English.

The headline says what and where in at most 140 characters (the Google profile's limit); the description is the operator's sentence; the
instruction says what an operations centre should do at this level of this danger (`cap_templates.py`). None of them may be the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.warning import MsgType, Reason
from stream.warnings.cap_templates import advice
from stream.warnings.texts import render, word

if TYPE_CHECKING:
    from stream.records.warning import CityWarning
    from stream.region.model import Hazard

HEADLINE_MAX = 140

_HEADLINES = {
    "zh": {
        MsgType.ALERT: "{city}{hazard}{level}预警",
        MsgType.UPDATE: "{city}{hazard}{level}预警更新",
        MsgType.ALL_CLEAR: "{city}{hazard}预警解除",
        MsgType.CANCEL: "{city}{hazard}预警撤销",
    },
    "en": {
        MsgType.ALERT: "{level} warning: {hazard}, {city}",
        MsgType.UPDATE: "{level} warning, update: {hazard}, {city}",
        MsgType.ALL_CLEAR: "All clear: {hazard}, {city}",
        MsgType.CANCEL: "Warning withdrawn: {hazard}, {city}",
    },
}
_LAPSED = {"zh": "{city}{hazard}预警到期，不表示解除", "en": "Warning expired, no all clear: {hazard}, {city}"}

_LEFT = {"zh": "{city}{hazard}不再影响本地，他处仍在继续", "en": "No longer expected in {city}: {hazard}; it goes on elsewhere"}
_FOR_BODIES = {
    "coordinator": {
        "zh": "{city}：请接管协调，{hazard}{level}预警未获答复",
        "en": "{city}, take over: {level} warning not answered, {hazard}",
    },
    "informed": {"zh": "{city}：知会，{hazard}{level}预警生效中", "en": "{city}, for information: {level} warning in force, {hazard}"},
}

_INSTRUCTIONS = {
    "zh": {
        "all_clear": "恢复正常值守；检查设施后再恢复使用。",
        "left": "可恢复正常值守；危险在他处仍在继续，请保持联络，并关注是否折返。",
        "cancel": "停止依据此前预警采取的行动。",
        "expired": "情况不明，不能视为安全：联系监测站和上游城市核实。",
        "coordinator": "立即接管协调，联系未答复的城市，并确认收到本消息。",
        "informed": "无需行动；核对联络方式，必要时提供支援。",
    },
    "en": {
        "all_clear": "Return to normal watch; inspect installations before using them again.",
        "left": "Return to normal watch; it goes on elsewhere, so stay in touch and watch whether it turns back.",
        "cancel": "Stop what was begun because of the earlier warning.",
        "expired": "Nothing is known and nothing is clear: call the stations and the cities above to find out.",
        "coordinator": "Take over now, reach the cities that have not answered, and acknowledge this message.",
        "informed": "No action is asked for; check that you can be reached, and help where you are asked.",
    },
}
_RESPONSES = {
    "all_clear": "AllClear", "left": "AllClear", "cancel": "None", "expired": "Assess", "coordinator": "Execute", "informed": "Monitor",
}  # fmt: skip
LEFT = "left"
_OVER = frozenset({MsgType.ALL_CLEAR, MsgType.CANCEL})


def state_of(warning: CityWarning) -> str:
    """What the message is, besides a level: expired, left, all_clear, cancel, coordinator or informed; "" for a warning of a danger that comes."""
    if warning.reason is Reason.EXPIRED:
        return "expired"
    if warning.msg_type in _OVER:
        return LEFT if warning.reason.value == LEFT else warning.msg_type.value
    return warning.role if warning.role in _FOR_BODIES else ""


def headline(language: str, warning: CityWarning, city: str, hazard: str) -> str:
    """What and where, at most 140 characters."""
    state = state_of(warning)
    if state == "expired":
        template = _LAPSED[language]
    elif state == LEFT:
        template = _LEFT[language]
    elif state in _FOR_BODIES:
        template = _FOR_BODIES[state][language]
    else:
        template = _HEADLINES[language][warning.msg_type]
    return template.format(city=city, hazard=hazard, level=word(language, warning.level))[:HEADLINE_MAX]


def response(warning: CityWarning, hazard: Hazard) -> str:
    """CAP's response type: what kind of action is asked for."""
    state = state_of(warning)
    return _RESPONSES[state] if state else advice(hazard, warning.level).response


def instruction(language: str, warning: CityWarning, hazard: Hazard, city: str) -> str:
    """What to do now. The region's own words may use {city}, {hazard} and {level}."""
    state = state_of(warning)
    if state:
        return _INSTRUCTIONS[language][state]
    found, kind = advice(hazard, warning.level), f"instruction_{warning.level}"
    name = hazard.texts.get(language, {}).get("name", hazard.hazard)
    fields = {"city": city, "hazard": name, "level": word(language, warning.level)}
    said = render(kind, {"zh": {kind: found.zh}, "en": {kind: found.en}}, {"zh": fields, "en": fields})
    return said.zh if language == "zh" else said.en
