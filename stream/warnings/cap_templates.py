"""What an operations centre should do, by danger and level, in Chinese and English; with CAP's response type and OASIS's event code.

The kind of danger follows from how it spreads. A region says otherwise in `hazards/<hazard>.toml`: `instruction_<level>` among the texts
of both languages, `[cap]` with `event_code` and `response_<level>`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stream.region.model import Hazard

EVENT_LIST = "OET:v1.2"
"""OASIS Event Terms List, the name under which its codes stand in alerts."""


class Kind(StrEnum):
    """How a danger is met."""

    FLOOD = "flood"
    WATER = "water"
    """Something in the water of a river."""
    AIR = "air"
    DISEASE = "disease"
    OTHER = "other"


class Advice(NamedTuple):
    """CAP's response type, and what to do in both languages."""

    response: str
    zh: str
    en: str


EVENT_CODES = {Kind.FLOOD: "OET-081", Kind.WATER: "OET-047", Kind.AIR: "OET-004", Kind.DISEASE: "OET-062", Kind.OTHER: ""}
"""Flood, contaminated water, air quality, disease outbreak."""

ADVICE: dict[Kind, dict[str, Advice]] = {
    Kind.FLOOD: {
        "red": Advice(
            "Evacuate",
            "立即转移低洼和沿河受威胁人员，关闭地下空间、渡口和取水口，堤防昼夜值守，并确认收到本预警。",
            "Move people out of low ground and from the river now, close underground places, ferries and intakes, man the dykes day and night, and"
            " acknowledge this warning.",
        ),
        "orange": Advice(
            "Execute",
            "启动防汛预案：做好低洼地区转移准备，泵站、闸门和堤防人员到位，通知沿河单位，并确认收到本预警。",
            "Carry out the flood plan: make ready to evacuate low ground, man pumps, gates and dykes, tell those along the river, and acknowledge"
            " this warning.",
        ),
        "yellow": Advice(
            "Prepare",
            "检查堤防、泵站和闸门，转移岸边船只和物资，加强巡查，并确认收到本预警。",
            "Check dykes, pumps and gates, move boats and stores from the banks, patrol more often, and acknowledge this warning.",
        ),
        "blue": Advice(
            "Monitor", "关注上游水情，核对值班和联络方式。", "Follow the water upstream, and check that those on duty can be reached."
        ),
    },
    Kind.WATER: {
        "red": Advice(
            "Avoid",
            "在最早到达时间之前关闭取水口，启用备用水源并公告停水安排，禁止使用江水，逐时采样，并确认收到本预警。",
            "Close the water intakes before the earliest arrival, go over to reserves and announce it, forbid the use of river water, take samples"
            " every hour, and acknowledge this warning.",
        ),
        "orange": Advice(
            "Execute",
            "蓄足清水，做好关闭取水口和启用备用水源的准备，通知沿江用水单位，加密采样，并确认收到本预警。",
            "Fill the reservoirs, make ready to close intakes and to use reserves, tell those who take river water, take more samples, and"
            " acknowledge this warning.",
        ),
        "yellow": Advice(
            "Prepare",
            "加密取水口上游采样，核对备用水源和投药物资，并确认收到本预警。",
            "Take more samples above the intakes, check reserves and supplies for treatment, and acknowledge this warning.",
        ),
        "blue": Advice(
            "Monitor",
            "关注上游水质，核对值班和联络方式。",
            "Follow the water quality upstream, and check that those on duty can be reached.",
        ),
    },
    Kind.AIR: {
        "red": Advice(
            "Shelter",
            "停止户外活动和施工，停课，公众留在室内并关闭门窗，开放清洁空气场所，医院做好接诊准备，并确认收到本预警。",
            "Stop outdoor work, schools and events, have people stay inside with windows shut, open places with clean air, prepare hospitals, and"
            " acknowledge this warning.",
        ),
        "orange": Advice(
            "Shelter",
            "老人、儿童和病人留在室内，减少户外作业，启动减排措施，并确认收到本预警。",
            "Keep the old, the sick and children inside, cut outdoor work, begin to cut emissions, and acknowledge this warning.",
        ),
        "yellow": Advice(
            "Prepare",
            "提醒敏感人群减少户外活动，核对口罩和净化设备，并确认收到本预警。",
            "Tell those who are sensitive to stay in, check masks and air cleaners, and acknowledge this warning.",
        ),
        "blue": Advice(
            "Monitor",
            "关注风向和空气质量，核对值班和联络方式。",
            "Follow wind and air quality, and check that those on duty can be reached.",
        ),
    },
    Kind.DISEASE: {
        "red": Advice(
            "Execute",
            "启动疫情应急响应：增开床位和采样点，开展流行病学调查，按规定管控聚集活动，并确认收到本预警。",
            "Start the response to an outbreak: open more beds and test sites, trace cases, restrict gatherings as the law says, and acknowledge"
            " this warning.",
        ),
        "orange": Advice(
            "Execute",
            "医疗机构加强预检和报告，调查首批病例及其往来，备足试剂和药品，并确认收到本预警。",
            "Have hospitals screen and report, trace the first cases and their travel, stock tests and medicine, and acknowledge this warning.",
        ),
        "yellow": Advice(
            "Prepare",
            "提醒医疗机构留意相似病例，核对上报渠道和物资，并确认收到本预警。",
            "Tell hospitals what cases to look out for, check how they report and what is in stock, and acknowledge this warning.",
        ),
        "blue": Advice(
            "Monitor",
            "关注往来地区病例数，核对值班和联络方式。",
            "Follow the counts where travellers come from, and check that those on duty can be reached.",
        ),
    },
    Kind.OTHER: {
        "red": Advice(
            "Execute",
            "立即启动应急响应，转移受威胁人员，并确认收到本预警。",
            "Start the emergency response now, move people who are in danger, and acknowledge this warning.",
        ),
        "orange": Advice(
            "Execute",
            "启动应急响应准备，通知相关单位和受威胁人员，并确认收到本预警。",
            "Make the emergency response ready, tell those concerned, and acknowledge this warning.",
        ),
        "yellow": Advice(
            "Prepare",
            "加强值守和监测，做好响应准备，并确认收到本预警。",
            "Watch more closely, prepare to respond, and acknowledge this warning.",
        ),
        "blue": Advice("Monitor", "关注事态发展，核对联络方式。", "Follow what happens and check that you can be reached."),
    },
}

