"""Queries for the metrics that model servers export themselves, by the names they have there.

`{selector` stands for how a version's series are found; see `metric_sources`. Names are those of the
projects' own pages. vLLM's time per token was renamed (`time_per_output_token_seconds` before), so both
are asked for. TGI doesn't measure the first token: waiting in the queue and then the prefill come
closest. BentoML measures requests; of tokens it knows what vLLM says, where a bento runs that.
"""

from collections.abc import Mapping
from typing import Literal

Preset = Literal["vllm", "tgi", "bentoml"]

_SHARES = (0.5, 0.9, 0.95, 0.99)


def _percentiles(name: str, *histograms: str) -> dict[str, str]:
    """`name_p50` to `name_p99`, of the first histogram that is there."""
    return {
        f"{name}_p{round(share * 100)}": " or ".join(
            f"histogram_quantile({share}, sum by (le) (rate({each}_bucket{{selector}}[{{span}}])))"
            for each in histograms
        )
        for share in _SHARES
    }


def _mean(histogram: str, also: str = "") -> str:
    total, count = (f"sum(rate({histogram}_{part}{{selector{also}}}[{{span}}]))" for part in ("sum", "count"))
    return f"{total} / {count}"


_VLLM = {
    **_percentiles("time_to_first_token", "vllm:time_to_first_token_seconds"),
    **_percentiles(
        "time_per_token", "vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"
    ),
    "queue_length": "sum(vllm:num_requests_waiting{selector})",
    "queue_time": _mean("vllm:request_queue_time_seconds"),
    "running": "sum(vllm:num_requests_running{selector})",
}

_PREFILL = _mean("tgi_batch_inference_duration", ',method="prefill"')

_TGI = {
    "time_to_first_token": f"({_mean('tgi_request_queue_duration')}) + ({_PREFILL})",
    **_percentiles("time_per_token", "tgi_request_mean_time_per_token_duration"),
    "queue_length": "sum(tgi_queue_size{selector})",
    "queue_time": _mean("tgi_request_queue_duration"),
    "running": "sum(tgi_batch_current_size{selector})",
}

_BENTOML = {
    **_VLLM,
    **_percentiles("server_latency", "bentoml_service_request_duration_seconds"),
    "server_rate": "sum(rate(bentoml_service_request_total{selector}[{span}]))",
    "server_error_rate": (
        'sum(rate(bentoml_service_request_total{selector,http_response_code=~"5.."}[{span}]))'
    ),
    "running": "sum(bentoml_service_request_in_progress{selector})",
    "batch_size": _mean("bentoml_service_adaptive_batch_size"),
}

PRESETS: Mapping[Preset, Mapping[str, str]] = {"vllm": _VLLM, "tgi": _TGI, "bentoml": _BENTOML}
"""By preset: query by metric."""
