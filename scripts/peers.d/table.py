"""What came of it: Markdown on standard output, and a CSV file of all trials."""

import csv
import pathlib
import statistics
import time

import contenders
import setup

FIGURES = ["server_us", "load_us", "per_second", "server_bytes", "load_bytes"]
COLUMNS = [
    "contender", "round", "units", *FIGURES, "payload_bytes", "latency_p50_us", "out_of_step"
]


def spread(trials, figure, digits):
    values = [trial[figure] for trial in trials if trial.get(figure) is not None]
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def figures_table(able, trials):
    yield "| | server µs CPU | load µs CPU | per second |"
    yield "|---|---|---|---|"
    for contender in able:
        if contender.name.startswith("idle"):
            continue
        of = trials[contender.name]
        late = sum(bool(trial.get("out_of_step")) for trial in of)
        mark = f" ({late} of {len(of)} out of step)" if late else ""
        cells = [spread(of, "server_us", 2), spread(of, "load_us", 2), spread(of, "per_second", 0)]
        yield f"| {contender.name}{mark} | {' | '.join(cells)} |"


def memory_table(able, trials):
    yield "| | bytes for each idle client: server | load |"
    yield "|---|---|---|"
    for contender in able:
        if contender.name.startswith("idle"):
            of = trials[contender.name]
            cells = [spread(of, "server_bytes", 0), spread(of, "load_bytes", 0)]
            yield f"| {contender.name} | {' | '.join(cells)} |"


def bytes_told(ratio, pairs):
    """The payload of a message from either, where it has to be about the same."""
    if ratio.bytes_within is None:
        return ""
    ours, theirs = (statistics.median(trial["payload_bytes"] for trial in side) for side in zip(*pairs))
    differs = abs(ours / theirs - 1) > ratio.bytes_within
    return f" ({ours:.0f} and {theirs:.0f} bytes{', not comparable' if differs else ''})"


def ratios_table(trials):
    yield "| ratio | median | of rounds | target |"
    yield "|---|---|---|---|"
    for ratio in contenders.RATIOS:
        pairs = list(zip(trials.get(ratio.ours, []), trials.get(ratio.theirs, [])))
        in_step = [p for p in pairs if not any(trial.get("out_of_step") for trial in p)]
        values = [ours[ratio.figure] / theirs[ratio.figure] for ours, theirs in in_step or pairs]
        if not values:
            yield f"| {ratio.what} | not measured | | |"
            continue
        middle = statistics.median(values)
        met = middle >= ratio.target if ratio.least else middle <= ratio.target
        sign, missed = "≥" if ratio.least else "≤", "" if met else " missed"
        doubt = ("" if in_step else " (out of step)") + bytes_told(ratio, in_step or pairs)
        yield (
            f"| {ratio.what} | **{middle:.2f}**{doubt} | {min(values):.2f}–{max(values):.2f} |"
            f" {sign} {ratio.target:.2f}{missed} |"
        )


def write_csv(args, trials):
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / time.strftime("%Y%m%dT%H%M%SZ.csv", time.gmtime())
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for name, of in trials.items():
            for number, trial in enumerate(of, 1):
                writer.writerow({"contender": name, "round": number, **trial})
    return path


def report(args, able, trials, missing, failed):
    print(
        f"## Peers: {args.clients} clients, 64 bytes, {args.rate:g}/s ({args.tls_rate:g}/s in TLS,"
        f" {args.long_poll_rate:g}/s of long poll, {args.tsung_rate:g}/s to tsung); with a compressor"
        f" each {args.takeover_clients} clients, 1 KiB, {args.takeover_rate:g}/s; {args.connections}"
        f" connections of wrk and h2load, {args.repeats} rounds of {args.seconds} s\n"
    )
    for name, version in setup.machine(args.binary).items():
        print(f"- {name}: {version}")
    for name in missing:
        print(f"- missing: {name} (Debian package {setup.PACKAGES[name]})")
    for name, error in failed.items():
        print(f"- failed: {name}: {error}")
    print(
        "\nCPU per message that arrived; of polls, per request. Medians, and the least and the"
        " greatest.\n"
    )
    for lines in (figures_table(able, trials), memory_table(able, trials), ratios_table(trials)):
        print("\n".join(lines) + "\n")
    print(f"All trials: {write_csv(args, trials)}")
