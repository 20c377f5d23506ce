"""The cases of cases.mjs for concurrent.futures.ProcessPoolExecutor. The argument is the plan as JSON, the output is what
host.mjs prints."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from threading import Semaphore

IN_FLIGHT = 256
CHUNK = 1000

RECORD = {
    "id": 184467,
    "carrier": "Northern",
    "from": {"code": "SEA", "city": "Seattle", "lat": 47.4502, "lon": -122.3088},
    "to": {"code": "ORD", "city": "Chicago", "lat": 41.9742, "lon": -87.9073},
    "delay": -7.5,
    "cancelled": False,
    "tags": ["red-eye", "weekly"],
    "note": None,
}
BLOCK = bytes(i & 255 for i in range(65536))


def add(a, b):
    return a + b


def echo(value):
    return value


def increment(value):
    return value + 1


def check(actual, expected):
    if actual != expected:
        raise AssertionError(f"the answer is {actual!r:.100}, not {expected!r:.100}")


def flood(pool, seconds, fn, args):
    """Keeps IN_FLIGHT calls in flight for some time; their number when all are answered."""
    room = Semaphore(IN_FLIGHT)
    deadline = time.perf_counter() + seconds
    calls = 0
    while calls & 63 or time.perf_counter() < deadline:
        room.acquire()
        pool.submit(fn, *args).add_done_callback(lambda _: room.release())
        calls += 1
    for _ in range(IN_FLIGHT):
        room.acquire()
    return calls


def busy(pool, plan, fn, args, expected):
    check(pool.submit(fn, *args).result(), expected)
    flood(pool, plan["warmup"] / 1000, fn, args)
    started = time.perf_counter()
    calls = flood(pool, plan["milliseconds"] / 1000, fn, args)
    return {"rate": calls / (time.perf_counter() - started)}


def hot(pool, plan):
    check(pool.submit(add, 1, 2).result(), 3)
    warm = time.perf_counter() + plan["warmup"] / 1000
    while time.perf_counter() < warm:
        pool.submit(add, 1, 2).result()
    durations = []
    started = time.perf_counter()
    deadline = started + plan["milliseconds"] / 1000
    while started < deadline:
        pool.submit(add, 1, 2).result()
        ended = time.perf_counter()
        durations.append((ended - started) * 1e6)
        started = ended
    durations.sort()
    return {"p50": durations[len(durations) // 2], "p99": durations[len(durations) * 99 // 100]}


def map_numbers(pool, plan):
    items = list(range(plan["items"]))
    expected = plan["items"] * (plan["items"] + 1) // 2
    check(sum(pool.map(increment, items, chunksize=CHUNK)), expected)
    started = time.perf_counter()
    passes = 0
    while passes == 0 or time.perf_counter() - started < plan["milliseconds"] / 1000:
        check(sum(pool.map(increment, items, chunksize=CHUNK)), expected)
        passes += 1
    return {"rate": passes * plan["items"] / (time.perf_counter() - started)}


CASES = {
    "add": lambda pool, plan: busy(pool, plan, add, (1, 2), 3),
    "hot": hot,
    "record": lambda pool, plan: busy(pool, plan, echo, (RECORD,), RECORD),
    "block": lambda pool, plan: busy(pool, plan, echo, (BLOCK,), BLOCK),
    "map": map_numbers,
}


def main():
    plan = json.loads(sys.argv[1])
    with ProcessPoolExecutor(max_workers=plan["workers"]) as pool:
        figures = {name: CASES[name](pool, plan) for name in plan["cases"] if name in CASES}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
