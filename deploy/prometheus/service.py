"""Alerts about the service itself: processes, partitions, lag, checkpoints, clocks."""

from __future__ import annotations

from alert import LATE, NOTHING_COMES, Alert, Severity

WORKER = '{instance="w0:9108",job="tocsin-worker"}'
NOBODY = " or ".join(
    (
        'group by (job) (last_over_time(up{job=~"tocsin-.*"}[7d])) unless group by (job) (up{job=~"tocsin-.*"} == 1)',
        'absent(up{job="tocsin-worker"})',
        'absent(up{job="tocsin-intake"})',
    )
)
"""A kind of process that ran within a week and of which none answers; workers and intake also where there never were any."""

ALERTS = (
    Alert(
        "TocsinAlarm", Severity.PAGE,
        "sum by (alarm) (increase(tocsin_alarms_total[15m])) > 0 or sum by (alarm) (tocsin_alarms_total unless tocsin_alarms_total offset 15m) > 0",
        "0m", "The service noticed something that a person must look at: {{ $labels.alarm }}",
        means="It depends on the alarm: `journal_gap`: records were gone before they were decided; `other_lane`: somebody writes an exercise or a test to live topics, or the other way round; `time_suspect`: see TocsinTimeSuspect; `older_but_higher` and `different`: two workers said different things of one warning, and the worse was sent.",
        look=("The worker's log at that time: it says which record, topic and partition.", "`tocsin_alarms_total` by instance: which worker."),
        do=(
            "`journal_gap`: `tocsin topics check` (is the retention of `journal` what it must be?), then `tocsin rebuild --check` as an operator: it names the partitions whose state is not what the journal says. Cities of those domains may be watched from too little: tell them.",
            "`other_lane`: find who writes with a wrong prefix (`tocsin topics acl principals.toml --check` shows who may and should not), and correct it.",
            "`older_but_higher`, `different`: keep the log of both workers; was one of them hung or cut off? `tocsin explain WARNING_ID` as an operator says what stood behind the warning.",
        ),
        over="It ends a quarter of an hour after the last one, mended or not: it is over when you know what it was.",
        fires={f'tocsin_alarms_total{{alarm="journal_gap",{WORKER[1:]}': "0x10 1x50"},
        quiet={f'tocsin_alarms_total{{alarm="journal_gap",{WORKER[1:]}': "1x60"},
        fires_at="15m", labels={"alarm": "journal_gap"},
    ),
    Alert(
        "TocsinProcessDown", Severity.PAGE, 'up{job=~"tocsin-.*"} == 0', "2m", "{{ $labels.instance }} ({{ $labels.job }}) does not answer",
        means="If others share its work, warnings go on within the session timeout (6 s). If it was the only one of its kind: a worker: nobody is warned; an intake: answers are not read and warnings go up; a gateway: its senders wait and store.",
        look=("Does its supervisor start it again (`systemctl status`, `kubectl describe pod`), and with which exit code? 75: it asked to be started again; 76: another fold version is in force, start the new code; 1: the broker does not let it in, see `tocsin doctor`; 70: a bug, its log ends with a traceback.",),
        do=("Start it. If it ends again at once, its last log lines say what is missing.", "If its machine is gone, start it elsewhere under the same `--instance`."),
        over="`up` of it is 1, its `/readyz` answers 200, and TocsinCanaryMissing is not firing.",
        fires={f"up{WORKER}": "1x10 0x50"}, quiet={f"up{WORKER}": "1x60"}, labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinNobodyRuns", Severity.PAGE, NOBODY, "2m", "Not one {{ $labels.job }} answers",
        means="Every other alert about these processes is silent, because nobody is left who could be asked. No worker: nobody is warned. No intake: answers are not read. No gateway of a kind: what its senders have waits with them, or is lost.",
        look=("Are there any (`kubectl -n tocsin get pods`, `systemctl list-units 'tocsin-*'`, `docker compose ps`)? Were they scaled to 0, or can none be placed?", "They run: does Prometheus know them under this `job` (its page *Targets*)?"),
        do=("Start them.", "A kind that was taken away on purpose: silence this alert for its job for a week."),
        over="`up` of one of them is 1.", tell=NOTHING_COMES,
        fires={f"up{WORKER}": "1x10 _x50", 'up{instance="i0:9108",job="tocsin-intake"}': "1x60"}, quiet={f"up{WORKER}": "1x60", 'up{instance="w1:9108",job="tocsin-worker"}': "1x10 _x50", 'up{instance="i0:9108",job="tocsin-intake"}': "1x60"},
        labels={"job": "tocsin-worker"},
    ),
    Alert(
        "TocsinNotReady", Severity.PAGE, "tocsin_ready == 0", "5m", "{{ $labels.instance }} ({{ $labels.job }}) is not ready",
        means="It runs, but it cannot do its work: not assigned, not restored, no broker, or the canary is not heard in a partition it holds.",
        look=("`GET /readyz` of that process (how: README.md beside this page) says what is wrong and what to do.", "All workers at once, *the canary was not heard*: TocsinCanaryDead, or the brokers."), do=("What `/readyz` says.", "Do not restart a worker only because it is not ready: a restore that goes on begins anew."),
        over="`/readyz` answers 200; of a worker that means that the canary went through every partition it holds.",
        fires={f"tocsin_ready{WORKER}": "0x60"}, quiet={f"tocsin_ready{WORKER}": "1x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinRestarting", Severity.TICKET, "changes(process_start_time_seconds{job=~\"tocsin-.*\"}[30m]) > 2", "0m",
        "{{ $labels.instance }} ({{ $labels.job }}) was started {{ $value }} times in half an hour",
        means="It ends itself or is ended again and again. Each time its partitions stand still for some seconds.",
        look=("Its log and exit codes. 75 is its watchdog, or a broker that was away for longer than `request_timeout_s`.",),
        do=("If it is killed for memory: give it more (README, capacity).", "If it stands still: look at the machine (disk, steal time), and raise `session_timeout_s` where machines pause."),
        over="It was not started for half an hour. `process_start_time_seconds` says since when it runs.",
        fires={f"process_start_time_seconds{WORKER}": "1x5 2x5 3x5 4x5 4x30"}, quiet={f"process_start_time_seconds{WORKER}": "1x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"}, fires_at="25m",
    ),
    Alert(
        "TocsinLag", Severity.PAGE, "max by (topic) (tocsin_lag_seconds) > 60", "2m", "{{ $labels.topic }} is {{ $value | humanizeDuration }} behind",
        means="What happened is not decided yet: warnings come that much later. After two minutes cities read *unknown*.",
        look=("Dashboard *Tocsin pipeline*: one partition or all? One domain that sends very much, or a slow broker?", "`tocsin_stage_seconds`, `tocsin_loop_lag_seconds`: is a worker out of processor time?"),
        do=("All partitions, workers out of processor time: start more of them (at most one a journal partition).", "All partitions, and no worker is short of anything: the brokers.", "One partition: `tocsin topics check` shows the load by domain; spread domains at the next planned `tocsin rebuild --partitions N`.", "History handed in by bulk waits by itself; it is never the cause."),
        over="`tocsin_lag_seconds` is back at 0 to 2 for every topic, and no city reads *unknown* that did not before.",
        tell=LATE,
        fires={'tocsin_lag_seconds{topic="journal",instance="w0:9108"}': "90x60"}, quiet={'tocsin_lag_seconds{topic="journal",instance="w0:9108"}': "2x60"},
        labels={"topic": "journal"},
    ),
    Alert(
        "TocsinCheckpointOld", Severity.PAGE, "time() - max by (partition) (tocsin_checkpoint_timestamp_seconds) > 120", "1m",
        "Journal partition {{ $labels.partition }} was not checkpointed for {{ $value | humanizeDuration }}",
        means="Warnings go out, but after a restart everything since then is decided again: the longer, the slower. If outputs are not acknowledged, there is no checkpoint either, and nobody is warned.",
        look=("The log of the worker that holds the partition (`tocsin_checkpoint_timestamp_seconds` by instance).", "Do the brokers take writes (`min.insync.replicas`)?"),
        do=("Restore the brokers' replicas.", "Restart the worker if it alone stands still."),
        over="`tocsin_checkpoint_timestamp_seconds` of every partition is from the last seconds again.",
        fires={'tocsin_checkpoint_timestamp_seconds{partition="3"}': "0x60"}, quiet={'tocsin_checkpoint_timestamp_seconds{partition="3"}': "0+60x60"},
        labels={"partition": "3"},
    ),
    Alert(
        "TocsinTimeSuspect", Severity.PAGE, "sum(tocsin_time_suspect_partitions) > 0", "1m", "The clocks of {{ $value }} journal partitions contradict each other",
        means="A broker's clock or a worker's is wrong. Raises still go out; nothing expires, clears or goes up until the clocks agree.",
        look=("`tocsin_clock_skew_seconds` by instance: all workers alike: a broker is wrong; one: that worker's machine is.",),
        do=("Correct that machine's clock (chrony, ntp), slowly if it can: `chronyc tracking`.", "If a worker's machine cannot be corrected, stop that worker: another takes its partitions."),
        over="`tocsin_time_suspect_partitions` is 0 everywhere; what was due meanwhile is then made up by itself.",
        fires={"tocsin_time_suspect_partitions{instance=\"w0:9108\"}": "4x60"}, quiet={"tocsin_time_suspect_partitions{instance=\"w0:9108\"}": "0x60"}, labels={},
    ),
    Alert(
        "TocsinClockSkew", Severity.TICKET, "abs(tocsin_clock_skew_seconds) > 5", "10m", "{{ $labels.instance }}: clock {{ $value | humanizeDuration }} off the broker's",
        means="From a minute on nothing expires or clears in its partitions any more.",
        look=("Which of the two is wrong: compare several workers.",), do=("Correct the clock (chrony, ntp).",),
        over="`tocsin_clock_skew_seconds` is below a second everywhere.",
        fires={f"tocsin_clock_skew_seconds{WORKER}": "-30x60"}, quiet={f"tocsin_clock_skew_seconds{WORKER}": "0.2x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinLoopLag", Severity.TICKET, "tocsin_loop_lag_seconds > 1", "5m", "{{ $labels.instance }} ({{ $labels.job }}) keeps timers waiting for {{ $value | humanizeDuration }}",
        means="The process is short of processor time; from half the session timeout on it ends itself.",
        look=("The machine's load and steal time, and who else runs there.",), do=("Give it a core of its own.",),
        over="`tocsin_loop_lag_seconds` stays below 0.1.",
        fires={f"tocsin_loop_lag_seconds{WORKER}": "2x60"}, quiet={f"tocsin_loop_lag_seconds{WORKER}": "0.02x60"},
        labels={"instance": "w0:9108", "job": "tocsin-worker"},
    ),
    Alert(
        "TocsinWarningsSlow", Severity.TICKET,
        "histogram_quantile(0.99, sum by (le) (rate(tocsin_warning_end_to_end_seconds_bucket[15m]))) > 10", "10m",
        "One warning in a hundred takes longer than {{ $value | humanizeDuration }} from its measurement to its city",
        means="Cities are warned, but late.", look=("Lag, stage times and checkpoints on dashboard *Tocsin pipeline*.",), do=("As for TocsinLag.",),
        over="It looks back for a quarter of an hour: the canary's round trips say it sooner.",
        fires={'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="10.0"}': "0+1x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="30.0"}': "0+9x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="+Inf"}': "0+9x60"},
        quiet={'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="1.0"}': "0+9x60", 'tocsin_warning_end_to_end_seconds_bucket{hazard="flood",le="+Inf"}': "0+9x60"},
        labels={},
    ),
)  # fmt: skip
