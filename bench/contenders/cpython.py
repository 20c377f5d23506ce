"""The cases of cases.mjs for CPython's two process pools.

The arguments are the name of the pool and the plan as JSON; the output is what host.mjs prints. Cases and figures are
described in cases.mjs."""

import gzip
import hashlib
import json
import math
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from threading import Semaphore

IN_FLIGHT = 256
CHUNK = 1000
FIRST = 2000
FIRST_LARGE = 150
JOB_SIZE = 2_000_000
JOB_CHUNK = 64_000
BAND_MILES = 250
LAST_BAND = 2500

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
TEXT = ("The quick brown fox jumps over the lazy dog. 0123456789 " * 19)[:1024]


def payload(length):
    return (bytes(range(256)) * (length // 256 + 1))[:length]


# What is called.


def add(a, b):
    return a + b


def echo(value):
    return value


def increment(value):
    return value + 1


def increment_all(values):
    return [value + 1 for value in values]


def spin(steps):
    x = 1
    for _ in range(steps):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
    return x


def rest(milliseconds):
    time.sleep(milliseconds / 1000)
    return os.getpid()


counters = {}


def rest_and_count(file, milliseconds):
    time.sleep(milliseconds / 1000)
    if file not in counters:
        counters[file] = os.open(file, os.O_WRONLY | os.O_APPEND)
    os.write(counters[file], b".")


def count(groups, key, delay, flights):
    histogram = groups.setdefault(key, {})
    histogram[delay] = histogram.get(delay, 0) + flights


def etl(csv):
    hours, bands = {}, {}
    for line in csv.splitlines():
        delay, distance, hour = line.split(",")
        delay, distance = int(delay), int(distance)
        count(hours, int(float(hour)), delay, 1)
        count(bands, min(distance - distance % BAND_MILES, LAST_BAND), delay, 1)
    compressed = gzip.compress(csv.encode(), 6, mtime=0)
    return hours, bands, len(compressed), hashlib.sha256(compressed).hexdigest()


# The pools, which differ in their names only: `call` is for a result now, `submit` for a callback later.


class Executor:
    def __init__(self, workers):
        self.pool = ProcessPoolExecutor(max_workers=workers)

    def call(self, fn, *args):
        return self.pool.submit(fn, *args).result()

    def submit(self, done, fn, *args):
        self.pool.submit(fn, *args).add_done_callback(lambda future: done(future.result()))

    def map(self, fn, items, chunk):
        return self.pool.map(fn, items, chunksize=chunk)

    def list(self, fn, items, chunk):
        return list(self.map(fn, items, chunk))

    def stop(self):
        self.pool.shutdown()


class Pool:
    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers)

    def call(self, fn, *args):
        return self.pool.apply(fn, args)

    def submit(self, done, fn, *args):
        self.pool.apply_async(fn, args, callback=done)

    def map(self, fn, items, chunk):
        return self.pool.imap(fn, items, chunk)

    def list(self, fn, items, chunk):
        return self.pool.map(fn, items, chunk)

    def stop(self):
        self.pool.close()
        self.pool.join()


POOLS = {"executor": Executor, "pool": Pool}


# What they use, as in proc.mjs.


def read(file):
    try:
        with open(file, encoding="utf8") as opened:
            return opened.read()
    except OSError:
        return None


def family():
    children = {}
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else []:
        stat = read(f"/proc/{entry}/stat") if entry.isdigit() else None
        if stat is not None:
            children.setdefault(int(stat[stat.rindex(")") + 2 :].split()[1]), []).append(int(entry))
    found = [os.getpid()]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def on_processors(pid):
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return 0
    return sum(int((read(f"/proc/{pid}/task/{thread}/schedstat") or "0").split()[0]) for thread in threads)


def processor_time():
    """Microseconds of the host and of all. All threads of the host count: the pools have threads of their own there."""
    host = on_processors(os.getpid())
    if host == 0:
        return None
    return host / 1000, sum(on_processors(pid) for pid in family()) / 1000


def memory():
    found = [re.search(r"^Pss:\s+(\d+)", read(f"/proc/{pid}/smaps_rollup") or "", re.M) for pid in family()]
    return sum(int(match[1]) for match in found if match) * 1024 or None


# How it is measured.


def check(actual, expected):
    if actual != expected:
        raise AssertionError(f"the answer is {actual!r:.100}, not {expected!r:.100}")


def start_warm(kind, workers):
    pool = POOLS[kind](workers)
    found = set()
    deadline = time.perf_counter() + 60
    while len(found) < workers:
        if time.perf_counter() > deadline:
            raise AssertionError(f"only {len(found)} of {workers} workers answer")
        found.update(pool.map(rest, [10] * (workers * 2), 1))
    return pool


def flood(pool, in_flight, seconds, fn, args, most=math.inf):
    """Keeps so many calls in flight for some time, or until so many are made; their number when all are answered."""
    room = Semaphore(in_flight)
    mask = 63 if in_flight >= 256 else 0
    deadline = time.perf_counter() + seconds
    calls = 0
    while calls < most and (calls & mask or time.perf_counter() < deadline):
        room.acquire()
        pool.submit(lambda _: room.release(), fn, *args)
        calls += 1
    for _ in range(in_flight):
        room.acquire()
    return calls


def measured(run, rest=0):
    """The rate and the processor time, in microseconds, of so many calls as `run` returns."""
    time.sleep(rest)
    before = processor_time()
    started = time.perf_counter()
    calls = run()
    seconds = time.perf_counter() - started
    time.sleep(rest)
    after = processor_time()
    found = {"rate": calls / seconds}
    if before and after:
        found.update(host=(after[0] - before[0]) / calls, all=(after[1] - before[1]) / calls)
    return found


def throughput(pool, plan, in_flight, fn, args):
    flood(pool, in_flight, plan["warmup"] / 1000, fn, args)
    return measured(lambda: flood(pool, in_flight, plan["milliseconds"] / 1000, fn, args))


def medians(found):
    return {figure: statistics.median(each[figure] for each in found) for figure in found[0]}


def scaled(found, factor):
    return {figure: value if figure == "rate" else value * factor for figure, value in found.items()}


def busy(fn, args, in_flight=IN_FLIGHT):
    def run(pool, plan):
        made = args(plan)
        check(pool.call(fn, *made), fn(*made))
        return throughput(pool, plan, in_flight, fn, made)

    return run


def first(fn, args, in_flight, count):
    def run(kind, plan):
        made = args(plan)
        calls = math.ceil(count * plan["share"])
        found = []
        for _ in range(plan["pools"]):
            pool = start_warm(kind, plan["workers"])
            found.append(measured(lambda: flood(pool, in_flight, math.inf, fn, made, calls), 0.02))
            check(pool.call(fn, *made), fn(*made))
            pool.stop()
        return medians(found)

    return run


def hot(pool, plan):
    check(pool.call(add, 1, 2), 3)
    warm = time.perf_counter() + plan["warmup"] / 1000
    while time.perf_counter() < warm:
        pool.call(add, 1, 2)
    durations = []
    started = time.perf_counter()
    deadline = started + plan["milliseconds"] / 1000
    while started < deadline:
        pool.call(add, 1, 2)
        ended = time.perf_counter()
        durations.append((ended - started) * 1e6)
        started = ended
    durations.sort()
    return {"p50": durations[len(durations) // 2], "p99": durations[len(durations) * 99 // 100]}


def timed(steps):
    least = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        spin(steps)
        least = min(least, time.perf_counter() - started)
    return least


def task(milliseconds, in_flight):
    def run(pool, plan):
        steps = max(1, round(milliseconds / 1000 * 100_000 / timed(100_000)))
        times = max(1, round(1 / milliseconds))
        alone = timed(steps * times) / times
        check(pool.call(spin, steps), spin(steps))
        found = throughput(pool, plan, in_flight, spin, (steps,))
        rate = found.pop("rate")
        return {"efficiency": rate * alone * 100 / min(plan["workers"], plan["cores"]), **found}

    return run


def chunks_by_hand(pool, items):
    found = [None] * math.ceil(len(items) / CHUNK)
    done = Semaphore(0)

    def keep(at):
        def kept(values):
            found[at] = values
            done.release()

        return kept

    for at in range(len(found)):
        pool.submit(keep(at), increment_all, items[at * CHUNK : (at + 1) * CHUNK])
    for _ in found:
        done.acquire()
    return sum(map(sum, found))


def mapping(total):
    def run(pool, plan):
        items = list(range(plan["items"]))
        expected = plan["items"] * (plan["items"] + 1) // 2
        check(total(pool, items), expected)

        def passes():
            started = time.perf_counter()
            count = 0
            while count == 0 or time.perf_counter() - started < plan["milliseconds"] / 1000:
                check(total(pool, items), expected)
                count += 1
            return count * plan["items"]

        return scaled(measured(passes), 1000)

    return run


def cold(kind, plan):
    first, node, used = [], [], []
    for _ in range(plan["starts"]):
        started = time.perf_counter()
        subprocess.run([plan["node"], "-e", "0"], check=True)
        node.append((time.perf_counter() - started) * 1000)
        before = processor_time()
        started = time.perf_counter()
        pool = POOLS[kind](plan["workers"])
        check(pool.call(add, 1, 2), 3)
        first.append((time.perf_counter() - started) * 1000)
        after = processor_time()
        if before and after:
            used.append((after[1] - before[1]) / 1000)
        pool.stop()
    found = {"first": statistics.median(first), "ratio": statistics.median(first) / statistics.median(node)}
    return {**found, "all": statistics.median(used)} if used else found


def memory_of_workers(kind, plan):
    before = memory()
    pool = start_warm(kind, plan["workers"])
    after = memory()
    pool.stop()
    return {"pss": (after - before) / plan["workers"] / 1e6} if before and after else None


def scale(kind, plan):
    found = {}
    for workers in plan["scale"]:
        pool = start_warm(kind, workers)
        warmup = plan["warmup"] * (1 + workers / 8)
        used = throughput(pool, {**plan, "warmup": warmup}, IN_FLIGHT, add, (1, 2)).get("all")
        pool.stop()
        if used is None:
            return None
        found[f"w{workers}"] = used
    return found


def progress(pool, plan, wait):
    with tempfile.TemporaryDirectory() as directory:
        file = os.path.join(directory, "count")
        with open(file, "wb"):
            pass
        done = Semaphore(0)
        for _ in range(plan["pending"]):
            pool.submit(lambda _: done.release(), rest_and_count, file, 1)
        while os.path.getsize(file) < plan["pending"] / 20:
            time.sleep(0.001)
        before = os.path.getsize(file)
        started = time.perf_counter()
        wait(plan["pending"] / plan["workers"] * 0.4 / 1000)
        rate = (os.path.getsize(file) - before) / (time.perf_counter() - started)
        for _ in range(plan["pending"]):
            done.acquire()
        check(os.path.getsize(file), plan["pending"])
        return rate


def block(seconds):
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        pass


def blocked(pool, plan):
    rates = []

    def free():
        rates.append(progress(pool, plan, time.sleep))
        return plan["pending"]

    used = measured(free)
    found = {"kept": progress(pool, plan, block) / rates[0] * 100, "rate": rates[0]}
    return {**found, "all": used["all"]} if "all" in used else found


def chunks_of(file):
    with open(file, encoding="utf8") as opened:
        flights = json.load(opened)
    lines, size = [], 0
    for flight in flights:
        if size >= JOB_SIZE:
            break
        lines.append(f"{flight['delay']},{flight['distance']},{flight['time']}\n")
        size += len(lines[-1])
    csv = "".join(lines)
    start = 0
    while start < len(csv):
        end = csv.find("\n", start + JOB_CHUNK) + 1 or len(csv)
        yield csv[start:end]
        start = end


def total(parts):
    hours, bands, size, hashes = {}, {}, 0, []
    for part_hours, part_bands, compressed, digest in parts:
        for groups, part in ((hours, part_hours), (bands, part_bands)):
            for key, histogram in part.items():
                for delay, flights in histogram.items():
                    count(groups, key, delay, flights)
        size += compressed
        hashes.append(digest)
    return hours, bands, size, hashes


def job(pool, plan):
    if plan.get("flights") is None:
        return None
    chunks = list(chunks_of(plan["flights"]))
    check(total(pool.map(etl, chunks, 1)), total(map(etl, chunks)))
    times = []

    def jobs():
        deadline = time.perf_counter() + plan["milliseconds"] / 1000
        while not times or time.perf_counter() < deadline:
            started = time.perf_counter()
            total(pool.map(etl, chunks, 1))
            times.append((time.perf_counter() - started) * 1000)
        return len(times)

    used = scaled(measured(jobs), 0.001)
    del used["rate"]
    return {"time": statistics.median(times), **used}


def numbers(_):
    return 1, 2


def a_record(_):
    return (RECORD,)


def a_text(_):
    return (TEXT,)


def a_block(_):
    return (payload(65536),)


def a_large_one(_):
    return (payload(1 << 20),)


CASES = {
    "add": busy(add, numbers),
    "hot": hot,
    "record": busy(echo, a_record),
    "text": busy(echo, a_text),
    "block": busy(echo, a_block),
    "block16": busy(echo, a_block, 16),
    "block8": busy(echo, a_block, 8),
    "large256": busy(echo, a_large_one),
    "large": busy(echo, a_large_one, 16),
    "large8": busy(echo, a_large_one, 8),
    "huge": busy(echo, lambda plan: (payload(plan["huge"]),), 2),
    "task10us": task(0.01, IN_FLIGHT),
    "task1ms": task(1, 32),
    "task10ms": task(10, 8),
    "map": mapping(lambda pool, items: sum(pool.map(increment, items, CHUNK))),
    "mapArray": mapping(lambda pool, items: sum(pool.list(increment, items, CHUNK))),
    "mapByHand": mapping(chunks_by_hand),
    "blocked": blocked,
    "etl": job,
}
ALONE = {
    "addFirst": first(add, numbers, IN_FLIGHT, FIRST),
    "recordFirst": first(echo, a_record, IN_FLIGHT, FIRST),
    "textFirst": first(echo, a_text, IN_FLIGHT, FIRST),
    "blockFirst": first(echo, a_block, IN_FLIGHT, FIRST),
    "largeFirst": first(echo, a_large_one, 16, FIRST_LARGE),
    "cold": cold,
    "memory": memory_of_workers,
    "scale": scale,
}


def main():
    kind, plan = sys.argv[1], json.loads(sys.argv[2])
    pool = None
    for name in plan["cases"]:
        try:
            if name in ALONE:
                if pool is not None:
                    pool.stop()
                    pool = None
                found = ALONE[name](kind, plan)
            elif name in CASES:
                pool = pool or start_warm(kind, plan["workers"])
                found = CASES[name](pool, plan)
            else:
                found = None
        except Exception as error:
            print(json.dumps({"case": name, "failed": str(error) or repr(error)}), flush=True)
            # The others get a new process.
            os._exit(1)
        print(json.dumps({"case": name, **({"figures": found} if found else {})}), flush=True)
    if pool is not None:
        pool.stop()


if __name__ == "__main__":
    main()
