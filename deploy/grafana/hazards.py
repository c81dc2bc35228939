"""Tocsin region: what the chosen dangers do in the regions, for who looks after a region rather than after machines."""

from __future__ import annotations

from board import Panel, Query, Row

UID, TITLE = "tocsin-region", "Tocsin region"
DESCRIPTION = "The dangers of a region: choose them above (a hazard belongs to the regions that have its file). Which city, `tocsin status` and `tocsin tail` say."
OF = 'hazard=~"$hazard"'
ROWS = (
    Row("Now", (
        Panel("Warnings", "In force, by level.", (Query(f"sum by (level) (tocsin_warnings_active{{{OF}}})", "{{level}}"),)),
        Panel("Cities", "Pairs of a city and a domain by how they stand.", (Query(f"sum by (status) (tocsin_city_statuses{{{OF}}})", "{{status}}"),)),
        Panel("Incidents", "Open.", (Query(f"sum by (hazard) (tocsin_incidents_open{{{OF}}})", "{{hazard}}"),)),
        Panel("Postures", "Domains by how alert they are.", (Query("sum by (posture) (tocsin_domains)", "{{posture}}"),)),
    )),
    Row("What was decided", (
        Panel("Warnings and updates", "An hour, by reason.", (Query(f'sum by (reason) (increase(tocsin_outputs_total{{kind="city",{OF}}}[1h]))', "{{reason}}"),)),
        Panel("Measurement to warning", "Median and 99 %.", tuple(Query(f"histogram_quantile({q}, sum by (le) (rate(tocsin_warning_end_to_end_seconds_bucket{{{OF}}}[1h])))", f"{q * 100:g} %") for q in (0.5, 0.99)), "s"),
        Panel("Warning to first answer", "Median, by level.", (Query("histogram_quantile(0.5, sum by (le, level) (rate(tocsin_acknowledgement_seconds_bucket[1h])))", "{{level}}"),), "s"),
    )),
    Row("What is seen", (
        Panel("Series", "Of stations, by quantity.", (Query("sum by (quantity) (tocsin_stations)", "{{quantity}}"),)),
        Panel("Silent", "Of them.", (Query("sum by (quantity) (tocsin_stations_silent)", "{{quantity}}"),), bad_above=1),
        Panel("Keys that end", "Days until a principal's last key ends.", (Query("sort(min by (principal) (tocsin_key_expiry_timestamp_seconds) - time()) / 86400", instant=True),), kind="table"),
        Panel("Regions", "Active, by hash.", (Query("count by (region, region_hash) (tocsin_region_info)", instant=True),), kind="table"),
    )),
)  # fmt: skip
