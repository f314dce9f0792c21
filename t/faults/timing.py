"""Judges how requests are answered while things are away, and how soon. Part of the checker: functions over a History.

Owns: which delay or refusal a fault excuses. Does not own: what answers say (checker.py)."""
import bisect

LIMIT_S = 2.0       # the API's: PICKUP_REQUEST_DEADLINE_MS and what is around it
# All of this runs on a few processors, beside the clients and the database: a request may wait for its turn.
MARGIN_S = 2.0
# A fault that touches requests excuses those under way, and those until its traces are gone: a part that was killed is started again
# after up to a second (the supervisor's pace), and what queued up before it is then worked off.
AFTERMATH_S = 4.0
AGAIN_S = 1.0       # after the return of the database
EDGE_S = 0.1        # from a signal until all threads stand still


class Spans:
    """Times, merged, to be asked quickly."""

    def __init__(self, spans):
        self.begins, self.ends = [], []
        for began, ended in sorted(spans):
            if self.ends and began <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], ended)
            else:
                self.begins.append(began)
                self.ends.append(ended)

    def touch(self, began, ended):
        n = bisect.bisect_right(self.begins, ended)
        return n > 0 and self.ends[n - 1] >= began

    def hold(self, began, ended):
        n = bisect.bisect_right(self.begins, began)
        return n > 0 and self.ends[n - 1] >= ended

    def length(self, began, ended):
        """How much of that time they take."""
        return sum(max(0.0, min(e, ended) - max(b, began)) for b, e in zip(self.begins, self.ends))


def excuses(history):
    return Spans([(f.began, f.ended + AFTERMATH_S) for f in history.faults if f.touches == "requests"])


def absences(history):
    return Spans([(f.away[0] + EDGE_S, f.away[1]) for f in history.faults if f.away])


def attempts(history):
    """With what each belongs to; without those of clients that left."""
    for wish in history.placements + history.changes + history.shop_changes + history.reads:
        for a in wish.attempts:
            if not a.is_left:
                yield wish, a


def judged(history):
    """How long what in_time judges took, and what away judges, in seconds, sorted."""
    excused, gone = excuses(history), absences(history)
    clear = [a for _, a in attempts(history) if not excused.touch(a.began, a.ended)]
    return sorted(a.ended - a.began for a in clear), sorted(a.ended - a.began for a in clear if gone.hold(a.began, a.ended))


def troubles(history):
    """When 503 is right: from a fault of the database until it is there again, and a little longer."""
    return Spans([(f.began, (f.back or float("inf")) + AGAIN_S + MARGIN_S) for f in history.faults if f.touches == "database"])


def near(history, a):
    """The faults around an attempt."""
    return "\n".join(f"  fault {f}" for f in history.faults if f.began - 1 < a.ended and f.ended + AFTERMATH_S + 1 > a.began)


def in_time(history):
    """Nothing that the program's own parts don't suffer themselves makes an answer late, lost, or one of nginx's 502, 503, 504."""
    excused = excuses(history)
    for wish, a in attempts(history):
        if excused.touch(a.began, a.ended):
            continue
        if a.status is None:
            yield f"an answer was lost\n{wish}\n{near(history, a)}"
        elif a.ended - a.began > LIMIT_S + MARGIN_S:
            yield f"an answer came after {a.ended - a.began:.2f} s\n{wish}\n{near(history, a)}"
        if a.status in (502, 504) or a.status == 503 and "service behind this server" in a.text:
            yield f"no worker was reached\n{wish}\n{near(history, a)}"


def says_when(history):
    """Each 503 says when to come again."""
    for wish, a in attempts(history):
        if a.status == 503 and not (a.retry_after and a.retry_after.isdigit() and int(a.retry_after) > 0):
            yield f"503 with Retry-After {a.retry_after}\n{wish}"


def away(history):
    """While nothing can be had from the database, each answer is 503."""
    excused, gone = excuses(history), absences(history)
    for wish, a in attempts(history):
        if gone.hold(a.began, a.ended) and a.status != 503 and not (a.status is None and excused.touch(a.began, a.ended)):
            yield f"answered without the database\n{wish}\n{near(history, a)}"


def again(history):
    """503 comes only while the database is disturbed, and no more when it has been back for a second."""
    excused, right = excuses(history), troubles(history)
    for wish, a in attempts(history):
        if a.status == 503 and not excused.touch(a.began, a.ended) and not right.touch(a.began, a.ended):
            yield f"503 for no reason\n{wish}\n{near(history, a)}"
