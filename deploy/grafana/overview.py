"""Tocsin overview: does the service warn, and what stands now? One look for whoever is woken up."""

from __future__ import annotations

from board import Panel, Query, Row

UID, TITLE = "tocsin-overview", "Tocsin overview"
DESCRIPTION = "Whether cities would be warned now, and how they stand. What is red here has a page in deploy/runbooks."
ROWS = (
    Row("Would a city be warned now?", (
        Panel("Canary", "1: every partition answers. 0: somewhere no warning would come out.", (Query("min(tocsin_canary_healthy)"),), kind="number", good_from=1),
        Panel("Oldest answer", "How long the partition that answered least recently has been silent.", (Query("max(time() - tocsin_canary_last_success_timestamp_seconds)"),), "s", "number", 75),
        Panel("Lost in an hour", "Share of the canary's measurements that did not come back; 0.1 % are allowed.", (Query("tocsin:canary_missed:ratio_rate1h"),), "percentunit", "number", 0.001),
        Panel("Alerts that fire", "Alerts of Prometheus; each has a runbook.", (Query('count(ALERTS{alertname=~"Tocsin.*",alertstate="firing"}) or vector(0)'),), kind="number", bad_above=1),
        Panel("To look at", "Alarms of a quarter of an hour.", (Query("sum(increase(tocsin_alarms_total[15m])) or vector(0)"),), kind="number", bad_above=1),
    )),
    Row("How do the cities stand?", (
        Panel("Warnings in force", "Warnings of cities by hazard and level.", (Query("sum by (hazard, level) (tocsin_warnings_active)", "{{hazard}} {{level}}"),)),
        Panel("Cities nobody can judge", "Pairs of a city and a domain that read unknown.", (Query('sum by (hazard) (tocsin_city_statuses{status="unknown"})', "{{hazard}}"),), bad_above=1),
        Panel("Silent series", "Share of the series that do not report.", (Query("sum by (quantity) (tocsin_stations_silent) / sum by (quantity) (tocsin_stations)", "{{quantity}}"),), "percentunit"),
        Panel("Open incidents", "By hazard.", (Query("sum by (hazard) (tocsin_incidents_open)", "{{hazard}}"),)),
    )),
    Row("How fast?", (
        Panel("Door to city", "From the sending of the canary's measurement to its answer.", tuple(Query(f"histogram_quantile({q}, sum by (le) (rate(tocsin_canary_round_trip_seconds_bucket[5m])))", f"{q * 100:g} %") for q in (0.5, 0.9, 0.99)), "s"),
        Panel("Behind", "Age of the oldest record that is not finished, by topic.", (Query("max by (topic) (tocsin_lag_seconds)", "{{topic}}"),), "s", bad_above=60),
        Panel("Measurements", "Let in a second, by door.", (Query("sum by (door) (rate(tocsin_accepted_measurements_total[5m]))", "{{door}}"),), "cps"),
        Panel("Refused", "A second, by reason.", (Query("sum by (reason) (rate(tocsin_rejected_total[5m])) or vector(0)", "{{reason}}"),), "cps"),
    )),
    Row("What runs?", (
        Panel("Processes", "Version and fold version of each process that is ready or not.", (Query("sum by (job, instance, version, fold_version) (tocsin_build_info)", instant=True),), kind="table"),
        Panel("Regions", "What is active in how many processes.", (Query("count by (region, region_hash) (tocsin_region_info)", instant=True),), kind="table"),
        Panel("Ready", "What /readyz says of each process.", (Query("tocsin_ready", "{{job}} {{instance}}"),)),
    )),
)  # fmt: skip
