"""The dashboard's rows: queues, their work, the engine, the API, models, processes."""

from __future__ import annotations

from app.core.manifests.alerts import LEASE
from app.core.manifests.panels import AMBER, GREEN, RED, Panel, Query, Row
from app.core.manifests.rates import per_second, quantile

QUEUE = 'queue=~"$queue"'
DESTINATION = 'messaging_destination_name=~"$queue"'
OURS = "* on (instance) group_left () homeroom_build_info"  # `instance` is Prometheus' own label


def below() -> list[Row]:
    return [_queues(), _work(), _engine(), _api(), _models(), _processes()]


def _queues() -> Row:
    states = f"max by (queue, state) (homeroom_queue_jobs{{{QUEUE}}})"
    return Row(
        "Queues",
        [
            Panel(
                "Lag",
                "How long the oldest job that only lacks a slot waits; 0 while its queue is paused.",
                [Query(f"max by (queue) (homeroom_queue_lag_seconds{{{QUEUE}}})", "{{queue}}")],
                unit="s",
            ),
            Panel(
                "Jobs",
                "Live jobs; blocked ones wait behind their lane.",
                [Query(states, "{{queue}} {{state}}")],
                stacked=True,
            ),
            Panel(
                "Slots",
                "What workers run, what they could, and what they are wanted for.",
                [
                    Query(f"sum by (queue) (homeroom_worker_load{{{QUEUE}}})", "{{queue}} busy"),
                    Query(f"max by (queue) (homeroom_queue_slots{{{QUEUE}}})", "{{queue}} slots"),
                    Query(f"max by (queue) (homeroom_queue_demand{{{QUEUE}}})", "{{queue}} wanted"),
                ],
            ),
        ],
    )


def _work() -> Row:
    ended = per_second("homeroom_jobs_ended_total", QUEUE, by="queue, end")
    return Row(
        "Work",
        [
            Panel(
                "Deliveries begun",
                "By queue.",
                [Query(per_second("homeroom_jobs_begun_total", QUEUE, by="queue"), "{{queue}}")],
                unit="ops",
            ),
            Panel(
                "Deliveries ended",
                "`retry` runs again later, `failure` does not.",
                [Query(ended, "{{queue}} {{end}}")],
                unit="ops",
            ),
            Panel(
                "Pickup",
                "From a job's creation, or the moment it was to wait for, to its first begin.",
                [
                    Query(quantile(0.5, "homeroom_pickup_seconds", QUEUE, by="queue"), "{{queue}} half"),
                    Query(quantile(0.99, "homeroom_pickup_seconds", QUEUE, by="queue"), "{{queue}} 99 %"),
                ],
                unit="s",
            ),
            Panel(
                "Run time, 95 %",
                "Of job functions, by kind.",
                [Query(quantile(0.95, "messaging_process_duration_seconds", DESTINATION, by="kind"), "{{kind}}")],
                unit="s",
            ),
            Panel(
                "Claims",
                "Hints and plain jobs that workers took.",
                [
                    Query(
                        per_second(
                            "messaging_client_consumed_messages_total", DESTINATION, by="messaging_destination_name"
                        ),
                        "{{messaging_destination_name}}",
                    )
                ],
                unit="ops",
            ),
            Panel(
                "Effects",
                "Between queues: delivered within a second, as a rule.",
                [Query("max(homeroom_outbox_pending)", "pending")],
            ),
        ],
    )


def _engine() -> Row:
    def counted(metric: str) -> str:
        return f"sum by (queue) (increase({metric}{{{QUEUE}}}[$__rate_interval]))"

    return Row(
        "Engine",
        [
            Panel(
                "Repairs",
                "Rescues follow lost workers, rebuilds a Redis that forgot; swept hints without either are a fault.",
                [
                    Query(counted("homeroom_jobs_rescued_total"), "{{queue}} rescued"),
                    Query(counted("homeroom_hints_swept_total"), "{{queue}} swept"),
                    Query(counted("homeroom_redis_rebuilds_total"), "{{queue}} rebuilt"),
                ],
            ),
            Panel(
                "Zombies and outages",
                "Ends that came too late, and rounds that failed because a server was away.",
                [
                    Query(counted("homeroom_jobs_refused_total"), "{{queue}} refused"),
                    Query(counted("homeroom_outages_total"), "{{queue}} outage"),
                ],
            ),
            Panel(
                "Lease lag",
                f"By how much renewals are late; at {LEASE:g} s a worker's jobs are taken away.",
                [Query(f"max by (queue) (homeroom_lease_lag_seconds{{{QUEUE}}})", "{{queue}}")],
                unit="s",
                steps=((GREEN, None), (AMBER, LEASE / 2), (RED, LEASE)),
            ),
            Panel(
                "Permits held",
                "Of tenants' limits, such as model calls at a time.",
                [Query(f"sum by (queue) (homeroom_permits_held{{{QUEUE}}})", "{{queue}}")],
            ),
            Panel(
                "Workers",
                "Whose lease holds.",
                [Query(f"max by (queue) (homeroom_queue_workers{{{QUEUE}}})", "{{queue}}")],
            ),
            Panel(
                "Auditor",
                "Time since its last round; one begins every five minutes.",
                [Query("max(homeroom_audit_age_seconds)", "since the last round")],
                unit="s",
            ),
        ],
    )


def _api() -> Row:
    metric = "http_server_request_duration_seconds"
    return Row(
        "API",
        [
            Panel(
                "Answers",
                "By status.",
                [Query(per_second(f"{metric}_count", by="http_response_status_code"), "{{http_response_status_code}}")],
                unit="reqps",
                stacked=True,
            ),
            Panel(
                "Latency, 95 %",
                "By route. Event streams last as long as somebody listens, and `Prefer: wait` as long as it says.",
                [
                    Query(
                        quantile(0.95, metric, 'http_route!~".*/events"', by="http_request_method, http_route"),
                        "{{http_request_method}} {{http_route}}",
                    )
                ],
                unit="s",
                width=16,
            ),
        ],
    )


def _models() -> Row:
    duration, first = "gen_ai_client_operation_duration_seconds", "gen_ai_client_operation_time_to_first_chunk_seconds"
    return Row(
        "Models",
        [
            Panel(
                "Calls",
                "By how they ended.",
                [
                    Query(
                        per_second(f"{duration}_count", by="gen_ai_provider_name, error_type"),
                        "{{gen_ai_provider_name}} {{error_type}}",
                    )
                ],
                unit="ops",
            ),
            Panel(
                "Time",
                "To the end of a reply, and to its first piece.",
                [
                    Query(quantile(0.95, duration, by="gen_ai_provider_name"), "{{gen_ai_provider_name}} 95 %"),
                    Query(
                        quantile(0.95, first, by="gen_ai_provider_name"),
                        "{{gen_ai_provider_name}} first, 95 %",
                    ),
                ],
                unit="s",
            ),
            Panel(
                "Tokens",
                "A second, in and out.",
                [
                    Query(
                        per_second("gen_ai_client_token_usage_sum", by="gen_ai_provider_name, gen_ai_token_type"),
                        "{{gen_ai_provider_name}} {{gen_ai_token_type}}",
                    )
                ],
            ),
        ],
    )


def _processes() -> Row:
    memory = Query(f"process_resident_memory_bytes {OURS}", "{{instance}}")
    cores = Query(f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}", "{{instance}}")
    return Row(
        "Processes",
        [
            Panel("Memory", "Resident, of each process.", [memory], unit="bytes", width=12),
            Panel("Processors", "Cores in use.", [cores], width=12),
        ],
    )
