"""Headline and instruction of an alert, in Chinese and English.

The headline says what and where in at most 140 characters (the Google profile's limit); the description is the operator's sentence; the
instruction says what an operations centre should do at this level. None of them may be the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.warning import MsgType, Reason
from stream.warnings.texts import word

if TYPE_CHECKING:
    from stream.records.warning import CityWarning

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

_INSTRUCTIONS = {
    "zh": {
        "red": "立即启动应急响应，转移受威胁人员，并确认收到本预警。",
        "orange": "启动应急响应准备，通知相关单位和受威胁人员，并确认收到本预警。",
        "yellow": "加强值守和监测，做好响应准备，并确认收到本预警。",
        "blue": "关注事态发展，核对联络方式。",
        "all_clear": "恢复正常值守；检查设施后再恢复使用。",
        "cancel": "停止依据此前预警采取的行动。",
        "expired": "情况不明，不能视为安全：联系监测站和上游城市核实。",
    },
    "en": {
        "red": "Start the emergency response now, move people who are in danger, and acknowledge this warning.",
        "orange": "Make the emergency response ready, tell those concerned, and acknowledge this warning.",
        "yellow": "Watch more closely, prepare to respond, and acknowledge this warning.",
        "blue": "Follow what happens and check that you can be reached.",
        "all_clear": "Return to normal watch; inspect installations before using them again.",
        "cancel": "Stop what was begun because of the earlier warning.",
        "expired": "Nothing is known and nothing is clear: call the stations and the cities above to find out.",
    },
}


def headline(language: str, warning: CityWarning, city: str, hazard: str) -> str:
    """What and where, at most 140 characters."""
    template = _LAPSED[language] if warning.reason is Reason.EXPIRED else _HEADLINES[language][warning.msg_type]
    return template.format(city=city, hazard=hazard, level=word(language, warning.level))[:HEADLINE_MAX]


def instruction(language: str, warning: CityWarning) -> str:
    """What to do now."""
    words = _INSTRUCTIONS[language]
    if warning.reason is Reason.EXPIRED:
        return words["expired"]
    if warning.msg_type in (MsgType.ALL_CLEAR, MsgType.CANCEL):
        return words[warning.msg_type.value]
    return words.get(warning.level, words["blue"])
