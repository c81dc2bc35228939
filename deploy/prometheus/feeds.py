"""Alerts about what comes in: cities nobody sees, silent stations, refusals, keys, gateways, answers."""

from __future__ import annotations

from alert import UNANSWERED, Alert, Severity, Told

GATEWAY = '{instance="g0:9108",job="tocsin-gateway-mqtt",way="live"}'
GATEWAY_PLAIN = '{instance="g0:9108",job="tocsin-gateway-mqtt"}'
OF_GATEWAY = {"instance": "g0:9108", "job": "tocsin-gateway-mqtt"}
BLIND = Told(
    "For this danger we see too few stations of yours. Until we say otherwise your status reads unknown: nobody here would notice it. Watch it yourselves.",
    "目前我们收不到贵市该灾种的足够监测数据。在我们另行通知之前，状态显示“未知”，即此处无人能发现险情。请自行值守监测。",
)

ALERTS = (
    Alert(
        "TocsinBlindCity", Severity.TICKET, 'sum by (hazard) (tocsin_city_statuses{status="unknown"}) > 0', "15m",
        "{{ $value }} cities cannot be judged for {{ $labels.hazard }}: nobody sees them",
        means="Their operators read *unknown*, never *clear*; a danger there would not be noticed.",
        look=("`tocsin status` (as an operator): which cities, and for which danger.", "Topic `station_health` (as an operator): which stations are silent or faulty.", "The gateways' last-seen pages (`GET /v1/last-seen`)."),
        do=("Call whoever runs the stations or their gateway.", "If every city is blind: TocsinLag, or the doors are not read."),
        over="`tocsin status` shows no danger of the city as unknown. Its first measurement ends it.",
        fires={'tocsin_city_statuses{hazard="flood",status="unknown"}': "2x60"}, quiet={'tocsin_city_statuses{hazard="flood",status="unknown"}': "0x60"},
        labels={"hazard": "flood"}, fires_at="20m",
    ),
    Alert(
        "TocsinManyBlindCities", Severity.PAGE,
        'sum by (hazard) (tocsin_city_statuses{status="unknown"}) / sum by (hazard) (tocsin_city_statuses) > 0.2', "5m",
        "{{ $value | humanizePercentage }} of the cities cannot be judged for {{ $labels.hazard }}",
        means="A feed of many cities is away, or the doors are not read.", look=("As for TocsinBlindCity; and whether a gateway or an agency fell away as a whole.",),
        do=("Tell the operations centres first, and by which telephone you can be reached.", "Restore the feed."),
        over="The share on dashboard *Tocsin overview* is where it was before; tell the centres so.", tell=BLIND,
        fires={'tocsin_city_statuses{hazard="flood",status="unknown"}': "5x60", 'tocsin_city_statuses{hazard="flood",status="clear"}': "5x60"},
        quiet={'tocsin_city_statuses{hazard="flood",status="unknown"}': "1x60", 'tocsin_city_statuses{hazard="flood",status="clear"}': "9x60"},
        labels={"hazard": "flood"},
    ),
    Alert(
        "TocsinStationsSilent", Severity.TICKET, "sum by (quantity) (tocsin_stations_silent) / sum by (quantity) (tocsin_stations) > 0.2", "15m",
        "{{ $value | humanizePercentage }} of the series of {{ $labels.quantity }} do not report",
        means="Warnings are surer with more stations; with too few, cities become unknown.", look=("Topic `station_health` (as an operator), and the gateways' last-seen pages.",),
        do=("Call whoever runs them.", "`tocsin maintenance CITY STATION --until T` for what is planned."),
        over="`tocsin_stations_silent` is where it was before.",
        fires={'tocsin_stations_silent{quantity="stage"}': "5x60", 'tocsin_stations{quantity="stage"}': "10x60"},
        quiet={'tocsin_stations_silent{quantity="stage"}': "1x60", 'tocsin_stations{quantity="stage"}': "10x60"}, labels={"quantity": "stage"}, fires_at="20m",
    ),
    Alert(
        "TocsinRefusing", Severity.TICKET,
        "sum by (door, reason) (rate(tocsin_rejected_total[15m])) / on (door) group_left sum by (door) (rate(tocsin_door_records_total[15m])) > 0.1", "15m",
        "A tenth or more of what comes to {{ $labels.door }} is refused: {{ $labels.reason }}",
        means="Those measurements count nowhere. They are kept, with the reason and what to change.",
        look=("Topic `rejected` (only workers may read it; it may hold case counts): the header `detail` says what to change, `topic`, `partition` and `offset` which record it was.", "Who sends it: the gateways' last-seen pages, without any right on topics."),
        do=("Tell the sender; `tocsin gateway try FILE --region REGION` shows what is made of a payload.", "`future`: TocsinClockSkew, or the sender's clock."),
        over="`tocsin_rejected_total` of that reason stands still while the sender sends. What was refused is not taken in by itself: have it sent again.",
        fires={'tocsin_rejected_total{door="water",reason="unknown_series"}': "0+30x60", 'tocsin_door_records_total{door="water"}': "0+100x60"},
        quiet={'tocsin_rejected_total{door="water",reason="unknown_series"}': "0+1x60", 'tocsin_door_records_total{door="water"}': "0+100x60"},
        labels={"door": "water", "reason": "unknown_series"}, fires_at="40m",
    ),
    Alert(
        "TocsinAnswersUnread", Severity.PAGE, 'time() - max(tocsin_intake_written_timestamp_seconds{kind="acknowledgements"}) > 120', "1m",
        "What cities answer was not read for {{ $value | humanizeDuration }}",
        means="Warnings that were answered go up all the same (reason `acknowledgements_unread`), and what officers report by hand warns nobody.",
        look=("Does `tocsin intake` run? `GET /readyz` of it (how: README.md beside this page). Is it none at all: TocsinNobodyRuns.",), do=("Start it; two may run. It runs and is ready, and this goes on: restart it.",),
        over="`tocsin_intake_written_timestamp_seconds` is from the last seconds. What cities answered meanwhile is read then, nothing is lost.",
        tell=UNANSWERED,
        fires={'tocsin_intake_written_timestamp_seconds{kind="acknowledgements"}': "0x60"},
        quiet={'tocsin_intake_written_timestamp_seconds{kind="acknowledgements"}': "0+60x60"}, labels={},
    ),
    Alert(
        "TocsinKeyExpires", Severity.PAGE, "min by (principal) (tocsin_key_expiry_timestamp_seconds) - time() < 7 * 86400", "10m", "The last key of {{ $labels.principal }} ends in {{ $value | humanizeDuration }}",
        means="From then on nothing of this sender is taken: its stations fall silent, its cities become unknown.", look=("`tocsin gateway keys REGION`.",),
        do=("README, Gateways, *Change a key*: add the new lines beside the old, `tocsin region activate`, hand over the new key.",),
        over="`tocsin gateway keys REGION` shows the new end, and the gateway's last-seen page that it sends with the new key.",
        fires={'tocsin_key_expiry_timestamp_seconds{principal="upper"}': "432000x60"}, quiet={'tocsin_key_expiry_timestamp_seconds{principal="upper"}': "5184000x60"}, labels={"principal": "upper"}, fires_at="20m",
    ),
    Alert(
        "TocsinKeyExpiresSoon", Severity.TICKET, "min by (principal) (tocsin_key_expiry_timestamp_seconds) - time() < 30 * 86400", "1h", "The last key of {{ $labels.principal }} ends in {{ $value | humanizeDuration }}",
        means="As TocsinKeyExpires, later.", look=("`tocsin gateway keys REGION`.",), do=("As TocsinKeyExpires.",),
        over="As TocsinKeyExpires.",
        fires={'tocsin_key_expiry_timestamp_seconds{principal="upper"}': "1728000x200"}, quiet={'tocsin_key_expiry_timestamp_seconds{principal="upper"}': "5184000x200"}, labels={"principal": "upper"}, fires_at="90m",
    ),
    Alert(
        "TocsinGatewayRefuses", Severity.PAGE,
        'sum by (instance, job) (increase(tocsin_gateway_records_total{outcome="refused"}[15m])) > 0 or sum by (instance, job) (tocsin_gateway_records_total{outcome="refused"} unless tocsin_gateway_records_total{outcome="refused"} offset 15m) > 0', "0m",
        "{{ $labels.instance }} ({{ $labels.job }}) could neither send nor store",
        means="Nothing is lost as long as the senders keep it: they got 503, or no PUBACK. What they cannot keep is lost.",
        look=("`tocsin_gateway_spool_bytes` and the disk: is the folder full?", "`tocsin_gateway_link_up`: since when is Kafka away?"),
        do=("Bring Kafka back; give the spool more room (`--spool-mb`).",),
        over="The `refused` of `tocsin_gateway_records_total` stands still for a quarter of an hour, and senders get 202 (or PUBACK) again.",
        fires={f'tocsin_gateway_records_total{{outcome="refused",{GATEWAY[1:]}': "_x10 5x50"}, quiet={f'tocsin_gateway_records_total{{outcome="refused",{GATEWAY[1:]}': "0x60"},
        labels=OF_GATEWAY, fires_at="15m",
    ),
    Alert(
        "TocsinGatewayStoring", Severity.PAGE, "min by (instance, job) (tocsin_gateway_link_up) == 0", "2m", "{{ $labels.instance }} ({{ $labels.job }}) does not reach Kafka",
        means="What is measured waits on its disk; what could be seen in it is not seen.", look=("Other gateways too? Then the brokers. This one only? Then its network.",),
        do=("Restore the way. It sends by itself what it stored.",),
        over="`tocsin_gateway_link_up` is 1 and `tocsin_gateway_spool_records` falls to 0: what was stored has gone on.",
        fires={f"tocsin_gateway_link_up{GATEWAY}": "0x60"}, quiet={f"tocsin_gateway_link_up{GATEWAY}": "1x60"}, labels=OF_GATEWAY,
    ),
    Alert(
        "TocsinGatewaySetAside", Severity.PAGE, "sum by (instance, job) (increase(tocsin_gateway_set_aside_records_total[15m])) > 0 or sum by (instance, job) (tocsin_gateway_set_aside_records_total unless tocsin_gateway_set_aside_records_total offset 15m) > 0", "0m",
        "{{ $labels.instance }} ({{ $labels.job }}) set records aside that Kafka never takes",
        means="They count nowhere until a person hands them in again.", look=("`aside.jsonl` in the folder of its spool: each with the reason.",),
        do=("No right to write: `tocsin topics acl principals.toml --check`. Unknown topic: `tocsin topics check`.", "Then hand them in again: `jq -r .value aside.jsonl | base64 -d` is what was to be sent, `family` its door; have the senders send it anew, or send it to the door yourself, and move the file away.",),
        over="It ends a quarter of an hour after the last one, mended or not: it is over when `aside.jsonl` is empty or was moved away.",
        fires={f"tocsin_gateway_set_aside_records_total{GATEWAY}": "_x10 5x50"}, quiet={f"tocsin_gateway_set_aside_records_total{GATEWAY}": "5x60"}, labels=OF_GATEWAY, fires_at="15m",
    ),
    Alert(
        "TocsinMqttDropped", Severity.PAGE, "tocsin_gateway_mqtt_broker_dropped_messages - min_over_time(tocsin_gateway_mqtt_broker_dropped_messages[15m]) > 0", "0m", "The MQTT broker of {{ $labels.instance }} dropped messages",
        means="Measurements are lost, and nobody else will say so.", look=("The broker's queues, and which client is slow or away.",),
        do=("Raise `max_queued_messages` and `max_queued_bytes` (deploy/mosquitto/mosquitto.conf), and start every gateway.",),
        over="It ends a quarter of an hour after the last drop. What was dropped does not come back: ask its senders.",
        fires={'tocsin_gateway_mqtt_broker_dropped_messages{instance="g0:9108"}': "NaN 3x9 7x50"}, quiet={'tocsin_gateway_mqtt_broker_dropped_messages{instance="g0:9108"}': "NaN NaN NaN 7x57"},
        labels={"instance": "g0:9108"}, fires_at="15m",
    ),
    Alert(
        "TocsinMqttDropsUnseen", Severity.TICKET, 'tocsin_gateway_mqtt_broker_dropped_messages{job="tocsin-gateway-mqtt"} != tocsin_gateway_mqtt_broker_dropped_messages', "15m",
        "The MQTT broker does not tell {{ $labels.instance }} what it drops",
        means="Nothing yet. But if it drops messages, nobody here will hear of it: TocsinMqttDropped cannot fire.",
        look=("May the gateway's user read `$SYS/broker/publish/messages/dropped` (deploy/mosquitto/acl)?",),
        do=("Let it.", "A broker that has no such topic: watch its own metric for dropped messages, and silence this alert."),
        over="`tocsin_gateway_mqtt_broker_dropped_messages` is a number.",
        fires={f"tocsin_gateway_mqtt_broker_dropped_messages{GATEWAY_PLAIN}": " ".join(["NaN"] * 30)}, quiet={f"tocsin_gateway_mqtt_broker_dropped_messages{GATEWAY_PLAIN}": "0x60"}, labels=OF_GATEWAY, fires_at="20m",
    ),
    Alert(
        "TocsinMqttSessionLost", Severity.PAGE, 'sum by (instance) (increase(tocsin_gateway_mqtt_link_events_total{event="session_lost"}[15m])) > 0 or sum by (instance) (tocsin_gateway_mqtt_link_events_total{event="session_lost"} unless tocsin_gateway_mqtt_link_events_total{event="session_lost"} offset 15m) > 0', "0m",
        "The MQTT broker forgot what it kept for {{ $labels.instance }}",
        means="What arrived there while the gateway was away is lost.", look=("Was the broker started without its persistence, or the session kept too short?",),
        do=("`persistence true` and `persistent_client_expiration` as in deploy/mosquitto/mosquitto.conf; ask the senders to hand it in again.",),
        over="It ends by itself after a quarter of an hour, mended or not: it is over when the broker keeps sessions (start it again: none must be lost).",
        fires={'tocsin_gateway_mqtt_link_events_total{event="session_lost",instance="g0:9108"}': "_x10 1x50"},
        quiet={'tocsin_gateway_mqtt_link_events_total{event="session_lost",instance="g0:9108"}': "0x60"}, labels={"instance": "g0:9108"}, fires_at="15m",
    ),
    Alert(
        "TocsinDenied", Severity.TICKET, "sum by (reason) (rate(tocsin_gateway_denied_total[15m])) > 0.1", "15m", "Somebody is refused again and again: {{ $labels.reason }}",
        means="A wrong or old token somewhere, or somebody tries.", look=("Topic `audit` (as an auditor): on whose behalf, from where.",),
        do=("Hand over the right token, or revoke the stolen one (README, Gateways, *Lost a key*).",),
        over="`tocsin_gateway_denied_total` grows no more.",
        fires={'tocsin_gateway_denied_total{reason="unknown_token"}': "0+60x60"}, quiet={'tocsin_gateway_denied_total{reason="unknown_token"}': "0+1x60"},
        labels={"reason": "unknown_token"}, fires_at="40m",
    ),
)  # fmt: skip
