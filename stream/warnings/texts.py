"""The operator's sentence, in Chinese and English, from templates a hazard may override (`[texts.zh]`, `[texts.en]`).

A template may use {city}, {hazard}, {level}, {source}, {value}, {unit}, {note}, {path}, {arrives}, {expires}, {reason}, {chance}, {cause}, {because}, {silent}, {fresh}, {total}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.lanes import Lane
from stream.records.warning import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "none": "无", "blue": "蓝色（IV级）", "yellow": "黄色（III级）", "orange": "橙色（II级）", "red": "红色（I级）",
        "same_place": "本地实测", "river": "沿河而下", "wind": "随风而来", "travel": "随人员往来", "linked": "由另一灾害引发",
        "first": "首次发现", "worse": "升级", "better": "降级", "earlier": "到达提前", "later": "到达推迟", "surer": "更加确定",
        "extended": "延长有效期", "blind": "监测中断，维持预警", "sighted": "监测恢复", "cleared": "解除", "left": "不再波及", "expired": "到期", "cancelled": "撤销",
        "unacknowledged": "未获确认", "acknowledged": "已获确认", "informed": "依协议通报", "merged": "并入另一预警", "split": "拆分为多起", "muted": "已静默", "unmuted": "静默结束",
        "here": "本地已测得", "ahead": "{path}，预计 {p10} 至 {p90} 到达", "due": "{path}，按预计 {p50} 起已到达", "?": "{path}，到达时间未知（{because}）",
        "standing": "此前的证据仍在观察期内",
        "reported_late": "（{observed} 的数据，迟报）", "rising": "（仍在上涨，按目前速度约 {hours} 小时后达到上一级别）", "corrected": "所依据的信息已更正或撤回。",
        "note_merged": "（与此前分别预警的另一起为同一事件）", "note_split": "（此前的同一事件现分为多起）", "since": "（自 {} 起）",
        "unconfirmed": "（单一来源，尚待核实）", "maintained": "{}（计划检修）",
        "correction": "更正", "stated": "{by}：{text}。", "said": "：{text}", "seen_here": "就在本地",
    },
    "en": {
        "none": "none", "blue": "BLUE (IV)", "yellow": "YELLOW (III)", "orange": "ORANGE (II)", "red": "RED (I)",
        "same_place": "measured in the city", "river": "down the river", "wind": "with the wind", "travel": "with travellers", "linked": "as a consequence of another danger",
        "first": "first finding", "worse": "raised", "better": "lowered", "earlier": "arrives earlier", "later": "arrives later",
        "surer": "more certain", "extended": "extended", "blind": "kept although measurements are missing",
        "sighted": "measurements are back", "cleared": "over", "left": "does not come here any more", "expired": "expired", "cancelled": "withdrawn",
        "unacknowledged": "not answered", "acknowledged": "answered", "informed": "told by agreement", "merged": "one with another warning", "split": "become several", "muted": "muted", "unmuted": "no longer muted",
        "here": "it is in the city", "ahead": "it comes {path}, expected between {p10} and {p90}",
        "due": "it comes {path}, expected here since {p50}", "?": "it comes {path}, arrival unknown ({because})",
        "standing": "earlier evidence is still being watched",
        "reported_late": " (of {observed}, reported late)", "rising": " (rising: at this rate the next level in about {hours} h)",
        "corrected": " What was behind it was corrected or taken back.", "unconfirmed": " (not yet confirmed by another station)",
        "maintained": "{} (planned maintenance)", "correction": "correction", "stated": " {by}: {text}.", "said": ": {text}", "seen_here": "it is in the city",
        "note_merged": " (one event with another one that was warned of separately)", "note_split": " (what was one event has become several)",
        "since": " (since {})",
    },
}  # fmt: skip

MARKS = {"zh": "演习：", "en": "EXERCISE: "}
"""What every text of an exercise begins with."""

TEMPLATES: dict[str, dict[str, str]] = {
    "zh": {
        "alert": "【{level}{hazard}预警】{city}：{source} 测得 {value}{unit}{note}；{arrives}。（{reason}）",
        "update": "【{level}{hazard}预警更新】{city}：{source} 测得 {value}{unit}{note}；{arrives}。（{reason}）",
        "foretold": "【{level}{hazard}预警】{city}：预报 {source} 将达约 {value}{unit}（达到本级别的可能性 {chance}）{note}；{arrives}。（{reason}）",
        "foretold_update": "【{level}{hazard}预警更新】{city}：预报 {source} 将达约 {value}{unit}（达到本级别的可能性 {chance}）{note}；{arrives}。（{reason}）",
        "linked": "【{level}{hazard}预警】{city}：{cause}之后可能出现{hazard}（可能性 {chance}）{note}；{arrives}。{because}。（{reason}）",
        "linked_update": "【{level}{hazard}预警更新】{city}：{cause}之后可能出现{hazard}（可能性 {chance}）{note}；{arrives}。{because}。（{reason}）",
        "all_clear": "【{hazard}预警解除】{city}：{hazard}已结束。（{reason}）",
        "cluster": "【{level}{hazard}预警】{city}：本地与邻近地区合计报告数多于往常{note}。（{reason}）",
        "cluster_update": "【{level}{hazard}预警更新】{city}：本地与邻近地区合计报告数多于往常{note}。（{reason}）",
        "left": "【{hazard}预警解除】{city}：{hazard}不再波及本地，但在别处仍在持续：{elsewhere}。（{reason}）",
        "cancel": "【{hazard}预警撤销】{city}：此前的{hazard}预警有误或不再适用。{note}（{reason}）",
        "correction": "【{level}{hazard}预警更正】{city}：{note}（{reason}）",
        "discrepancy_contradicts_sensors": "{city}（{by}）报告{hazard}{level}，而本地站点显示{found}（{source}）：两者不一致，请核实。",
        "discrepancy_contradicts_neighbours": "{city}（{by}）报告{hazard}{level}，而邻近地区的测量表明应为{found}（{source}）：请核实。",
        "discrepancy_late": "{city}（{by}）的{hazard}报告迟到。{note}",
        "discrepancy_withdrawn": "{city}（{by}）撤回了{hazard}报告。{note}",
        "discrepancy_disputed": "{city}（{by}）认为{hazard}预警有误，但无权撤销，请主责方核实。{note}",
        "discrepancy_settled": "{city}（{by}）的{hazard}报告与测量不再矛盾。",
        "reported": "【{level}{hazard}预警】{city}：{by} 报告{hazard}{said}{note}；{arrives}。（{reason}）",
        "reported_update": "【{level}{hazard}预警更新】{city}：{by} 报告{hazard}{said}{note}；{arrives}。（{reason}）",
        "expired": "【{hazard}预警到期】{city}：预警因无新的证据而到期，这不表示危险已解除。",
        "clear": "{city}：{hazard}监测正常（{fresh}/{total} 个站点在线），目前无预警。",
        "watch": "{city}：{hazard}需关注，可能性低于预警标准。",
        "warned": "{city}：{hazard}{level}预警生效中。",
        "muted": "{city}：{hazard}{level}预警生效中，更新已静默（{muted_by}），危险并未解除。",
        "unknown": "{city}：{hazard}情况不明（仅 {fresh}/{total} 个站点在线），不能视为安全。缺：{silent}",
        "time_suspect": "{city}：{hazard}情况不明：系统时钟互相矛盾，无法判断测量是何时的，不能视为安全。预警仍照常发出。",
        "coordinator": "【{level}{hazard}预警升级】请{city}接管协调：{cities}未确认预警。（{reason}）",
        "coordinator_blind": "【{level}{hazard}预警移交】请{city}接管协调：{cities}监测长时间中断，无法继续跟踪，预警仍有效。（{reason}）",
        "informed": "【{level}{hazard}通报】{city}：知会，本地不在预报影响范围内。（{reason}）",
        "exercise_announced": "{city}：演习“{title}”将于 {begins} 至 {ends} 进行。请按预案应答，勿作真实事件处理。",
        "exercise_over": "{city}：演习结束，此前的演习预警全部撤销。这不是真实事件。",
        "link_test": "{city}：这是预警通道测试，不是预警。",
    },
    "en": {
        "alert": "{level} warning for {city}: {hazard}. {source} measured {value} {unit}{note}; {arrives}. ({reason})",
        "update": "{level} warning for {city}, update: {hazard}. {source} measured {value} {unit}{note}; {arrives}. ({reason})",
        "foretold": "{level} warning for {city}: {hazard}. {source} is forecast to reach about {value} {unit} (chance of this level {chance}){note}; {arrives}. ({reason})",
        "foretold_update": "{level} warning for {city}, update: {hazard}. {source} is forecast to reach about {value} {unit} (chance of this level {chance}){note}; {arrives}. ({reason})",
        "linked": "{level} warning for {city}: {hazard} may follow from {cause} (chance {chance}){note}; {arrives}: {because}. ({reason})",
        "linked_update": "{level} warning for {city}, update: {hazard} may follow from {cause} (chance {chance}){note}; {arrives}: {because}. ({reason})",
        "all_clear": "All clear for {city}: {hazard} is over. ({reason})",
        "left": "All clear for {city}: {hazard} does not reach you any more; it goes on elsewhere: {elsewhere}. ({reason})",
        "cancel": "Warning for {city} withdrawn: {hazard}. It was wrong or no longer applies.{note} ({reason})",
        "cluster": "{level} warning for {city}: {hazard}. The city and its neighbours together report more than usual{note}. ({reason})",
        "cluster_update": "{level} warning for {city}, update: {hazard}. The city and its neighbours together report more than usual{note}. ({reason})",
        "correction": "{level} warning for {city}, correction: {hazard}.{note} ({reason})",
        "discrepancy_contradicts_sensors": "{city} ({by}) reports {hazard}: {level}; its stations show {found} ({source}). Please look into it.",
        "discrepancy_contradicts_neighbours": "{city} ({by}) reports {hazard}: {level}; by what was measured elsewhere it should be {found} ({source}).",
        "discrepancy_late": "{city} ({by}) reported late: {hazard}.{note}",
        "discrepancy_withdrawn": "{city} ({by}) took its report back: {hazard}.{note}",
        "discrepancy_disputed": "{city} ({by}) says that this is wrong: {hazard}. It is not its own to take back; who leads should look into it.{note}",
        "discrepancy_settled": "What {city} ({by}) reported and what is measured do not contradict each other any more: {hazard}.",
        "reported": "{level} warning for {city}: {hazard}, reported by {by}{said}{note}; {arrives}. ({reason})",
        "reported_update": "{level} warning for {city}, update: {hazard}, reported by {by}{said}{note}; {arrives}. ({reason})",
        "expired": "Warning for {city} expired for want of new evidence: {hazard}. This is not an all clear.",
        "clear": "{city}: {hazard} is watched ({fresh} of {total} series report), no warning.",
        "watch": "{city}: {hazard} is possible, below the probability of a warning.",
        "warned": "{city}: {level} warning in force: {hazard}.",
        "muted": "{city}: {level} warning in force: {hazard}. Its messages are muted ({muted_by}); it is not over.",
        "unknown": "{city}: {hazard} is UNKNOWN (only {fresh} of {total} series report); do not read this as all clear. Missing: {silent}",
        "time_suspect": "{city}: {hazard} is UNKNOWN: clocks contradict each other, so nobody can say how old measurements are; do not read this as all clear. Warnings still go out.",
        "coordinator": "{level} warning ({hazard}) not answered: {city} is asked to take over for {cities}. ({reason})",
        "coordinator_blind": "{level} warning ({hazard}) still in force, but nothing has been measured for {cities} for too long: {city} is asked to take over. ({reason})",
        "informed": "{city}, for information: {level} warning in force ({hazard}); you are not forecast to be reached yourself. ({reason})",
        "exercise_announced": '{city}: "{title}" will be held from {begins} to {ends}. Answer as in earnest; there will be no real danger.',
        "exercise_over": "{city}: the exercise is over and all its warnings are withdrawn. There was no real danger.",
        "link_test": "{city}: this is a test of the warning channel, not a warning.",
    },
}


class _Blank(dict[str, str]):
    """A template naming a field nobody offers keeps it visible instead of failing a warning."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def render(kind: str, overrides: Mapping[str, Mapping[str, str]], fields: Mapping[str, Mapping[str, str]], lane: Lane = Lane.LIVE) -> Texts:
    """The sentence of this kind (a message type or a city state) in both languages; on the exercise lane it begins by saying so.

    >>> city = {"city": "Linhe", "hazard": "flood", "fresh": "3", "total": "4"}
    >>> render("clear", {}, {"zh": city, "en": city}).en
    'Linhe: flood is watched (3 of 4 series report), no warning.'
    >>> render("clear", {}, {"zh": city, "en": city}, Lane.EXERCISE).en[:24]
    'EXERCISE: Linhe: flood i'
    """
    said = {}
    for language in ("zh", "en"):
        template = overrides.get(language, {}).get(kind) or TEMPLATES[language][kind]
        said[language] = (MARKS[language] if lane is Lane.EXERCISE else "") + template.format_map(_Blank(fields[language]))
    return Texts(**said)


def word(language: str, key: str) -> str:
    """A level, path or reason in the reader's language; an unknown word stays as it is."""
    return WORDS[language].get(key, key)
