"""M/M/c by simulation: what runs as long as the measured one can come to, by chance alone."""

import heapq
import random


def waits(arrivals, services, servers):
    """The wait of each arrival in one line before so many servers (Kiefer and Wolfowitz)."""
    free = [0.0] * servers
    found = []
    for arrival, service in zip(arrivals, services):
        start = max(arrival, heapq.heappop(free))
        heapq.heappush(free, start + service)
        found.append(start - arrival)
    return found


def mean_wait(chance, servers, rate, seconds, requests, constant):
    """The mean wait of a run from an empty line."""
    arrival, arrivals, services = 0.0, [], []
    for _ in range(requests):
        arrival += chance.expovariate(rate)
        arrivals.append(arrival)
        services.append(seconds if constant else chance.expovariate(1 / seconds))
    found = waits(arrivals, services, servers)
    return sum(found) / len(found)


def band(servers, rate, seconds, requests, constant=False, runs=400):
    """Mean waits of many such runs, sorted: the ends of it come about by chance once in so many runs."""
    chance = random.Random(20261128)
    return sorted(mean_wait(chance, servers, rate, seconds, requests, constant) for _ in range(runs))
