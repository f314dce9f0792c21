"""What a run says at its end: counts, verdicts, and what explains a failure. Used by driver.py."""
import collections
import itertools
import os
import resource
import shutil

import checker
import terms
import timing


def delays(run, history):
    """From each change to when a subscriber had its message, in seconds, sorted. The backlog is not among them."""
    at = {(checker.KINDS[e["channel_kind"]], e["channel_id"], e["seq"]): e["at"].timestamp() - run.epoch for e in run.rows.events}
    found = []
    for s in (s for s in history.subscriptions if (s.kind, s.channel) != ("shop", run.backlog_shop)):
        first = {}
        for _, seq, _, when in s.frames + s.caught:
            first[seq] = min(when, first.get(seq, when))
        found += [when - at[(s.kind, s.channel, seq)] for seq, when in first.items() if (s.kind, s.channel, seq) in at]
    return sorted(found)


def spread(values):
    if not values:
        return "none"
    return ", ".join(f"{name} {values[min(len(values) - 1, int(len(values) * part))]:.2f} s" for name, part in (("p50", 0.5), ("p99", 0.99), ("longest", 1)))


def counts_of_terms(run, history):
    case, tries = checker.Case(history, run.rows), [a for c in history.shop_changes for a in c.attempts]
    codes = collections.Counter(a.value().get("code") for p in history.placements for a in p.attempts if a.status == 409)
    hurries, away = terms.hurries_of(history), terms.outages(history)
    dated = [o for o in run.rows.orders if o["accept_by"]]
    late = [found[0] for o in dated for found in [terms.lateness(case, o, hurries.get(o["id"], []), away)] if found]
    yield (f"shops: {len(history.shop_changes)} changes of their terms, {sum(a.is_lost for a in tries)} answers to these lost;"
           f" {sum(map(len, case.places.values()))} orders in {len(case.places)} slots; refused: " + ", ".join(f"{code} {n}" for code, n in sorted(codes.items())))
    yield (f"deadlines: {len(dated)} orders had one, {len(hurries)} of these moved; {sum(o['cancelled_by'] == 'system' for o in dated)} not accepted"
           f" in time, the last of all {max(late, default=0):.1f} s after it, outages not counted;"
           f" {sum(path[0]['status'] == 'confirmed' for path in case.versions.values())} orders confirmed themselves")


def counts(run):
    history = run.history()
    posts = [a for p in history.placements for a in p.attempts]
    patches = [a for c in history.changes for a in c.attempts]
    patches += [a for c in history.shop_changes for a in c.attempts]
    reads = [r.attempts[0] for r in history.reads]
    statuses = collections.Counter(str(a.status or ("left" if a.is_left else "lost")) for a in posts + patches + reads)
    lost = sum(any(a.is_lost for a in p.attempts) for p in history.placements)
    found = sum(bool(p.key) and any(a.is_lost for a in p.attempts) and any(a.status == 201 for a in p.attempts) for p in history.placements)
    clear, away = timing.judged(history)
    yield f"seed {run.seed}, {run.options.seconds} s, {run.mischief.rounds} rounds of faults, {run.mischief.missed} found nothing to hit"
    yield "faults: " + ", ".join(f"{kind} {n}" for kind, n in run.mischief.done.items())
    yield (f"orders: {len(run.rows.orders)} of {len(history.placements)} placements, {sum(a.status == 409 for a in posts)} refused (409); {lost} with a"
           f" lost answer, {found} of these answered 201 in the end; {sum(a.replayed for a in posts)} replays")
    yield f"changes: {len(run.rows.history)} history entries of {len(history.changes)} wishes; {sum(o['status'] == 'cancelled' for o in run.rows.orders)} cancelled"
    yield from counts_of_terms(run, history)
    yield "answers: " + ", ".join(f"{status} {n}" for status, n in sorted(statuses.items()))
    yield (f"answers that no fault but the database's excuses: {spread(clear)} ({len(clear)}); while nothing could be had from the database:"
           f" {spread(away)} ({len(away)})")
    frames, caught = sum(len(s.frames) for s in history.subscriptions), sum(len(s.caught) for s in history.subscriptions)
    yield (f"messages: {len(run.rows.events)} numbered, {sum(b.is_certain * b.count for b in run.backlogs)} of them a backlog; {frames} frames to"
           f" {len(history.subscriptions)} subscribers, {caught} caught up, {frames + caught - sum(len(s.taken) for s in history.subscriptions)} repeats"
           f" dropped, {sum(len(s.opened) - 1 for s in history.subscriptions)} reconnects")
    yield f"from a change to its message at a subscriber, faults included: {spread(delays(run, history))}"
    yield (f"longest recovery: {run.longest_recovery:.1f} s; most memory, in MB: relays {run.peaks['relay']}, workers {run.peaks['worker']} (each since"
           f" its last start), this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")


def tell(run):
    for line in counts(run):
        print(line)
    for name, findings in run.results.items():
        print(f"{'FAILED' if findings else 'passed'}: {name}{f' ({len(findings)} findings)' if findings else ''}")
        for finding in findings[:5]:
            print("    " + finding.replace("\n", "\n    "))
    if any(run.results.values()):
        print("faults by time, as in the findings:", *(f"    {fault}" for fault in sorted(run.mischief.log, key=lambda f: f.began)), sep="\n")


def keep(run, folder):
    """Everything that explains a failure."""
    os.makedirs(folder, exist_ok=True)
    shutil.copytree(f"{run.stack.dir}/log", f"{folder}/log", dirs_exist_ok=True)
    history = run.history()
    with open(f"{folder}/history.txt", "w") as f:
        for thing in itertools.chain(history.faults, history.reads, history.placements, history.changes, history.shop_changes, history.hurries,
                                     history.subscriptions):
            print(thing, file=f)
    with open(f"{folder}/rows.txt", "w") as f:
        for table, rows in vars(run.rows).items():
            print(*(f"{table} {row}" for row in rows), sep="\n", file=f)
