"""/metrics as Prometheus would read it, by the parser of its own client library."""
import pytest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """A scrape. Judged as it is read: each name belongs to a family of a known type, histograms hold together."""

    def __init__(self, answer):
        parser = pytest.importorskip("prometheus_client.parser", reason="python3-prometheus-client is not installed")
        assert answer.status == 200, answer
        assert answer.header("Content-Type") == MEDIA_TYPE
        self.text = answer.body.decode()
        self.families = list(parser.text_string_to_metric_families(self.text))
        self.samples = {}
        for family in self.families:
            assert family.type in ("counter", "gauge", "histogram") and family.documentation and family.name.startswith("pickup_"), family
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in self.samples, f"{key} twice"
                self.samples[key] = sample.value
                assert family.type != "counter" or sample.name.endswith("_total"), sample
        assert len({f.name for f in self.families}) == len(self.families)
        self._judge_histograms()

    def _judge_histograms(self):
        for (name, labels), count in self.samples.items():
            if not name.endswith("_count"):
                continue
            base = name.removesuffix("_count")
            buckets = [(float(dict(ls)["le"]), v) for (n, ls), v in self.samples.items()
                       if n == base + "_bucket" and tuple(l for l in ls if l[0] != "le") == labels]
            assert buckets == sorted(buckets) and [v for _, v in buckets] == sorted(v for _, v in buckets), (name, labels, buckets)
            assert buckets[-1] == (float("inf"), count), (name, labels)
            assert 0 <= self.samples[base + "_sum", labels]

    def get(self, name, **labels):
        """The sample with exactly these labels; None where there is none."""
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def sum(self, name, **labels):
        """Of all samples of that name that have these labels among theirs."""
        return sum(v for (n, ls), v in self.samples.items() if n == name and labels.items() <= dict(ls).items())

    def counters(self):
        """What may only grow."""
        return {key: v for key, v in self.samples.items() if key[0].endswith(("_total", "_count", "_bucket", "_sum")) and not key[0].startswith("pickup_push_")}


def requests(metrics, **labels):
    """How many requests it tells of."""
    return metrics.sum("pickup_http_request_duration_seconds_count", **labels)
