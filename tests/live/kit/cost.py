"""What a run is expected to cost, from a table with dates and sources."""

import json
from pathlib import Path

TABLE = Path(__file__).parents[1] / "prices.json"
HOME = "us-east-1"
HOURS = 730
# What other Regions are dearer than us-east-1 by, at most, for what has no row: a db.t4g.micro is 56 percent in ap-northeast-2, and dearer Regions exist.
DEARER = 2


def price(rows, region, item):
    """A price in a Region, and whether the table has it for that Region and with a date."""
    found = {row["region"]: row for row in rows if row["item"] == item}
    row = found.get(region, found[HOME])
    return row["price"], row["region"] == region and row["date"] is not None, row


def lines(region, hours, engines=False, aurora=False, former=False):
    """Each thing that is billed: what, how many units, which price."""
    rows = json.loads(TABLE.read_text())["rows"]
    databases = 4 if engines else 2
    extended = (1 if engines else 0) + (1 if former else 0)
    wanted = [
        (f"{databases} databases, db.t4g.micro", "micro_hour", databases * hours),
        (f"{databases} x 20 GB of gp3", "gp3_gigabyte_month", databases * 20 * hours / HOURS),
        # Two stay for the whole run in the worst case; those of experiments live for half an hour, with two vCPUs each.
        ("2 proxies of 2 vCPUs, all the time", "proxy_vcpu_hour", 2 * 2 * hours),
        ("proxies of the experiments, half an hour each", "proxy_vcpu_hour", (3 + (3 if engines else 0) + (2 if aurora else 0)) * 2 * 0.5),
        ("4 secrets", "secret_month", 4 * hours / HOURS),
    ]
    if extended:
        wanted.append((f"Extended Support of MySQL 8.0, {extended} x 2 vCPUs", "extended_support_vcpu_hour", extended * 2 * hours))
    if aurora:
        wanted.append(("2 instances of Aurora, db.t4g.medium", "aurora_medium_hour", 2 * hours))
    told = []
    for what, item, units in wanted:
        each, certain, row = price(rows, region, item)
        told.append({"what": what, "units": units, "price": each, "amount": units * each, "certain": certain, "row": row})
    return told


def most(told):
    """The sum, with what is uncertain taken at its dearest."""
    return sum(line["amount"] * (1 if line["certain"] else DEARER) for line in told)


def text(region, hours, **chosen):
    told = lines(region, hours, **chosen)
    out = [f"Expected cost in {region} if it takes {hours:.1f} hours, which is the time limit and an hour of clean-up, in US dollars:", ""]
    for line in told:
        row = line["row"]
        doubt = "" if line["certain"] else "   uncertain: " + ("no date" if row["region"] == region else f"the price of {row['region']}")
        out.append(f"  {line['amount']:6.2f}  {line['what']} at {line['price']:g}{doubt}")
    out += [
        f"  {sum(line['amount'] for line in told):6.2f}  together, and at most {most(told):.2f} where what is uncertain costs {DEARER} times as much",
        "",
        "Not counted, and cents at most: calls of Lambda and CloudWatch, and CPU credits of the databases. Taxes come on top.",
        "Sources and dates: tests/live/prices.json. What a run that is not cleaned up costs goes on: see tests/live/clean.",
    ]
    return "\n".join(out)
