"""Alerts about the service itself: processes, partitions, lag, checkpoints, clocks."""

from __future__ import annotations

from alert import Alert, Severity

WORKER = '{instance="w0:9108",job="tocsin-worker"}'

ALERTS = (
    Alert(
        "TocsinAlarm", Severity.PAGE,
        "sum by (alarm) (increase(tocsin_alarms_total[15m])) > 0 or sum by (alarm) (tocsin_alarms_total unless tocsin_alarms_total offset 15m) > 0",
        "0m", "The service noticed something that a person must look at: {{ $labels.alarm }}",
        means="It depends on the alarm: `journal_gap`: records were gone before they were decided; `other_lane`: somebody writes an exercise or a test to live topics, or the other way round; others are named after what the edge met, such as a suppressed warning that was worse than the published one.",
        look=("The worker's log at that time: it says which record, topic and partition.", "`tocsin_alarms_total` by instance: which worker."),
        do=(
            "`journal_gap`: `tocsin rebuild --check` for that partition, and raise the retention of `journal` (`tocsin topics check`).",
            "`other_lane`: find who writes with a wrong prefix (`tocsin topics acl --check` shows who may), and correct it.",
        ),
        fires={f'tocsin_alarms_total{{alarm="journal_gap",{WORKER[1:]}': "0x10 1x50"},
        quiet={f'tocsin_alarms_total{{alarm="journal_gap",{WORKER[1:]}': "1x60"},
        fires_at="15m", labels={"alarm": "journal_gap"},
    ),
    Alert(
        "TocsinProcessDown", Severity.PAGE, 'up{job=~"tocsin-.*"} == 0', "2m", "{{ $labels.instance }} ({{ $labels.job }}) does not answer",
        means="If others share its work, warnings go on within the session timeout (6 s). If it was the only one of its kind: a worker: nobody is warned; an intake: answers are not read and warnings go up; a gateway: its senders wait and store.",
        look=("Does its supervisor start it again (`systemctl status`, `kubectl describe pod`), and with which exit code? 75: it asked to be started again; 70: a bug, its log ends with a traceback.",),
        do=("Start it. If it ends again at once, its last log lines say what is missing.", "If its machine is gone, start it elsewhere under the same `--instance`."),
        fires={f"up{WORKER}": "1x10 0x50"}, quiet={f"up{WORKER}": "1x60"}, labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinNotReady", Severity.PAGE, "tocsin_ready == 0", "5m", "{{ $labels.instance }} ({{ $labels.job }}) is not ready",
        means="It runs, but it cannot do its work: not assigned, not restored, no broker, or the canary is not heard in a partition it holds.",
        look=("`GET /readyz` of that process says what is wrong and what to do.",), do=("What `/readyz` says.",),
        fires={f"tocsin_ready{WORKER}": "0x60"}, quiet={f"tocsin_ready{WORKER}": "1x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinRestarting", Severity.TICKET, "changes(process_start_time_seconds{job=~\"tocsin-.*\"}[30m]) > 2", "0m",
        "{{ $labels.instance }} ({{ $labels.job }}) was started {{ $value }} times in half an hour",
        means="It ends itself or is ended again and again. Each time its partitions stand still for some seconds.",
        look=("Its log and exit codes. 75 is its watchdog, or a broker that was away for longer than `request_timeout_s`.",),
        do=("If it is killed for memory: give it more (README, capacity).", "If it stands still: look at the machine (disk, steal time), and raise `session_timeout_s` where machines pause."),
        fires={f"process_start_time_seconds{WORKER}": "1x5 2x5 3x5 4x5 4x30"}, quiet={f"process_start_time_seconds{WORKER}": "1x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"}, fires_at="25m",
    ),
    Alert(
        "TocsinLag", Severity.PAGE, "max by (topic) (tocsin_lag_seconds) > 60", "2m", "{{ $labels.topic }} is {{ $value | humanizeDuration }} behind",
        means="What happened is not decided yet: warnings come that much later. After two minutes cities read *unknown*.",
        look=("Dashboard *Tocsin pipeline*: one partition or all? One domain that sends very much, or a slow broker?", "`tocsin_stage_seconds`, `tocsin_loop_lag_seconds`: is a worker out of processor time?"),
        do=("All partitions: start more workers (at most one a journal partition).", "One partition: `tocsin topics check` shows the load by domain; spread domains at the next planned `tocsin rebuild`.", "History handed in by bulk waits by itself; it is never the cause."),
        fires={'tocsin_lag_seconds{topic="journal",instance="w0:9108"}': "90x60"}, quiet={'tocsin_lag_seconds{topic="journal",instance="w0:9108"}': "2x60"},
        labels={"topic": "journal"},
    ),
    Alert(
        "TocsinCheckpointOld", Severity.PAGE, "time() - max by (partition) (tocsin_checkpoint_timestamp_seconds) > 120", "1m",
        "Journal partition {{ $labels.partition }} was not checkpointed for {{ $value | humanizeDuration }}",
        means="Warnings go out, but after a restart everything since then is decided again: the longer, the slower. If outputs are not acknowledged, there is no checkpoint either, and nobody is warned.",
        look=("The log of the worker that holds the partition (`tocsin_checkpoint_timestamp_seconds` by instance).", "Do the brokers take writes (`min.insync.replicas`)?"),
        do=("Restore the brokers' replicas.", "Restart the worker if it alone stands still."),
        fires={'tocsin_checkpoint_timestamp_seconds{partition="3"}': "0x60"}, quiet={'tocsin_checkpoint_timestamp_seconds{partition="3"}': "0+60x60"},
        labels={"partition": "3"},
    ),
    Alert(
        "TocsinTimeSuspect", Severity.PAGE, "sum(tocsin_time_suspect_partitions) > 0", "1m", "The clocks of {{ $value }} journal partitions contradict each other",
        means="A broker's clock or a worker's is wrong. Raises still go out; nothing expires, clears or goes up until the clocks agree.",
        look=("`tocsin_clock_skew_seconds` by instance: all workers alike: a broker is wrong; one: that worker's machine is.",),
        do=("Correct that machine's clock (chrony, ntp), slowly if it can: `chronyc tracking`.", "If a worker's machine cannot be corrected, stop that worker: another takes its partitions."),
        fires={"tocsin_time_suspect_partitions{instance=\"w0:9108\"}": "4x60"}, quiet={"tocsin_time_suspect_partitions{instance=\"w0:9108\"}": "0x60"}, labels={},
    ),
    Alert(
        "TocsinClockSkew", Severity.TICKET, "abs(tocsin_clock_skew_seconds) > 5", "10m", "{{ $labels.instance }}: clock {{ $value | humanizeDuration }} off the broker's",
        means="From a minute on nothing expires or clears in its partitions any more.",
        look=("Which of the two is wrong: compare several workers.",), do=("Correct the clock (chrony, ntp).",),
        fires={f"tocsin_clock_skew_seconds{WORKER}": "-30x60"}, quiet={f"tocsin_clock_skew_seconds{WORKER}": "0.2x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinLoopLag", Severity.TICKET, "tocsin_loop_lag_seconds > 1", "5m", "{{ $labels.instance }} ({{ $labels.job }}) keeps timers waiting for {{ $value | humanizeDuration }}",
        means="The process is short of processor time; from half the session timeout on it ends itself.",
        look=("The machine's load and steal time, and who else runs there.",), do=("Give it a core of its own.",),
        fires={f"tocsin_loop_lag_seconds{WORKER}": "2x60"}, quiet={f"tocsin_loop_lag_seconds{WORKER}": "0.02x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinWarningsSlow", Severity.TICKET,
        "histogram_quantile(0.99, sum by (le) (rate(tocsin_warning_end_to_end_seconds_bucket[15m]))) > 10", "10m",
        "One warning in a hundred takes longer than {{ $value | humanizeDuration }} from its measurement to its city",
        means="Cities are warned, but late.", look=("Lag, stage times and checkpoints on dashboard *Tocsin pipeline*.",), do=("As for TocsinLag.",),
        fires={'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="10.0"}': "0+1x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="30.0"}': "0+9x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="+Inf"}': "0+9x60"},
        quiet={'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="1.0"}': "0+9x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="+Inf"}': "0+9x60"},
        labels={},
    ),
)  # fmt: skip
