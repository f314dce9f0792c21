"""Many at once."""
import concurrent.futures
import threading


def together(calls):
    """Runs the callables at the same moment, each in a thread of its own; gives their results in order."""
    calls = list(calls)
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(60)
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result(180) for f in [pool.submit(run, call) for call in calls]]
