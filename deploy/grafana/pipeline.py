"""Tocsin pipeline: where on the way of a measurement is the trouble?"""

from __future__ import annotations

from board import Panel, Query, Row

UID, TITLE = "tocsin-pipeline", "Tocsin pipeline"
DESCRIPTION = "The way of a measurement: gateway, door, journal, decision, city. Read it from above until something is red."


def quantiles(metric: str, by: str = "") -> tuple[Query, ...]:
    """Median and 99 % of a histogram."""
    labels, legend = (f", {by}", f" {{{{{by}}}}}") if by else ("", "")
    return tuple(
        Query(f"histogram_quantile({q}, sum by (le{labels}) (rate({metric}_bucket[5m])))", f"{q * 100:g} %{legend}") for q in (0.5, 0.99)
    )


ROWS = (
    Row("Canary", (
        Panel("Silence of door partitions", "Since when each did not answer.", (Query('max by (topic) (time() - tocsin_canary_last_success_timestamp_seconds{topic!="journal"})', "{{topic}}"),), "s", bad_above=75),
        Panel("Silence of journal partitions", "Since when each did not answer: the worker that owns it.", (Query('time() - tocsin_canary_last_success_timestamp_seconds{topic="journal"}', "{{partition}}"),), "s", bad_above=75),
        Panel("Sent, answered, missed", "A minute.", tuple(Query(f"sum(increase(tocsin_canary_{what}_total[1m]))", what) for what in ("sent", "answered", "missed"))),
        Panel("Round trip", "Door to city.", quantiles("tocsin_canary_round_trip_seconds"), "s"),
    )),
    Row("Gateways", (
        Panel("Measurements handed in", "A second, by verdict.", (Query("sum by (verdict) (rate(tocsin_gateway_items_total[5m]))", "{{verdict}}"),), "cps"),
        Panel("Records for the doors", "A second: accepted by Kafka, stored on the disk, refused.", (Query("sum by (outcome) (rate(tocsin_gateway_records_total[5m]))", "{{outcome}}"),), "cps"),
        Panel("On disk", "Bytes that wait for Kafka.", (Query("sum by (job, instance) (tocsin_gateway_spool_bytes)", "{{job}} {{instance}}"),), "bytes"),
        Panel("Kafka answers", "1: yes.", (Query("min by (job, instance) (tocsin_gateway_link_up)", "{{job}} {{instance}}"),)),
        Panel("Clocks of senders", "By what they seem to be.", (Query("sum by (clock) (tocsin_gateway_clocks)", "{{clock}}"),)),
    )),
    Row("Doors (ACCEPT)", (
        Panel("Records", "Read a second, by door.", (Query("sum by (door) (rate(tocsin_door_records_total[5m]))", "{{door}}"),), "cps"),
        Panel("Refused", "A second, by door and reason.", (Query("sum by (door, reason) (rate(tocsin_rejected_total[5m])) or vector(0)", "{{door}} {{reason}}"),), "cps"),
        Panel("Late", "Let in too late to raise anything, a second.", (Query("sum by (door) (rate(tocsin_late_measurements_total[5m])) or vector(0)", "{{door}}"),), "cps"),
        Panel("Observed to door", "How old measurements are when they come.", quantiles("tocsin_measurement_delay_seconds", "door"), "s"),
    )),
    Row("Journal and decision (DECIDE)", (
        Panel("Messages", "Into the journal a second, by kind.", (Query("sum by (kind) (rate(tocsin_journal_messages_total[5m]))", "{{kind}}"),), "cps"),
        Panel("Stages", "From a record's append to the end of a stage.", quantiles("tocsin_stage_seconds", "stage"), "s"),
        Panel("Waiting records", "By topic; a single partition that waits is a single domain that sends much.", (Query("sum by (topic) (tocsin_lag_records)", "{{topic}}"),)),
        Panel("Not taken", "By the fold, a second, by reason; repetitions.", (Query("sum by (reason) (rate(tocsin_fold_refused_total[5m])) or vector(0)", "{{reason}}"), Query("sum(rate(tocsin_repeated_measurements_total[5m])) or vector(0)", "repeated"))),
    )),
    Row("What leaves (edge)", (
        Panel("Decisions", "A second, by kind and reason.", (Query("sum by (kind, reason) (rate(tocsin_outputs_total[5m]))", "{{kind}} {{reason}}"),), "cps"),
        Panel("Edge", "What it did with warnings, a second.", (Query("sum by (verdict) (rate(tocsin_edge_total[5m])) or vector(0)", "{{verdict}}"),), "cps"),
        Panel("Measurement to warning", "Until the city's record is acknowledged.", quantiles("tocsin_warning_end_to_end_seconds"), "s"),
        Panel("Warning to answer", "Until a city first answers.", quantiles("tocsin_acknowledgement_seconds"), "s"),
    )),
    Row("State and time", (
        Panel("Age of checkpoints", "By partition; 120 s page.", (Query("time() - max by (partition) (tocsin_checkpoint_timestamp_seconds)", "{{partition}}"),), "s", bad_above=120),
        Panel("Size of checkpoints", "By partition.", (Query("max by (partition) (tocsin_checkpoint_bytes)", "{{partition}}"),), "bytes"),
        Panel("Checkpoint and restore", "How long they take.", (*quantiles("tocsin_checkpoint_seconds"), Query("sum(rate(tocsin_restore_seconds_sum[1h])) / sum(rate(tocsin_restore_seconds_count[1h]))", "restore, mean")), "s"),
        Panel("Partitions held", "By worker: a fair share is the same for all.", (Query("tocsin_journal_partitions", "{{instance}}"),)),
        Panel("Clocks", "Own clock minus the broker's; partitions whose clocks contradict each other.", (Query("tocsin_clock_skew_seconds", "{{instance}}"), Query("sum(tocsin_time_suspect_partitions)", "suspect partitions")), "s"),
    )),
    Row("Intake", (
        Panel("Read", "A second, by kind.", (Query("sum by (kind) (rate(tocsin_intake_read_total[5m]))", "{{kind}}"),), "cps"),
        Panel("Refused", "A second, by kind and reason.", (Query("sum by (kind, reason) (rate(tocsin_intake_refused_total[5m])) or vector(0)", "{{kind}} {{reason}}"),), "cps"),
        Panel("Not in the journal yet", "Records, by kind.", (Query("sum by (kind) (tocsin_intake_lag_records)", "{{kind}}"), Query("sum(tocsin_backfill_waiting_records)", "history"))),
        Panel("Answers read until", "How long ago; escalation waits for it, two minutes at most.", (Query("time() - max by (kind) (tocsin_intake_written_timestamp_seconds)", "{{kind}}"),), "s", bad_above=120),
    )),
    Row("Processes", (
        Panel("Processor", "Cores.", (Query('sum by (job, instance) (rate(process_cpu_seconds_total{job=~"tocsin-.*"}[5m]))', "{{job}} {{instance}}"),)),
        Panel("Memory", "Resident.", (Query('sum by (job, instance) (process_resident_memory_bytes{job=~"tocsin-.*"})', "{{job}} {{instance}}"),), "bytes"),
        Panel("Event loop", "The longest it kept a timer waiting.", (Query("max by (job, instance) (tocsin_loop_lag_seconds)", "{{job}} {{instance}}"),), "s", bad_above=1),
        Panel("Scrapes", "How long Prometheus waits for /metrics.", (Query('max by (job, instance) (scrape_duration_seconds{job=~"tocsin-.*"})', "{{job}} {{instance}}"),), "s"),
    )),
)  # fmt: skip