_BY_FOOTPRINT = {"river_wave": Kind.FLOOD, "river_solute": Kind.WATER, "wind": Kind.AIR, "travel": Kind.DISEASE}
_BY_DETECTOR = {"concentration": Kind.WATER}
_BY_FAMILY = {"air": Kind.AIR, "health": Kind.DISEASE}


def kind_of(hazard: Hazard) -> Kind:
    """How this danger is met: by how it spreads, else by what it is detected with, else by its family."""
    if hazard.footprint in _BY_FOOTPRINT:
        return _BY_FOOTPRINT[hazard.footprint]
    detected = (_BY_DETECTOR[use.name] for use in hazard.detectors if use.name in _BY_DETECTOR)
    return next(detected, _BY_FAMILY.get(hazard.family, Kind.OTHER))


def advice(hazard: Hazard, level: str) -> Advice:
    """What to do at a level: the hazard's own words and response where its file has them."""
    known = ADVICE[kind_of(hazard)]
    usual = known.get(level, known["blue"])
    own = {language: hazard.texts.get(language, {}).get(f"instruction_{level}", "") for language in ("zh", "en")}
    return Advice(hazard.cap.response.get(level, usual.response), own["zh"] or usual.zh, own["en"] or usual.en)


def event_code(hazard: Hazard) -> str:
    """The code of the event in `EVENT_LIST`, "" where none fits."""
    return hazard.cap.event_code or EVENT_CODES[kind_of(hazard)]
